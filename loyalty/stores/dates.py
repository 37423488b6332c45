"""Dates and moments as the store's people read them: in its time zone and locale (T4)."""

from datetime import date, datetime

from babel.dates import format_date, format_skeleton, format_time, get_datetime_format
from django.db.models import TextChoices
from django.utils.translation import gettext as _

from loyalty.core.days import last_day_of_use
from loyalty.core.locales import locale_of
from loyalty.stores.models import Store


def label_of(choices: type[TextChoices], value: str | None) -> str:
    """What people call one of the choices; what is none of them is shown as it was stored (L8). Empty for none.

    Where there are many rows this and not Django's ``get_…_display``, which translates every choice to find one.
    """
    return str(choices(value).label) if value in choices.values else value or ""


def show_moment(moment: datetime | None, store: Store) -> str:
    """A moment to the minute, such as ``5 Jan 2026, 14:03``; empty for none."""
    if moment is None:
        return ""
    locale = locale_of(store.written_in)
    day = format_date(moment.astimezone(store.tz), "medium", locale=locale)
    time = format_time(moment, "short", tzinfo=store.tz, locale=locale)
    return str(get_datetime_format("medium", locale=locale)).replace("'", "").format(time, day)


def show_day(day: date | None, store: Store) -> str:
    """A day, such as ``5 Jan 2026``; empty for none."""
    return format_date(day, "medium", locale=locale_of(store.written_in)) if day else ""


def show_day_in_words(day: date | None, store: Store) -> str:
    """A day as letters write it, such as ``5 January 2026``; empty for none."""
    return format_date(day, "long", locale=locale_of(store.written_in)) if day else ""


def show_month(day: date, store: Store) -> str:
    """The month of a day, such as ``Jan 2026``."""
    return format_skeleton("yMMM", day, locale=locale_of(store.written_in))


def show_last_day(expires_at: datetime | None, store: Store) -> str:
    """The last day on which value can be used, or ``never expires`` (L2)."""
    return show_day(last_day_of_use(expires_at, store.tz), store) or _("never expires")
