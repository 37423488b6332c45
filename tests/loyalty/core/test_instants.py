"""L8: which instants and days come in."""

from datetime import UTC, date, datetime, timedelta

import pytest

from loyalty.core.instants import PLACED_AHEAD, OutOfRange, check_day, check_instant, furthest

NOW = datetime(2026, 1, 5, 3, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def test_l8_from_the_year_2000_to_ten_years_ahead() -> None:
    for instant in (datetime(2000, 1, 1, tzinfo=UTC), NOW, datetime(2036, 1, 5, 3, tzinfo=UTC)):
        assert check_instant(instant, now=NOW) == instant
    for instant in (datetime(2000, 1, 1, tzinfo=UTC) - TICK, datetime(2036, 1, 5, 3, tzinfo=UTC) + TICK):
        with pytest.raises(OutOfRange, match="from 2000-01-01 to 2036-01-05"):
            check_instant(instant, now=NOW)


def test_l8_an_order_is_placed_at_most_a_day_ahead() -> None:
    assert check_instant(NOW + PLACED_AHEAD, now=NOW, ahead=PLACED_AHEAD)
    with pytest.raises(OutOfRange, match="2026-01-06"):
        check_instant(NOW + PLACED_AHEAD + TICK, now=NOW, ahead=PLACED_AHEAD)


def test_l8_days_are_held_by_the_same_range() -> None:
    assert check_day(date(2000, 1, 1), now=NOW)
    assert check_day(date(2036, 1, 5), now=NOW)
    for day in (date(1999, 12, 31), date(2036, 1, 6), date.min, date.max):
        with pytest.raises(OutOfRange):
            check_day(day, now=NOW)


def test_l8_ten_years_after_a_leap_day() -> None:
    assert furthest(datetime(2028, 2, 29, tzinfo=UTC)) == datetime(2038, 2, 28, tzinfo=UTC)
