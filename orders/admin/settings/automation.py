"""The page *Order settings*: automatic cancelling, in plain words (E1-E4, F1)."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from loyalty.backoffice.badges import count_words
from loyalty.backoffice.settings.cards import CardForm, CardKind, Option, OptionField
from loyalty.backoffice.settings.pages import PageLink, SettingsPage
from loyalty.core.locales import count_text
from loyalty.languages.own_names import both_names
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

_EXPIRED: Final = gettext_noop("Auto cancel orders with expired payment status")
_FAILED: Final = gettext_noop("Auto cancel orders with failed payment status")
MODES: Final = (
    Option(
        "off",
        gettext_noop("Off"),
        gettext_noop("Nothing happens by itself. The order stays open and keeps what it used."),
    ),
    Option(
        "cancel",
        gettext_noop("Auto cancel only"),
        gettext_noop(
            "The order is cancelled. What it used is not returned: it shows Not Reverted and waits under Needs revert."
        ),
    ),
    Option(
        "cancel_and_revert",
        gettext_noop("Auto cancel order and return credits & points with original expiry date"),
        gettext_noop(
            "The order is cancelled and what it used goes back to the lots it came from, by the rule below. Expiry "
            "dates never change."
        ),
    ),
)
ALL_OR_NOTHING: Final = Option(
    "all_or_nothing",
    gettext_noop("All or nothing"),
    gettext_noop(
        "If any part of the credits has expired, no credits return. Points are judged by themselves, in the same way."
    ),
)
RULES: Final = (
    ALL_OR_NOTHING,
    Option(
        "valid_only",
        gettext_noop("Return what is still valid"),
        gettext_noop("Every part that has not expired returns; expired parts are left out."),
    ),
)


class ExpiredForm(CardForm):
    """Orders whose payment expired (E2, E3)."""

    expired = OptionField(gettext_noop("When the payment of an order expires"), MODES)
    expired_rule = OptionField(gettext_noop("When part of what it used has expired"), RULES)
    paths = {
        "expired": ("auto_cancel", "expired"),
        "expired_rule": ("auto_cancel", "expired_lots", "payment_expired"),
    }
    change_labels = {
        "expired": _EXPIRED,
        "expired_rule": gettext_noop("Auto cancel orders with expired payment status: expired value"),
    }


class FailedForm(CardForm):
    """Orders whose payment failed (F1, F2, E9)."""

    failed = OptionField(gettext_noop("When the payment of an order fails"), MODES)
    failed_rule = OptionField(gettext_noop("When part of what it used has expired"), RULES)
    failed_grace = forms.IntegerField(
        label=gettext_lazy("Minutes of grace"),
        help_text=gettext_lazy(
            "A failed order is left alone this long, in case the customer pays in another way. 0: no waiting."
        ),
    )
    paths = {
        "failed": ("auto_cancel", "failed"),
        "failed_rule": ("auto_cancel", "expired_lots", "payment_failed"),
        "failed_grace": ("auto_cancel", "failed_grace_minutes"),
    }
    change_labels = {
        "failed": _FAILED,
        "failed_rule": gettext_noop("Auto cancel orders with failed payment status: expired value"),
    }


class WindowForm(CardForm):
    """How long a customer has to pay (E1)."""

    window = forms.IntegerField(
        label=gettext_lazy("Hours to pay after the order was placed"),
        help_text=gettext_lazy(
            "Then a payment that is still pending becomes Expired. An order's own due time comes first. Leave empty if "
            "only orders that name their own due time are to expire."
        ),
    )
    paths = {"window": ("auto_cancel", "payment_window_hours")}


def affected_words(affected: Affected) -> str:
    """How many orders, and how many of them used something, in one sentence."""
    if not affected.orders:
        return _("No order would be cancelled now.")
    if not affected.with_value:
        words = ngettext(
            "%(orders)s order would be cancelled now, none with %(credits)s or %(points)s.",
            "%(orders)s orders would be cancelled now, none with %(credits)s or %(points)s.",
            affected.orders,
        )
    elif affected.with_value > COUNTED_TO:
        words = _("%(orders)s orders would be cancelled now, more than %(most)s with %(credits)s or %(points)s.")
    elif affected.orders > COUNTED_TO:
        words = _("%(orders)s orders would be cancelled now, at least %(with_value)s with %(credits)s or %(points)s.")
    else:
        words = ngettext(
            "%(orders)s order would be cancelled now, %(with_value)s with %(credits)s or %(points)s.",
            "%(orders)s orders would be cancelled now, %(with_value)s with %(credits)s or %(points)s.",
            affected.orders,
        )
    return words % {
        **both_names(),
        "orders": count_words(affected.orders, COUNTED_TO),
        "with_value": count_text(affected.with_value),
        "most": count_text(COUNTED_TO),
    }


Counting = Callable[[Store, StoreSettings, datetime], Affected]


def _told(counting: Counting, store: Store, settings: StoreSettings, now: datetime) -> str:
    return affected_words(counting(store, settings, now))


ORDER_SETTINGS: Final = SettingsPage(
    "orders",
    gettext_noop("Order settings"),
    cards=(
        CardKind("expired", _EXPIRED, ExpiredForm, partial(_told, would_cancel_expired)),
        CardKind("failed", _FAILED, FailedForm, partial(_told, would_cancel_failed)),
        CardKind("window", gettext_noop("Payment window"), WindowForm, partial(_told, would_cancel_overdue)),
        WRITE_BACK,
    ),
    # What has become due by a change is cancelled now rather than with the next sweep (E5).
    wakes=("orders.expire_overdue_payments", "orders.auto_cancel"),
    links=(
        PageLink(gettext_noop("What will be cancelled in the next 24 hours"), "admin:orders_order_upcoming"),
        PageLink(gettext_noop("What would have happened"), "admin:orders_order_backtest", Can.CHANGE_SETTINGS),
        PageLink(gettext_noop("Messages to customers"), "admin:stores_settingsversion_notices"),
    ),
)
