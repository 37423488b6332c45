"""The page *Expiry and extension*: how long points live, and how far expired value may be extended (L7, M3)."""

from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.utils.translation import get_language, gettext_lazy, gettext_noop
from django.utils.translation import gettext as _

from loyalty.backoffice.settings.cards import CardForm, CardKind, Option, OptionField
from loyalty.backoffice.settings.pages import SettingsPage
from loyalty.core.days import local_day
from loyalty.core.locales import locale_of
from loyalty.languages.own_names import own_words
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.dates import show_day_in_words
from loyalty.stores.models import Store
from points.expiry_scheme import scheme_last_day


def _months() -> list[tuple[int, str]]:
    """The months by their names in the language of who reads."""
    names = locale_of(get_language() or "").months["stand-alone"]["wide"]
    return [(number, str(names[number])) for number in range(1, 13)]


SCHEMES: Final = (
    Option("never", gettext_noop("Never"), gettext_noop("Points stay until they are used.")),
    Option(
        "days", gettext_noop("After a number of days"), gettext_noop("Counted from the day on which they were given.")
    ),
    Option(
        "yearly",
        gettext_noop("On a date of the next year"),
        gettext_noop("All points of one year expire together, at the end of that day."),
    ),
)


class ExtendForm(CardForm):
    """How far expired value may be extended on the cancel form (M3)."""

    default_days = forms.IntegerField(
        label=gettext_lazy("Days that the form suggests"),
        help_text=gettext_lazy("Counted from the day of the return. Staff can choose another number or a date."),
    )
    max_days = forms.IntegerField(
        label=gettext_lazy("Days at most"),
        help_text=gettext_lazy("Nobody can extend further than this, neither here nor through the REST API."),
    )
    paths = {"default_days": ("extend", "default_days"), "max_days": ("extend", "max_days")}
    change_labels = {
        "default_days": gettext_noop("Extension: days that the form suggests"),
        "max_days": gettext_noop("Extension: days at most"),
    }


class PointsExpiryForm(CardForm):
    """When points expire that are given without an expiry of their own (L7)."""

    scheme = OptionField(gettext_noop("Points expire"), SCHEMES)
    days = forms.IntegerField(
        label=gettext_lazy("Number of days"),
        help_text=gettext_lazy("Used with “After a number of days”."),
    )
    month = forms.TypedChoiceField(
        label=gettext_lazy("Month"),
        choices=_months,
        coerce=int,
        help_text=gettext_lazy("Used with “On a date of the next year”."),
    )
    day = forms.IntegerField(
        label=gettext_lazy("Day of the month"),
        help_text=gettext_lazy(
            "Used with “On a date of the next year”. In years without a 29 February it is the 28th."
        ),
    )
    paths = {
        "scheme": ("points_expiry", "scheme"),
        "days": ("points_expiry", "days"),
        "month": ("points_expiry", "month"),
        "day": ("points_expiry", "day"),
    }
    change_labels = {
        "days": gettext_noop("Points expire: number of days"),
        "month": gettext_noop("Points expire: month"),
        "day": gettext_noop("Points expire: day of the month"),
    }

    def words(self, name: str, value: Any) -> tuple[str, str]:
        """A month by its name."""
        shown, meaning = super().words(name, value)
        return (dict(_months())[value] if name == "month" else shown), meaning


def extended_words(store: Store, settings: StoreSettings, now: datetime) -> str:
    """Until when value would be usable that is extended today, in one sentence."""
    today = local_day(now, store.tz)
    usual, last = (
        show_day_in_words(today + timedelta(days=days), store)
        for days in (settings.extend.default_days, settings.extend.max_days)
    )
    return _("Expired value that is extended today could be used until %(usual)s, and until %(last)s at most.") % {
        "usual": usual,
        "last": last,
    }


def given_today_words(store: Store, settings: StoreSettings, now: datetime) -> str:
    """When points would expire that are given today, in one sentence."""
    last = scheme_last_day(settings.points_expiry, awarded=local_day(now, store.tz))
    if last is None:
        return own_words("Points given today would never expire. Points that customers have keep their expiry.")
    until = show_day_in_words(last, store)
    return own_words(
        "Points given today would expire at the end of %(until)s. Points that customers have keep their expiry."
    ) % {"until": until}


EXPIRY: Final = SettingsPage(
    "expiry",
    gettext_noop("Expiry and extension"),
    cards=(
        CardKind("points", gettext_noop("Expiry of member points"), PointsExpiryForm, given_today_words),
        CardKind("extend", gettext_noop("Extending expired value"), ExtendForm, extended_words),
    ),
    intro=gettext_noop(
        "Store credits get their expiry when they are given: a date, or none. What is said here counts for what is "
        "given from now on; no lot changes its expiry."
    ),
)
