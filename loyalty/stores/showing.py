"""Dates and moments as the store's people read them: in its time zone and locale (T4)."""

from datetime import date, datetime
from functools import lru_cache

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time

from loyalty.ledger.expiry import last_day_of_use
from loyalty.stores.models import Store


def show_moment(moment: datetime | None, store: Store) -> str:
    """A moment to the minute, such as ``5 Jan 2026, 14:03``; empty for none."""
    if moment is None:
        return ""
    locale = _locale(store.locale)
    day = format_date(moment.astimezone(store.tz), "medium", locale=locale)
    return f"{day}, {format_time(moment, 'short', tzinfo=store.tz, locale=locale)}"


def show_day(day: date | None, store: Store) -> str:
    """A day, such as ``5 Jan 2026``; empty for none."""
    return format_date(day, "medium", locale=_locale(store.locale)) if day else ""


def show_day_in_words(day: date | None, store: Store) -> str:
    """A day as letters write it, such as ``5 January 2026``; empty for none."""
    return format_date(day, "long", locale=_locale(store.locale)) if day else ""


def show_month(day: date, store: Store) -> str:
    """The month of a day, such as ``Jan 2026``."""
    return format_skeleton("yMMM", day, locale=_locale(store.locale))


def show_last_day(expires_at: datetime | None, store: Store) -> str:
    """The last day on which value can be used, or ``never expires`` (L2)."""
    return show_day(last_day_of_use(expires_at, store.tz), store) or "never expires"


@lru_cache(maxsize=256)
def _locale(name: str) -> Locale:
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")
