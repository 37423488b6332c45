"""The page *Order settings*: automatic cancelling, in plain words (E1-E4, F1)."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

from django import forms
from django.utils.translation import ngettext

from loyalty.backoffice.badges import count_words
from loyalty.backoffice.settings.cards import CardForm, CardKind, Option, OptionField
from loyalty.backoffice.settings.pages import PageLink, SettingsPage
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.admin.settings.write_back import WRITE_BACK
from orders.services.automation.upcoming import (
    COUNTED_TO,
    Affected,
    would_cancel_expired,
    would_cancel_failed,
    would_cancel_overdue,
)

_EXPIRED: Final = "Auto cancel orders with expired payment status"
_FAILED: Final = "Auto cancel orders with failed payment status"
MODES: Final = (
    Option("off", "Off", "Nothing happens by itself. The order stays open and keeps what it used."),
    Option(
        "cancel",
        "Auto cancel only",
        "The order is cancelled. What it used is not returned: it shows Not Reverted and waits under Needs revert.",
    ),
    Option(
        "cancel_and_revert",
        "Auto cancel order and return credits & points with original expiry date",
        "The order is cancelled and what it used goes back to the lots it came from, by the rule below. "
        "Expiry dates never change.",
    ),
)
RULES: Final = (
    Option(
        "all_or_nothing",
        "All or nothing",
        "If any part of the credits has expired, no credits return. Points are judged by themselves, in the same way.",
    ),
    Option("valid_only", "What is valid", "Every part that has not expired returns; expired parts are left out."),
)


class ExpiredForm(CardForm):
    """Orders whose payment expired (E2, E3)."""

    expired = OptionField("When the payment of an order expires", MODES)
    expired_rule = OptionField("When part of what it used has expired", RULES)
    paths = {
        "expired": ("auto_cancel", "expired"),
        "expired_rule": ("auto_cancel", "expired_lots", "payment_expired"),
    }
    change_labels = {"expired": _EXPIRED, "expired_rule": f"{_EXPIRED}: expired value"}


class FailedForm(CardForm):
    """Orders whose payment failed (F1, F2, E9)."""

    failed = OptionField("When the payment of an order fails", MODES)
    failed_rule = OptionField("When part of what it used has expired", RULES)
    failed_grace = forms.IntegerField(
        label="Minutes of grace",
        help_text="A failed order is left alone this long, in case the customer pays in another way. 0: no waiting.",
    )
    paths = {
        "failed": ("auto_cancel", "failed"),
        "failed_rule": ("auto_cancel", "expired_lots", "payment_failed"),
        "failed_grace": ("auto_cancel", "failed_grace_minutes"),
    }
    change_labels = {"failed": _FAILED, "failed_rule": f"{_FAILED}: expired value"}


class WindowForm(CardForm):
    """How long a customer has to pay (E1)."""

    window = forms.IntegerField(
        label="Hours to pay after the order was placed",
        help_text="Then a payment that is still pending becomes Expired. An order's own due time comes first. "
        "Leave empty if only orders that name their own due time shall expire.",
    )
    paths = {"window": ("auto_cancel", "payment_window_hours")}


def affected_words(affected: Affected) -> str:
    """How many orders, and how many of them used something, in one sentence."""
    if not affected.orders:
        return "No order would be cancelled now."
    orders = ngettext("order", "orders", affected.orders)
    with_value = "none" if not affected.with_value else count_words(affected.with_value, COUNTED_TO)
    more = "at least " if affected.orders > COUNTED_TO >= affected.with_value > 0 else ""
    valuable = f"{more}{with_value.lower()} with credits or points"
    return f"{count_words(affected.orders, COUNTED_TO)} {orders} would be cancelled now, {valuable}."


Counting = Callable[[Store, StoreSettings, datetime], Affected]


def _told(counting: Counting, store: Store, settings: StoreSettings, now: datetime) -> str:
    return affected_words(counting(store, settings, now))


ORDER_SETTINGS: Final = SettingsPage(
    "orders",
    "Order settings",
    cards=(
        CardKind("expired", _EXPIRED, ExpiredForm, partial(_told, would_cancel_expired)),
        CardKind("failed", _FAILED, FailedForm, partial(_told, would_cancel_failed)),
        CardKind("window", "Payment window", WindowForm, partial(_told, would_cancel_overdue)),
        WRITE_BACK,
    ),
    # What has become due by a change is cancelled now rather than with the next sweep (E5).
    wakes=("orders.expire_overdue_payments", "orders.auto_cancel"),
    links=(
        PageLink("What will be cancelled in the next 24 hours", "admin:orders_order_upcoming"),
        PageLink("What would have happened", "admin:orders_order_backtest", Can.CHANGE_SETTINGS),
        PageLink("Whether customers are told", "admin:stores_settingsversion_notices"),
    ),
)
