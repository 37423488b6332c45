"""The page *Limits*: how far support staff may adjust balances, and how long a return can be undone (L6, T2, M11)."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django import forms

from loyalty.backoffice.badges import count_to, count_words
from loyalty.backoffice.settings.cards import CardForm, CardKind
from loyalty.backoffice.settings.pages import SettingsPage
from loyalty.core.money import amount_text, format_amount
from loyalty.core.values import MAX_DIGITS
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Membership, Role, Store
from orders.models import Revert

_COUNTED_TO: Final = 999
_A_DAY: Final = "that each support person may give and remove in a day"


class AdjustLimitForm(CardForm):
    """How far support staff may adjust (L6, T2)."""

    support_adjust_credits = forms.DecimalField(
        label=f"Store credits {_A_DAY}",
        required=False,
        min_value=Decimal(0),
        max_digits=MAX_DIGITS,
        help_text="Leave empty if support staff may not adjust store credits at all.",
    )
    support_adjust_points = forms.IntegerField(
        label=f"Member points {_A_DAY}",
        help_text="Leave empty if support staff may not adjust member points at all.",
    )
    paths = {
        "support_adjust_credits": ("limits", "support_adjust_credits"),
        "support_adjust_points": ("limits", "support_adjust_points"),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit, currency = self.initial["support_adjust_credits"], self.store.currency
        self.initial["support_adjust_credits"] = None if limit is None else amount_text(limit, currency)
        self.fields["support_adjust_credits"].label = f"Store credits in {currency} {_A_DAY}"

    def words(self, name: str, value: Any) -> tuple[str, str]:
        """An amount with its currency; nothing is *not at all*."""
        if value is None:
            return "not at all", ""
        if name == "support_adjust_credits":
            return format_amount(value, self.store.currency, self.store.written_in), ""
        return f"{value} points", ""


class UndoForm(CardForm):
    """How long a return can be undone (M11)."""

    undo_hours = forms.IntegerField(
        label="Hours in which a return can be undone",
        help_text="As long as the customer has not spent what came back, and it has not expired. 0: never.",
    )
    paths = {"undo_hours": ("limits", "undo_hours")}


def support_words(store: Store, settings: StoreSettings, now: datetime) -> str:
    """How many people the limits are about, in one sentence."""
    people = Membership.objects.filter(store=store, role=Role.SUPPORT).count()
    if not people:
        return "This store has no Support staff. Owners and managers have no limit."
    who = "1 person works" if people == 1 else f"{people} people work"
    return f"{who} here as support. Owners and managers have no limit."


def undo_words(store: Store, settings: StoreSettings, now: datetime) -> str:
    """How many returns fall within the period now, in one sentence."""
    hours = settings.limits.undo_hours
    if not hours:
        return "No return can be undone."
    since = now - timedelta(hours=hours)
    recent = Revert.objects.for_store(store).filter(created_at__gt=since)
    count = count_to(_COUNTED_TO, recent)
    when = show_moment(since, store)
    if not count:
        return f"Nothing was returned since {when}, so there is nothing to undo now."
    if count == 1:
        return f"1 return since {when} is within this period now."
    return f"{count_words(count, _COUNTED_TO)} returns since {when} are within this period now."


LIMITS: Final = SettingsPage(
    "limits",
    "Limits",
    cards=(
        CardKind("adjust", "What support staff may give or remove", AdjustLimitForm, support_words),
        CardKind("undo", "Undoing a return", UndoForm, undo_words),
    ),
)
