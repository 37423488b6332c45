"""The page *Earned points*: what orders earn, and what happens to it when they fall through (C1)."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django import forms

from loyalty.backoffice.setting_cards import CardForm, CardKind, Option, OptionField
from loyalty.backoffice.setting_pages import SettingsPage
from loyalty.money import format_money
from loyalty.stores.models import Store
from loyalty.stores.preferences import StoreSettings

_EXAMPLE: Final = 100


class EarningForm(CardForm):
    """What an order earns, and when (C1)."""

    points_per_unit = forms.DecimalField(
        label="Points for each unit of the order's total",
        required=False,
        min_value=Decimal("0.0001"),
        max_digits=10,
        decimal_places=4,
        help_text="Leave empty if orders earn nothing by themselves. 0.1 means one point for every ten.",
    )
    on_status = OptionField(
        "Awarded once the order is",
        (
            Option("paid", "Paid", "as soon as its payment arrives"),
            Option("confirmed", "Confirmed", "or completed"),
            Option("completed", "Completed", "when nothing is left to be done"),
        ),
    )
    paths = {"points_per_unit": ("earning", "points_per_unit"), "on_status": ("earning", "on_status")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["points_per_unit"].label = f"Points for each {self.store.currency} of the order's total"

    def words(self, name: str, value: Any) -> tuple[str, str]:
        """A rate as it is written; none is *nothing*."""
        if name != "points_per_unit":
            return super().words(name, value)
        return "nothing" if value is None else f"{value.normalize():f} points", ""


def earning_words(store: Store, settings: StoreSettings, now: datetime) -> str:
    """What an order earns, by an example."""
    rate = settings.earning.points_per_unit
    if rate is None:
        return "Orders earn no points by themselves now."
    total = format_money(Decimal(_EXAMPLE), store.currency, store.locale)
    return f"An order of {total} earns {int(rate * _EXAMPLE)} points, once. Orders that came before are left alone."


class ClawBackForm(CardForm):
    """Whether earned points are taken back (C1)."""

    claw_back = forms.BooleanField(
        label="Take earned points back when the order is cancelled or refunded",
        required=False,
        help_text="As many points as were given then, whatever is given for such an order today; after a partial "
        "refund in proportion.",
    )
    allow_negative = forms.BooleanField(
        label="Keep what is missing as a debt",
        required=False,
        help_text="When the customer has spent them already, what is missing is settled by the points given next. "
        "Off: nobody's balance goes below zero.",
    )
    carry_shortfall = forms.BooleanField(
        label="Count what is missing against what the customer earns next",
        required=False,
        help_text="Without a debt: the next orders' points settle it first, and nothing else does. Off: it is dropped, "
        "and somebody who earns, spends and cancels in turn keeps points without a purchase.",
    )
    paths = {name: ("earned_points", name) for name in ("claw_back", "allow_negative", "carry_shortfall")}


EARNED: Final = SettingsPage(
    "earned",
    "Earned points",
    cards=(
        CardKind("earning", "What orders earn", EarningForm, earning_words),
        CardKind("claw_back", "Points of orders that fall through", ClawBackForm),
    ),
)
