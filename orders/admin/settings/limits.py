"""The page *Limits*: how far support staff may adjust balances, and how long a return can be undone (L6, T2, M11)."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from loyalty.backoffice.badges import count_to, count_words
from loyalty.backoffice.settings.cards import CardForm, CardKind
from loyalty.backoffice.settings.pages import SettingsPage
from loyalty.core.money import amount_text
from loyalty.core.values import MAX_DIGITS
from loyalty.languages.own_names import own_words, own_words_lazy
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Membership, Role, Store
from orders.kinds import show
from orders.models import Revert

_COUNTED_TO: Final = 999


class AdjustLimitForm(CardForm):
    """How far support staff may adjust (L6, T2)."""

    support_adjust_credits = forms.DecimalField(
        label=own_words_lazy("Store credits that each support person may give and remove in a day"),
        required=False,
        min_value=Decimal(0),
        max_digits=MAX_DIGITS,
        help_text=own_words_lazy("Leave empty if support staff may not adjust store credits at all."),
    )
    support_adjust_points = forms.IntegerField(
        label=own_words_lazy("Member points that each support person may give and remove in a day"),
        help_text=own_words_lazy("Leave empty if support staff may not adjust member points at all."),
    )
    paths = {
        "support_adjust_credits": ("limits", "support_adjust_credits"),
        "support_adjust_points": ("limits", "support_adjust_points"),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit, currency = self.initial["support_adjust_credits"], self.store.currency
        self.initial["support_adjust_credits"] = None if limit is None else amount_text(limit, currency)
        words = own_words("Store credits in %(currency)s that each support person may give and remove in a day")
        self.fields["support_adjust_credits"].label = words % {"currency": currency}

    def words(self, name: str, value: Any) -> tuple[str, str]:
        """An amount with its currency; nothing is *not at all*."""
        if value is None:
            return _("not at all"), ""
        if name == "support_adjust_credits":
            return show(value, self.store.currency, self.store), ""
        return show(value, "", self.store), ""


class UndoForm(CardForm):
    """How long a return can be undone (M11)."""

    undo_hours = forms.IntegerField(
        label=gettext_lazy("Hours in which a return can be undone"),
        help_text=gettext_lazy(
            "As long as the customer has not spent what came back, and it has not expired. 0: never."
        ),
    )
    paths = {"undo_hours": ("limits", "undo_hours")}


def support_words(store: Store, settings: StoreSettings, now: datetime) -> str:
    """How many people the limits are about, in one sentence."""
    people = Membership.objects.filter(store=store, role=Role.SUPPORT).count()
    if not people:
        return _("This store has no Support staff. Owners and managers have no limit.")
    words = ngettext(
        "%(people)s person works here as support. Owners and managers have no limit.",
        "%(people)s people work here as support. Owners and managers have no limit.",
        people,
    )
    return words % {"people": people}


def undo_words(store: Store, settings: StoreSettings, now: datetime) -> str:
    """How many returns fall within the period now, in one sentence."""
    hours = settings.limits.undo_hours
    if not hours:
        return _("No return can be undone.")
    since = now - timedelta(hours=hours)
    recent = Revert.objects.for_store(store).filter(created_at__gt=since)
    count = count_to(_COUNTED_TO, recent)
    when = show_moment(since, store)
    if not count:
        return _("Nothing was returned since %(when)s, so there is nothing to undo now.") % {"when": when}
    words = ngettext(
        "%(count)s return since %(when)s is within this period now.",
        "%(count)s returns since %(when)s are within this period now.",
        count,
    )
    return words % {"count": count_words(count, _COUNTED_TO), "when": when}


LIMITS: Final = SettingsPage(
    "limits",
    gettext_noop("Limits"),
    cards=(
        CardKind("adjust", gettext_noop("What support staff may give or remove"), AdjustLimitForm, support_words),
        CardKind("undo", gettext_noop("Undoing a return"), UndoForm, undo_words),
    ),
)
