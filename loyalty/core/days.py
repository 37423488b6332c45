"""When value expires: local days, half-open instants (L2, L7). Pure."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from loyalty.core.errors import Invalid
from loyalty.core.instants import furthest

_SECOND = timedelta(seconds=1)


def end_of_day(last_day: date, tz: ZoneInfo) -> datetime:
    """The first instant after ``last_day`` in ``tz``: value usable through that day expires then (L2).

    It is the next local midnight, or, where a clock change skips midnight (or a whole day), the change itself.
    """
    midnight = datetime.combine(last_day + timedelta(days=1), time.min, tz)
    utc = ZoneInfo("UTC")
    instant = midnight.astimezone(utc)
    if instant.astimezone(tz).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return instant
    # Midnight does not exist that night: the clock jumps over it somewhere between the two readings of it.
    early, late = midnight.replace(fold=1).astimezone(utc), instant
    while late - early > _SECOND:
        middle = early + (late - early) // 2
        early, late = (early, middle) if middle.astimezone(tz).date() > last_day else (middle, late)
    return late.replace(microsecond=0)


def last_day_of_use(expires_at: datetime | None, tz: ZoneInfo) -> date | None:
    """The last local day on which value with this expiry can be used; None for never."""
    if expires_at is None:
        return None
    return (expires_at - timedelta(microseconds=1)).astimezone(tz).date()


def local_day(now: datetime, tz: ZoneInfo) -> date:
    """The day it is in the store."""
    return now.astimezone(tz).date()


def check_last_day(last_day: date, *, now: datetime, tz: ZoneInfo) -> date:
    """The day, when value can be given until then.

    Raises Invalid at ``/expires_on`` for a day before today and for one that is more than ten years ahead (L8).
    """
    if last_day < local_day(now, tz):
        raise Invalid.at("/expires_on", _("The last day of use is before today."), code="in-the-past")
    if last_day > furthest(now).date():
        raise Invalid.at("/expires_on", _("The day is more than ten years ahead."), code="too-far")
    return last_day


def is_expired(expires_at: datetime | None, now: datetime) -> bool:
    """Whether value with this expiry can no longer be used at ``now``."""
    return expires_at is not None and expires_at <= now
