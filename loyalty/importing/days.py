"""Days and moments as people write them, and whether the day or the month comes first. Pure."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Final

from django.utils.translation import gettext as _

from loyalty.importing.tables import Guess

DAY_FIRST: Final = "day"
MONTH_FIRST: Final = "month"
YEAR_FIRST: Final = "year"
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR_FIRST: Final = re.compile(r"(?P<year>[0-9]{4})(?P<mark>[-/.])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})")
_TOGETHER: Final = re.compile(r"(?P<year>(?:19|20)[0-9]{2})(?P<month>[0-9]{2})(?P<day>[0-9]{2})")
_YEAR_LAST: Final = re.compile(
    r"(?P<first>[0-9]{1,2})(?P<mark>[-/.])(?P<second>[0-9]{1,2})(?P=mark)(?P<third>[0-9]{4}|[0-9]{2})"
)
# Years of the Republic of China, as Taiwan's offices write them: 115 is 2026.
_MINGUO: Final = re.compile(
    r"(?:民國|民国)?\s*(?P<year>1[0-9]{2})(?P<mark>[-/.])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})"
)
_CHINESE: Final = re.compile(
    r"(?P<minguo>民國|民国)?\s*(?P<year>[0-9]{2,4})\s*年\s*(?P<month>[0-9]{1,2})\s*月\s*(?P<day>[0-9]{1,2})\s*日?"
)
_DAY_NAMED: Final = re.compile(
    r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?[ .-]*(?P<name>[a-z]{3,9})[., -]*(?P<year>[0-9]{4})"
)
_MONTH_NAMED: Final = re.compile(
    r"(?P<name>[a-z]{3,9})[. -]*(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?[, -]+(?P<year>[0-9]{4})"
)
_TIME: Final = re.compile(
    r"(?P<half>上午|下午|am|pm)?\s*(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,][0-9]{1,9})?)?"
    r"\s*(?P<behind>上午|下午|a\.?m\.?|p\.?m\.?)?\s*(?P<zone>z|utc|gmt|[+-][0-9]{2}:?[0-9]{2})?"
)
_SPLIT: Final = re.compile(r"(?P<day>.+?)(?:[t ,]\s*|(?<=日))(?P<time>(?:上午|下午|am|pm)?\s*[0-9]{1,2}:[0-9]{2}.*)")
FIRST_DAY_OF_SPREADSHEETS: Final = datetime.fromisoformat("1899-12-30")
# What a spreadsheet has for a day in a cell that it does not show as one: days since the end of 1899, and behind the
# mark the part of the day. Of 1982 to 2091: no other way of writing days has five digits.
_NUMBERED: Final = re.compile(r"(?P<days>[3-6][0-9]{4})(?:[.,](?P<part>[0-9]{1,12}))?")
_SECONDS_OF_A_DAY: Final = 86_400
_MINGUO_YEARS: Final = 1911
_CENTURY: Final = 2000
_SHORT_YEAR: Final = 100
_LAST_MONTH: Final = 12
_NOON: Final = 12
_LONGEST: Final = 60


class NotADay(ValueError):
    """What is written is no day of the calendar."""


class UnclearDay(NotADay):
    """What is written can be two days, and nobody has said whether the day or the month comes first."""


@dataclass(frozen=True, slots=True)
class _Numbers:
    """A day whose order is not said by how it is written; with a short year, not even where the year is."""

    first: int
    second: int
    third: int

    @property
    def has_short_year(self) -> bool:
        """Whether the year has two digits."""
        return self.third < _SHORT_YEAR


def parse_day(text: str, order: str) -> date:
    """The day, as it is written; a time behind it is left out. Raises as :func:`parse_moment`."""
    moment = parse_moment(text, order)
    return moment.date() if isinstance(moment, datetime) else moment


def parse_moment(text: str, order: str) -> date | datetime:
    """The day, or the moment where a time is written; it has an offset where one is written, otherwise none.

    Years first in any form, 3 April 2026, 2026年4月3日, 民國115年4月3日, 115/04/03, a spreadsheet's number such as
    46115, and by ``order`` (``day``, ``month``, ``year`` for years of two digits, or ``""`` when nobody knows)
    03/04/2026. Raises NotADay, UnclearDay.
    """
    return _parse(text, order)


@lru_cache(maxsize=16384)
def _parse(text: str, order: str) -> date | datetime:
    plain = _plain(text)
    if numbered := _NUMBERED.fullmatch(plain):
        return _by_number(numbered["days"], numbered["part"])
    split = _SPLIT.fullmatch(plain)
    day = _day(split["day"].strip() if split else plain, order)
    return _at(day, split["time"]) if split else day


def _by_number(days: str, part: str | None) -> date | datetime:
    day = FIRST_DAY_OF_SPREADSHEETS + timedelta(days=int(days))
    return day + timedelta(seconds=round(float(f"0.{part}") * _SECONDS_OF_A_DAY)) if part else day.date()


def _plain(text: str) -> str:
    if len(text) > _LONGEST:
        raise NotADay(text)
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).strip().lower()


def _day(text: str, order: str) -> date:
    numbers = _numbers(text)
    if isinstance(numbers, date):
        return numbers
    first, second, third = numbers.first, numbers.second, numbers.third
    if numbers.has_short_year:
        if not order:
            raise UnclearDay(text)
        if order == YEAR_FIRST:
            return _date(_CENTURY + first, second, third)
        third += _CENTURY
    if order == MONTH_FIRST:
        return _date(third, first, second)
    if order == DAY_FIRST or first == second:
        return _date(third, second, first)
    if max(first, second) <= _LAST_MONTH:
        raise UnclearDay(text)
    return _date(third, min(first, second), max(first, second))


def _numbers(text: str) -> date | _Numbers:
    """The day where its form says the order, otherwise its numbers as they stand."""
    found = _YEAR_FIRST.fullmatch(text) or _TOGETHER.fullmatch(text)
    if found:
        return _date(int(found["year"]), int(found["month"]), int(found["day"]))
    found = _YEAR_LAST.fullmatch(text)
    if found:
        return _Numbers(int(found["first"]), int(found["second"]), int(found["third"]))
    found = _MINGUO.fullmatch(text)
    if found:
        return _date(int(found["year"]) + _MINGUO_YEARS, int(found["month"]), int(found["day"]))
    found = _CHINESE.fullmatch(text)
    if found:
        year = int(found["year"])
        is_minguo = found["minguo"] or _SHORT_YEAR <= year < _SHORT_YEAR * 2
        return _date(year + _MINGUO_YEARS if is_minguo else year, int(found["month"]), int(found["day"]))
    found = _DAY_NAMED.fullmatch(text) or _MONTH_NAMED.fullmatch(text)
    if found and found["name"][:3] in _MONTHS:
        return _date(int(found["year"]), _MONTHS.index(found["name"][:3]) + 1, int(found["day"]))
    raise NotADay(text)


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise NotADay(f"{year}-{month}-{day}") from None


def _at(day: date, text: str) -> datetime:
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise NotADay(text)
    half = (found["half"] or found["behind"] or "").replace(".", "")
    hour, second = int(found["hour"]), int(found["second"] or 0)
    if half:
        if not 1 <= hour <= _NOON:
            raise NotADay(text)
        hour = hour % _NOON + (_NOON if half in {"下午", "pm"} else 0)
    try:
        return datetime.combine(day, time(hour, int(found["minute"]), second), _zone(found["zone"]))
    except ValueError:
        raise NotADay(text) from None


def _zone(text: str | None) -> timezone | None:
    if not text:
        return None
    if text.isalpha():
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text.startswith("-") else offset)


def guess_day_order(values: Iterable[tuple[int, str]]) -> Guess:
    """Whether the day or the month comes first in all of these days, by those above 12; each comes with its row.

    Asked when every day that has neither the year first nor a month's name could be read both ways, when rows
    contradict one another, and for years of two digits: 26/04/03 can be three days. What a spreadsheet's number comes
    to is said, for people to see.
    """
    proofs: dict[str, tuple[int, str]] = {}
    unclear: tuple[int, str] | None = None
    numbered: tuple[int, str] | None = None
    orders: tuple[str, ...] = (DAY_FIRST, MONTH_FIRST)
    for row, text in values:
        numbers = _written(text)
        if numbers is None:
            numbered = numbered or ((row, text) if _NUMBERED.fullmatch(text.strip()) else None)
            continue
        if numbers.has_short_year:
            unclear, orders = unclear or (row, text), (DAY_FIRST, MONTH_FIRST, YEAR_FIRST)
        elif order := _proved(numbers):
            proofs.setdefault(order, (row, text))
        elif numbers.first != numbers.second:
            unclear = unclear or (row, text)
    if len(proofs) == 1 and YEAR_FIRST not in orders:
        order, (row, text) = next(iter(proofs.items()))
        words = {
            DAY_FIRST: _("Row %(row)s has “%(text)s”: the day comes first."),
            MONTH_FIRST: _("Row %(row)s has “%(text)s”: the month comes first."),
        }
        return Guess(order, words[order] % {"row": row, "text": text})
    if len(proofs) > 1:
        (row, text), (other_row, other) = proofs[DAY_FIRST], proofs[MONTH_FIRST]
        words_of_both = _(
            "Row %(row)s has “%(text)s”, but row %(other_row)s has “%(other)s”. What does not fit is left out."
        )
        said = {"row": row, "text": text, "other_row": other_row, "other": other}
        return Guess("", words_of_both % said, certain=False, choices=orders)
    if unclear:
        why = _("“%(text)s” in row %(row)s can be read in two ways, and no other row says more.")
        return Guess("", why % {"row": unclear[0], "text": unclear[1]}, certain=False, choices=orders)
    if numbered:
        why = _("“%(text)s” in row %(row)s is a spreadsheet's number for a day, read as %(day)s.")
        row, text = numbered
        return Guess("", why % {"row": row, "text": text, "day": parse_day(text, "").isoformat()})
    return Guess("", _("No day in the file leaves open which number is the month."))


def _proved(numbers: _Numbers) -> str:
    """Which comes first, when only one of the two numbers can be a month."""
    first, second = numbers.first, numbers.second
    if min(first, second) > _LAST_MONTH or max(first, second) <= _LAST_MONTH:
        return ""
    return DAY_FIRST if first > _LAST_MONTH else MONTH_FIRST


def _written(text: str) -> _Numbers | None:
    try:
        plain = _plain(text)
        split = _SPLIT.fullmatch(plain)
        numbers = _numbers(split["day"].strip() if split else plain)
    except NotADay:
        return None
    return numbers if isinstance(numbers, _Numbers) else None
