"""Reading instants and days whatever was stored, so that no row stops a page (L8).

PostgreSQL stores ``infinity`` and years that Python does not have. Python has the years 1 to 9999, and fails when a
time zone, a second more or a day less leads out of them. So what lies beyond is read as the last that Python has, and
an instant of the first or the last year stops at the end of time where others go on. What comes in from outside is held
to a narrower range (:mod:`loyalty.core.instants`); this is for what got in before, or past us.

A list of fifty orders reads two hundred instants. What PostgreSQL writes in UTC, Python reads as ISO 8601 in a tenth of
the time that the driver takes for any zone and style; only what is not so goes the driver's way.
"""

from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final, Self

from psycopg import DataError, postgres
from psycopg.pq import Format
from psycopg.types.datetime import DateLoader, TimestamptzLoader

_INSTANT: Final = postgres.types["timestamptz"].oid
_DAY: Final = postgres.types["date"].oid
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)
# As PostgreSQL writes them: before the year 1, or before everything.
_BEFORE: Final = (b"-infinity", b"BC")


class EdgeInstant(datetime):
    """An instant in the first or the last year that there is: nothing leads out of time, it stops there."""

    @classmethod
    def of(cls, instant: datetime) -> Self:
        """The same instant."""
        return cls.combine(instant.date(), instant.timetz())

    def astimezone(self, tz: tzinfo | None = None) -> Self:
        """As every instant; where the zone's clock has no such year, the first or the last moment it has."""
        try:
            return super().astimezone(tz)
        except OverflowError:
            return self._end(tz)

    def __add__(self, other: timedelta) -> Self:
        """As every instant, within time."""
        try:
            return super().__add__(other)
        except OverflowError:
            return self._end(self.tzinfo)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        """As every instant, within time."""
        return self + -other if isinstance(other, timedelta) else super().__sub__(other)

    def _end(self, tz: tzinfo | None) -> Self:
        """The end that it is near, as a clock in ``tz`` shows it."""
        return self.of((_FIRST if self.year == MINYEAR else _LAST).replace(tzinfo=tz))


def read_whatever_is_stored(connection: Any, **_signal: Any) -> None:
    """Have a new connection of Django's read instants and days as this module says."""
    adapters = connection.connection.adapters
    # Django's own knows the connection's time zone, and goes on deciding what an instant is.
    usual = adapters.get_loader(_INSTANT, Format.TEXT)
    adapters.register_loader("timestamptz", type("InstantLoader", (_InstantLoader, usual), {}))
    adapters.register_loader("date", _DayLoader)


class _InstantLoader(TimestamptzLoader):
    # Of Django's loader, which this one stands before.
    timezone: tzinfo | None

    def load(self, data: Any) -> datetime:
        try:
            instant = datetime.fromisoformat(bytes(data).decode())
        except ValueError:
            return self._any(data)
        if instant.tzinfo is UTC is self.timezone and MINYEAR < instant.year < MAXYEAR:
            return instant
        return self._any(data)

    def _any(self, data: Any) -> datetime:
        try:
            instant = super().load(data)
        except DataError:
            instant = _FIRST if _is_before(data) else _LAST
        return instant if MINYEAR < instant.year < MAXYEAR else EdgeInstant.of(instant)


class _DayLoader(DateLoader):
    def load(self, data: Any) -> date:
        try:
            return date.fromisoformat(bytes(data).decode())
        except ValueError:
            return self._any(data)

    def _any(self, data: Any) -> date:
        try:
            return super().load(data)
        except DataError:
            return date.min if _is_before(data) else date.max


def _is_before(data: Any) -> bool:
    text = bytes(data)
    return text.startswith(_BEFORE[0]) or text.endswith(_BEFORE[1])
