"""Local days become half-open instants, whatever the clocks do that night (L2)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.days import end_of_day, is_expired, last_day_of_use, local_day

MICROSECOND = timedelta(microseconds=1)
BERLIN = ZoneInfo("Europe/Berlin")

# Zones that skip midnight, repeat it, sit far from UTC, skip a whole day, or have odd offsets.
ZONES = [
    "UTC",
    "Asia/Taipei",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Asia/Beirut",
    "America/Havana",
    "America/Asuncion",
    "Asia/Amman",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Apia",
    "America/St_Johns",
]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 3, 28), datetime(2026, 3, 28, 23, tzinfo=UTC)),
        (date(2026, 3, 29), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        (date(2026, 3, 30), datetime(2026, 3, 30, 22, tzinfo=UTC)),
        (date(2026, 10, 24), datetime(2026, 10, 24, 22, tzinfo=UTC)),
        (date(2026, 10, 25), datetime(2026, 10, 25, 23, tzinfo=UTC)),
    ],
)
def test_x11_the_day_ends_at_midnight_of_berlin_when_the_clock_springs_and_when_it_falls(
    day: date, expected: datetime
) -> None:
    assert end_of_day(day, BERLIN) == expected


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 3, 30), date(2026, 10, 25)])
def test_x11_usable_to_the_last_microsecond_of_the_local_day_and_not_one_later(day: date) -> None:
    expires_at = end_of_day(day, BERLIN)
    last = datetime(day.year, day.month, day.day, 23, 59, 59, 999999, BERLIN).astimezone(UTC)
    assert not is_expired(expires_at, last)
    assert is_expired(expires_at, last + MICROSECOND)


def test_l2_value_that_never_expires() -> None:
    assert not is_expired(None, datetime.max.replace(tzinfo=UTC))
    assert last_day_of_use(None, BERLIN) is None


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        # The clock goes from 23:59:59 to 01:00: the next day begins at one o'clock.
        ("America/Sao_Paulo", date(2017, 10, 14), datetime(2017, 10, 15, 3, tzinfo=UTC)),
        ("Africa/Cairo", date(2023, 4, 27), datetime(2023, 4, 27, 22, tzinfo=UTC)),
        ("Asia/Beirut", date(2022, 3, 26), datetime(2022, 3, 26, 22, tzinfo=UTC)),
        ("America/Havana", date(2026, 3, 7), datetime(2026, 3, 8, 5, tzinfo=UTC)),
        # The clock goes back over midnight: the hour before it comes twice, and the day ends after the second.
        ("America/Sao_Paulo", date(2018, 2, 17), datetime(2018, 2, 18, 3, tzinfo=UTC)),
        ("Asia/Beirut", date(2022, 10, 29), datetime(2022, 10, 29, 22, tzinfo=UTC)),
        # The hour after midnight comes twice: the next day begins with the first.
        ("America/Havana", date(2026, 10, 31), datetime(2026, 11, 1, 4, tzinfo=UTC)),
    ],
)
def test_l2_midnight_skipped_or_repeated(zone: str, day: date, expected: datetime) -> None:
    assert end_of_day(day, ZoneInfo(zone)) == expected


def test_l2_apia_had_no_30_december_2011() -> None:
    apia = ZoneInfo("Pacific/Apia")
    jump = datetime(2011, 12, 30, 10, tzinfo=UTC)
    assert end_of_day(date(2011, 12, 29), apia) == jump
    assert end_of_day(date(2011, 12, 30), apia) == jump
    assert last_day_of_use(jump, apia) == date(2011, 12, 29)
    assert end_of_day(date(2011, 12, 31), apia) == jump + timedelta(days=1)


DAYS = st.dates(date(1995, 1, 1), date(2040, 12, 31))
APIA_SKIPS = ("Pacific/Apia", date(2011, 12, 30))


@given(zone=st.sampled_from(ZONES), day=DAYS)
def test_l2_the_last_microsecond_is_of_that_day_and_the_instant_of_a_later_one(zone: str, day: date) -> None:
    tz = ZoneInfo(zone)
    instant = end_of_day(day, tz)
    assert (instant - MICROSECOND).astimezone(tz).date() <= day
    assert instant.astimezone(tz).date() > day
    if (zone, day) != APIA_SKIPS:
        assert last_day_of_use(instant, tz) == day


@given(zone=st.sampled_from(ZONES), day=DAYS)
def test_l2_later_days_end_later(zone: str, day: date) -> None:
    tz, following = ZoneInfo(zone), day + timedelta(days=1)
    assert end_of_day(day, tz) < end_of_day(following, tz) or (zone, following) == APIA_SKIPS


SINCE_1995 = st.integers(0, 45 * 365 * 86400)


@given(zone=st.sampled_from(ZONES), seconds=SINCE_1995)
def test_l2_value_until_today_is_usable_now(zone: str, seconds: int) -> None:
    now = datetime(1995, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    tz = ZoneInfo(zone)
    if zone != "America/St_Johns":  # until 2011 its clock went back from 00:01, so that a minute of tomorrow came early
        assert not is_expired(end_of_day(local_day(now, tz), tz), now)
