"""The page *Expiry and extension*: how long points live, and how far expired value may be extended (L7, M3)."""

import calendar
from datetime import datetime, timedelta
from typing import Any, Final

from django import forms

from loyalty.backoffice.settings.cards import CardForm, CardKind, Option, OptionField
from loyalty.backoffice.settings.pages import SettingsPage
from loyalty.core.days import local_day
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.dates import show_day_in_words
from loyalty.stores.models import Store
from points.expiry_scheme import scheme_last_day

_MONTHS: Final = tuple((number, calendar.month_name[number]) for number in range(1, 13))
SCHEMES: Final = (
    Option("never", "Never", "Points stay until they are used."),
    Option("days", "After a number of days", "Counted from the day on which they were given."),
    Option("yearly", "On a date of the next year", "All points of one year expire together, at the end of that day."),
)


class ExtendForm(CardForm):
    """How far expired value may be extended on the cancel form (M3)."""

    default_days = forms.IntegerField(
        label="Days that the form suggests",
        help_text="Counted from the day of the return. Staff can choose another number or a date.",
    )
    max_days = forms.IntegerField(
        label="Days at most",
        help_text="Nobody can extend further than this, neither here nor through the REST API.",
    )
    paths = {"default_days": ("extend", "default_days"), "max_days": ("extend", "max_days")}
    change_labels = {
        "default_days": "Extension: days that the form suggests",
        "max_days": "Extension: days at most",
    }


class PointsExpiryForm(CardForm):
    """When points expire that are given without an expiry of their own (L7)."""

    scheme = OptionField("Points expire", SCHEMES)
    days = forms.IntegerField(
        label="Number of days",
        help_text="Counts for “After a number of days”.",
    )
    month = forms.TypedChoiceField(
        label="Month", choices=_MONTHS, coerce=int, help_text="Counts for “On a date of the next year”."
    )
    day = forms.IntegerField(
        label="Day of the month",
        help_text="Counts for “On a date of the next year”. In years without a 29 February the 28th counts.",
    )
    paths = {
        "scheme": ("points_expiry", "scheme"),
        "days": ("points_expiry", "days"),
        "month": ("points_expiry", "month"),
        "day": ("points_expiry", "day"),
    }
    change_labels = {
        "days": "Points expire: number of days",
        "month": "Points expire: month",
        "day": "Points expire: day of the month",
    }

    def words(self, name: str, value: Any) -> tuple[str, str]:
        """A month by its name."""
        shown, meaning = super().words(name, value)
        return (calendar.month_name[value] if name == "month" else shown), meaning


def extended_words(store: Store, settings: StoreSettings, now: datetime) -> str:
    """Until when value would be usable that is extended today, in one sentence."""
    today = local_day(now, store.tz)
    usual, last = (
        show_day_in_words(today + timedelta(days=days), store)
        for days in (settings.extend.default_days, settings.extend.max_days)
    )
    return f"Expired value that is extended today could be used until {usual}, and until {last} at most."


def given_today_words(store: Store, settings: StoreSettings, now: datetime) -> str:
    """When points would expire that are given today, in one sentence."""
    last = scheme_last_day(settings.points_expiry, awarded=local_day(now, store.tz))
    if last is None:
        return "Points given today would never expire. Points that customers have keep their expiry."
    until = show_day_in_words(last, store)
    return f"Points given today would expire at the end of {until}. Points that customers have keep their expiry."


EXPIRY: Final = SettingsPage(
    "expiry",
    "Expiry and extension",
    cards=(
        CardKind("points", "Expiry of member points", PointsExpiryForm, given_today_words),
        CardKind("extend", "Extending expired value", ExtendForm, extended_words),
    ),
    intro="Store credits get their expiry when they are given: a date, or none. What is said here counts for what is "
    "given from now on; no lot changes its expiry.",
)
