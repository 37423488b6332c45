"""Facts about currencies, and amounts of money as text.

Amounts are Decimals in whole units of their currency (dollars, not cents). Nothing here rounds silently.
"""

from decimal import Decimal, InvalidOperation
from functools import lru_cache

from babel.core import get_global
from babel.numbers import format_decimal
from django.utils.translation import ngettext, pgettext

from loyalty.core.locales import locale_of
from loyalty.languages.own_names import own_unit

# Unicode's tables say how many decimals people write; ISO 4217 says how many there are. Where they differ, ISO counts.
_ISO_DECIMALS = {
    "AFN": 2, "ALL": 2, "IQD": 3, "IRR": 2, "KPW": 2, "LAK": 2, "LBP": 2,
    "MGA": 2, "MMK": 2, "RSD": 2, "SOS": 2, "SYP": 2, "YER": 2,
}  # fmt: skip
# Legal tender by ISO 4217, but missing in Unicode's list.
_ALSO_MONEY = frozenset({"SVC"})


@lru_cache(maxsize=1)
def _currencies() -> frozenset[str]:
    spans = (span for territory in get_global("territory_currencies").values() for span in territory)
    return frozenset({code for code, _start, end, tender in spans if tender and end is None} | _ALSO_MONEY)


def currencies() -> list[str]:
    """The codes of ISO 4217 that are legal tender today, in order."""
    return sorted(_currencies())


def is_currency(code: str) -> bool:
    """Whether ``code`` is the ISO 4217 code of today's legal tender: USD is; usd, HRK and XAU (gold) are not."""
    return code in _currencies()


@lru_cache(maxsize=512)
def decimals_of(currency: str) -> int:
    """How many decimals ISO 4217 gives the currency: 2 for USD and TWD, 0 for JPY, 3 for KWD.

    Raises ValueError for an unknown code.
    """
    if not is_currency(currency):
        raise ValueError(f"“{currency}” is not a currency code of ISO 4217.")
    fractions = get_global("currency_fractions")
    return _ISO_DECIMALS.get(currency, int(fractions.get(currency, fractions["DEFAULT"])[0]))


@lru_cache(maxsize=512)
def unit_of(currency: str) -> Decimal:
    """The smallest amount of the currency: 0.01 USD, 1 JPY, 0.001 KWD. Raises ValueError for an unknown code."""
    return Decimal(1).scaleb(-decimals_of(currency))


def quantise(amount: Decimal, currency: str) -> Decimal:
    """The same value with exactly the currency's decimals: 23600.00 JPY becomes 23600.

    Raises ValueError when the amount is no number, too large to write down or finer than the currency's unit:
    a difference is never rounded away.
    """
    unit = unit_of(currency)
    try:
        exact = amount.quantize(unit)
    except InvalidOperation:
        raise ValueError(f"{amount} is not an amount of {currency}.") from None
    if exact != amount:
        raise ValueError(f"{amount} is finer than the smallest amount of {currency}, {unit}.")
    return exact


def as_stored(amount: Decimal, currency: str) -> Decimal:
    """The amount for showing, with the currency's decimals; as it stands where something else was stored (L8).

    An order whose currency changed may hold 20.18 JPY, and a code may be one that nobody knows any more: what is stored
    is shown, never rounded and never refused.
    """
    try:
        return quantise(amount, currency)
    except ValueError:
        return amount


def amount_text(amount: Decimal, currency: str) -> str:
    """For programs: a decimal string with the currency's decimals, such as ``50.00``; as it stands for the rest."""
    return f"{as_stored(amount, currency):f}"


def format_number(amount: Decimal | int, currency: str, locale: str) -> str:
    """The amount for people without its unit: ``1,234.50``, in German ``1.234,50``; points have no ``currency``.

    Always the currency's decimals; more of them for an amount that is finer than its currency. A locale that nobody
    knows is read as English.
    """
    known = locale_of(locale)
    if not currency:
        return format_decimal(amount, locale=known)
    stored = as_stored(Decimal(amount), currency)
    if not stored.is_finite():
        return str(stored)
    whole = known.decimal_formats[None].pattern.split(";")[0].partition(".")[0]
    decimals = decimals_in(stored)
    return format_decimal(stored, format=f"{whole}.{'0' * decimals}" if decimals else whole, locale=known)


def decimals_in(amount: Decimal) -> int:
    """How many decimals a finite amount is written with: 2 for 1.50, 0 for 10 and for 1E+1."""
    return max(-int(amount.as_tuple().exponent), 0)


def format_amount(amount: Decimal | int, currency: str, locale: str) -> str:
    """The amount with its unit behind: ``15.00 USD``, without a currency ``1 point`` or ``1,200 points``.

    Where a store has a name of its own for points, that one.
    """
    number = format_number(amount, currency, locale)
    if not currency:
        # 1.5 of what comes whole is a fault that is shown; it is many.
        count = int(amount) if amount == int(amount) else 2
        if own := own_unit(count):
            return pgettext("points", "%(number)s %(unit)s") % {"number": number, "unit": own}
        return ngettext("%(number)s point", "%(number)s points", count) % {"number": number}
    return pgettext("money", "%(amount)s %(currency)s") % {"amount": number, "currency": currency}
