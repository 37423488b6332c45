"""L8: whatever instant or day is stored can be read, and shown in every time zone."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils.timezone import localtime

from loyalty.core.days import last_day_of_use, local_day
from loyalty.database.stored import EdgeInstant
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store

pytestmark = pytest.mark.django_db
FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
STORED = {
    "infinity": LAST,
    "-infinity": FIRST,
    "20000-01-01 00:00:00+00": LAST,
    "0044-03-15 12:00:00+00 BC": FIRST,
    "0001-01-01 00:00:00+00": FIRST,
    "9999-12-31 23:59:59.999999+00": LAST,
}
ZONES = [ZoneInfo(name) for name in ("UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Taipei", "America/New_York")]


def _read(expression: str, value: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{expression}", [value])
        return cursor.fetchone()[0]


@pytest.mark.parametrize(("text", "instant"), STORED.items())
def test_l8_an_instant_beyond_the_years_is_the_last_of_them(text: str, instant: datetime) -> None:
    assert _read("timestamptz", text) == instant
    assert _read("timestamptz[]", [text]) == [instant]


@pytest.mark.parametrize(("text", "day"), [("infinity", date.max), ("-infinity", date.min), ("20000-01-01", date.max)])
def test_l8_so_is_a_day(text: str, day: date) -> None:
    assert _read("date", text) == day


@pytest.mark.parametrize(
    "text", ["2026-01-05 11:00:00+08", "2026-01-05 03:00:00.5+00", "1901-02-03 04:05:06.000007+00"]
)
def test_an_ordinary_instant_is_an_ordinary_datetime(text: str) -> None:
    read = _read("timestamptz", text)
    assert type(read) is datetime
    assert (read, read.tzinfo) == (datetime.fromisoformat(text), UTC)


@pytest.mark.parametrize("style", ["ISO, DMY", "German", "SQL, DMY", "Postgres, MDY"])
def test_a_day_is_read_in_whatever_style_the_database_writes(style: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL datestyle TO %s", [style])
    assert _read("date", date(2026, 2, 1)) == date(2026, 2, 1)


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("text", STORED)
def test_l8_an_instant_at_the_end_of_time_is_shown_in_every_zone(text: str, zone: ZoneInfo) -> None:
    instant = _read("timestamptz", text)
    store = Store(time_zone=zone.key, locale="de")
    assert show_moment(instant, store)
    assert localtime(instant, zone)
    assert last_day_of_use(instant, zone)
    assert local_day(instant, zone).year in (1, 9999)
    assert _read("timestamptz", instant) == instant


def test_l8_nothing_leads_out_of_time() -> None:
    first, last, day = EdgeInstant.of(FIRST), EdgeInstant.of(LAST), timedelta(days=1)
    assert (last + day, first - day, day + last) == (LAST, FIRST, LAST)
    assert last - day == LAST - day
    assert first + day == FIRST + day
    assert (last - first, last - FIRST) == (LAST - FIRST, LAST - FIRST)
