"""Which currency amounts are in: codes and signs beside them, and what several currencies share a sign. Pure."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from django.utils.translation import gettext as _

from loyalty.core.money import is_currency
from loyalty.importing.tables import Guess

# Signs that stand for one currency, those with letters first: NT$ must not be taken for $.
_SURE: Final = {
    "NT$": "TWD", "HK$": "HKD", "US$": "USD", "S$": "SGD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD",
    "NZ$": "NZD", "MX$": "MXN", "R$": "BRL", "RM": "MYR", "RP": "IDR", "€": "EUR", "£": "GBP", "฿": "THB", "₫": "VND",
    "₩": "KRW", "₱": "PHP", "₹": "INR", "JP¥": "JPY", "CN¥": "CNY", "RMB": "CNY", "新台幣": "TWD", "新臺幣": "TWD",
    "港幣": "HKD", "人民币": "CNY", "円": "JPY", "ZŁ": "PLN",
}  # fmt: skip
# Signs that several currencies share; the more frequent ones first.
_SHARED: Final = {
    "$": ("USD", "TWD", "HKD", "SGD", "AUD", "CAD", "NZD", "MXN"),
    "¥": ("JPY", "CNY"),
    "元": ("TWD", "HKD", "CNY"),
    "KR": ("SEK", "NOK", "DKK"),
}
_POINTS: Final = ("點數", "點", "点", "ポイント", "PTS", "PT", "POINTS", "POINT")
_UNITS: Final = sorted([*_SURE, *_SHARED, *_POINTS], key=len, reverse=True)
_CODE: Final = re.compile(r"\b([A-Z]{3})\b")
_BARE: Final = re.compile(r"[0-9.,()\s'’+-]*")


def without_currency(text: str) -> str:
    """The text without a sign, a code or the word for points before or behind it."""
    if _BARE.fullmatch(text):
        return text.strip()
    upper = text.upper()
    for unit in (*_UNITS, *_CODE.findall(upper)):
        if upper.startswith(unit):
            return text[len(unit) :].strip()
        if upper.endswith(unit):
            return text[: -len(unit)].strip()
    return text


@lru_cache(maxsize=8192)
def currency_of(text: str) -> tuple[str, ...]:
    """The currencies that a code or a sign in the text may stand for; none when there is neither."""
    upper = text.upper().replace("￥", "¥").replace("\uff04", "$")
    if _BARE.fullmatch(upper):
        return ()
    for code in _CODE.findall(upper):
        if is_currency(code):
            return (code,)
    signs = [*sorted(_SURE, key=len, reverse=True), *_SHARED]
    found = next((sign for sign in signs if sign in upper and (not sign.isascii() or not sign.isalpha())), "")
    worded = next((sign for sign in signs if sign.isalpha() and sign.isascii() and _stands_apart(sign, upper)), "")
    sign = found or worded
    return (_SURE[sign],) if sign in _SURE else _SHARED.get(sign, ())


def _stands_apart(sign: str, upper: str) -> bool:
    return bool(re.search(rf"(?<![A-Z]){sign}(?![A-Z])", upper))


def guess_currency(headings: Iterable[str], values: Iterable[tuple[int, str]], *, own: str) -> Guess:
    """The currency of amounts, by their columns' names and by what stands beside them; ``own`` is the store's.

    Asked when a sign is one of several currencies', and when rows name several.
    """
    for heading in headings:
        found = currency_of(heading)
        if len(found) == 1:
            return Guess(found[0], _("The column is called “%(name)s”.") % {"name": heading})
    said: dict[tuple[str, ...], tuple[int, str]] = {}
    for row, text in values:
        found = currency_of(text)
        if found:
            said.setdefault(found, (row, text))
    if not said:
        return Guess(own, _("The file names no currency; this is the store's own."))
    (found, (row, text)), *others = said.items()
    choices = tuple(dict.fromkeys([*(code for codes in said for code in codes), own]))
    if others or len(found) > 1:
        why = _("Row %(row)s has “%(text)s”, which can stand for several currencies.")
        if others:
            why = _("Row %(row)s has “%(text)s”, and others have other currencies.")
        likely = own if any(own in codes for codes in said) else ""
        return Guess(likely, why % {"row": row, "text": text}, certain=False, choices=choices)
    return Guess(found[0], _("Row %(row)s has “%(text)s”.") % {"row": row, "text": text})
