"""Amounts as people write them, and which mark stands before their decimals. Pure."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from django.utils.translation import gettext as _

from loyalty.importing.currencies import without_currency
from loyalty.importing.tables import Guess

POINT: Final = "."
COMMA: Final = ","
_SPACES: Final = re.compile(r"[\s'’_]+")
_DIGITS: Final = re.compile(r"[0-9]+")
_NUMBER: Final = {
    POINT: re.compile(r"(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3})(?:\.[0-9]*)?|\.[0-9]+"),
    COMMA: re.compile(r"(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+)(?:,[0-9]*)?|,[0-9]+"),
}
_LONGEST: Final = 60
_A_THOUSAND: Final = 3


class NotANumber(ValueError):
    """What is written is no number, or none that is written with this mark."""


def parse_number(text: str, decimal_mark: str) -> Decimal:
    """The number: ``NT$1,234.50``, ``1.234,50 €``, ``(12)``, ``12-``, full-width digits, ``100 pts``.

    Marks between thousands must stand where thousands are: 12,34 is no number where a point is the decimal mark.
    Raises NotANumber; also for percentages.
    """
    return _parse(text, decimal_mark)


@lru_cache(maxsize=8192)
def _parse(text: str, decimal_mark: str) -> Decimal:
    bare = _bare(text)
    if bare is None or not _NUMBER[decimal_mark].fullmatch(bare.digits):
        raise NotANumber(text)
    plain = bare.digits.replace(COMMA if decimal_mark == POINT else POINT, "").replace(COMMA, POINT)
    return -Decimal(plain) if bare.is_negative else Decimal(plain)


@dataclass(frozen=True, slots=True)
class _Bare:
    """What is left of a number when its sign, its unit and the spaces in it are taken away."""

    digits: str
    is_negative: bool


def _bare(text: str) -> _Bare | None:
    if len(text) > _LONGEST:
        return None
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text).replace("−", "-")
    plain = plain.strip()
    is_negative = plain.startswith("(") and plain.endswith(")")
    plain = without_currency(plain[1:-1] if is_negative else plain)
    if plain.endswith("-") or plain.startswith(("-", "+")):
        if is_negative:
            return None
        is_negative = "-" in (plain[0], plain[-1])
        plain = without_currency(plain.removesuffix("-") if plain.endswith("-") else plain[1:])
    digits = _SPACES.sub("", plain)
    return _Bare(digits, is_negative) if digits and set(digits) <= _ALLOWED else None


_ALLOWED: Final = frozenset("0123456789.,")


def guess_decimal_mark(values: Iterable[tuple[int, str]]) -> Guess:
    """The decimal mark of all of these amounts, by what only one reading allows; each comes with its row.

    1,234.50 and 7.5 are written with a point for certain, 1.234.567 with a comma; 1.234 says nothing. Asked when every
    amount that has a mark could be either, and when rows contradict one another.
    """
    proofs: dict[str, tuple[int, str]] = {}
    unclear: tuple[int, str] | None = None
    for row, text in values:
        bare = _bare(text)
        mark = _mark_of(bare.digits) if bare else None
        if mark:
            proofs.setdefault(mark, (row, text))
        elif mark is None and bare and not _DIGITS.fullmatch(bare.digits):
            unclear = unclear or (row, text)
    if len(proofs) == 1:
        mark, (row, text) = next(iter(proofs.items()))
        words = {
            POINT: _("Row %(row)s has “%(text)s”: the point stands before decimals."),
            COMMA: _("Row %(row)s has “%(text)s”: the comma stands before decimals."),
        }
        return Guess(mark, words[mark] % {"row": row, "text": text})
    if proofs:
        (row, text), (other_row, other) = proofs[POINT], proofs[COMMA]
        words_of_both = _(
            "Row %(row)s has “%(text)s”, but row %(other_row)s has “%(other)s”. What does not fit is left out."
        )
        said = {"row": row, "text": text, "other_row": other_row, "other": other}
        return Guess("", words_of_both % said, certain=False, choices=(POINT, COMMA))
    if unclear:
        why = _("“%(text)s” in row %(row)s can be read in two ways, and no other row says more.")
        return Guess("", why % {"row": unclear[0], "text": unclear[1]}, certain=False, choices=(POINT, COMMA))
    return Guess(POINT, _("All amounts are whole numbers."))


def _mark_of(digits: str) -> str | None:
    """The mark that stands before decimals for certain; None when either may."""
    points, commas = digits.count(POINT), digits.count(COMMA)
    if points and commas:
        return POINT if digits.rfind(POINT) > digits.rfind(COMMA) else COMMA
    if points > 1:
        return COMMA
    if commas > 1:
        return POINT
    if not points and not commas:
        return None
    mark = POINT if points else COMMA
    before, _mark, after = digits.partition(mark)
    is_a_thousand = len(after) == _A_THOUSAND and 1 <= len(before) <= _A_THOUSAND and not before.startswith("0")
    return None if is_a_thousand else mark
