"""Which instants and days are accepted from outside, wherever they come in (L8). Pure."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
YEARS_AHEAD: Final = 10
# An order is not placed later than its shop's clock, which may be wrong or in another time zone.
PLACED_AHEAD: Final = timedelta(days=1)


class OutOfRange(ValueError):
    """An instant or a day that nobody means; ``str(error)`` is a sentence with what is accepted."""


def furthest(now: datetime) -> datetime:
    """The latest instant that is accepted: ten years after ``now``."""
    year = now.year + YEARS_AHEAD
    try:
        return now.replace(year=year)
    except ValueError:  # 29 February
        return now.replace(year=year, day=28)


def check_instant(instant: datetime, *, now: datetime, ahead: timedelta | None = None) -> datetime:
    """The instant, when it lies between the year 2000 and ten years after ``now``, or ``ahead`` of it.

    Raises OutOfRange.
    """
    latest = furthest(now) if ahead is None else now + ahead
    if not EARLIEST <= instant <= latest:
        raise OutOfRange(
            _("Moments from %(earliest)s to %(latest)s are accepted.")
            % {"earliest": f"{EARLIEST:%Y-%m-%d}", "latest": f"{latest:%Y-%m-%dT%H:%M:%SZ}"}
        )
    return instant


def check_day(day: date, *, now: datetime) -> date:
    """The day, when it lies between the year 2000 and ten years after ``now``. Raises OutOfRange."""
    if not EARLIEST.date() <= day <= furthest(now).date():
        raise OutOfRange(
            _("Days from %(earliest)s to %(furthest)s are accepted.")
            % {"earliest": f"{EARLIEST:%Y-%m-%d}", "furthest": f"{furthest(now):%Y-%m-%d}"}
        )
    return day
