"""The page *Notices*: when customers are told, and what they read (M5, H3)."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.template.loader import render_to_string

from loyalty.backoffice.settings.cards import CardForm, CardKind, Sample, SwitchForm
from loyalty.backoffice.settings.pages import SettingsPage
from loyalty.core.days import end_of_day, local_day
from loyalty.ledger.adjust import Adjustment
from loyalty.ledger.adjust_notice import Change, compose
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.actors import Trigger
from loyalty.stores.dates import show_day_in_words
from loyalty.stores.models import Customer, Store
from orders.kinds import show
from orders.services.customers.remind import ReminderKind, ReminderLine
from orders.services.reverts.notice import BECAUSE, NoticeKind, NoticeLine

_INVENTED: Final = "Ana Lee"
_CANCELS: Final = "Messages about cancelled orders"
_BY_HAND: Final = "Messages about giving and removing by hand"
_REMINDERS: Final = "Reminders before value expires"


class CancelNoticeForm(CardForm):
    """Whether customers are told of a cancel (M5, H3)."""

    on_cancel_default = forms.BooleanField(
        label="Tick “Notify the customer” on the cancel form beforehand",
        required=False,
        help_text="Staff can still untick it for a single order. Off: nobody is told unless staff tick it.",
    )
    on_automatic = forms.BooleanField(
        label="Tell the customer after an automatic cancel",
        required=False,
        help_text="The customer gets an e-mail that lists what came back, until when it is valid, and what did not "
        "come back and why. Customers without an e-mail address get none.",
    )
    paths = {"on_cancel_default": ("notify", "on_cancel_default"), "on_automatic": ("notify", "on_automatic")}


class RedemptionNoticeForm(SwitchForm):
    """Whether customers are told that a redemption was reversed (R3)."""

    done_on = "The box is ticked beforehand from now on. Staff can untick it."
    done_off = "The box is not ticked beforehand any more. Staff can tick it."

    on_redemption_reversal_default = forms.BooleanField(
        label="Tick “Notify the customer” beforehand when a redemption is reversed",
        required=False,
        help_text="The customer gets an e-mail that the code no longer works and that the points are back.",
    )
    paths = {"on_redemption_reversal_default": ("notify", "on_redemption_reversal_default")}


class AdjustmentNoticeForm(SwitchForm):
    """Whether customers are told what was given or removed by hand (L6)."""

    done_on = "The box is ticked beforehand from now on. Staff can untick it."
    done_off = "The box is not ticked beforehand any more. Staff can tick it."

    on_adjustment_default = forms.BooleanField(
        label="Tick “Notify the customer” beforehand when credits or points are given or removed by hand",
        required=False,
        help_text="The customer gets an e-mail that says what was given or removed, until when it is valid, and what "
        "there is now. The same box stands below the table of points.",
    )
    paths = {"on_adjustment_default": ("notify", "on_adjustment_default")}


class ReminderForm(CardForm):
    """Whether customers are reminded before value expires."""

    days_before = forms.IntegerField(
        label="Days before credits or points expire",
        help_text="Each customer then gets one e-mail that lists what expires and when. Leave empty to send none; "
        "0 means on the last day itself.",
    )
    paths = {"days_before": ("reminders", "days_before")}


def cancel_samples(store: Store, settings: StoreSettings, now: datetime) -> list[Sample]:
    """What the customer of an invented order reads when staff cancel it, and when a job does."""
    until, before = _day(store, now, 60), _day(store, now, -4)
    kinds = [
        NoticeKind(
            "Store credits",
            (NoticeLine(_money(5, store), f"valid until {until}"),),
            (NoticeLine(_money(10, store), f"expired on {before}"),),
        ),
        NoticeKind("Member points", (NoticeLine(show(100, "", store), "valid without end"),), ()),
    ]
    return [
        _cancelled("when staff cancel an order", "", kinds, store),
        _cancelled("when a payment was not made in time", BECAUSE[Trigger.PAYMENT_EXPIRED], kinds, store),
    ]


def adjust_samples(store: Store, settings: StoreSettings, now: datetime) -> list[Sample]:
    """What an invented customer reads when points were given by hand."""
    gift = Adjustment(100, "", expires_at=end_of_day(local_day(now, store.tz) + timedelta(days=60), store.tz))
    invented = Change(Customer(name=_INVENTED), gift, 250)
    message = compose("points", [invented], store=store, customer_name=_INVENTED)
    return [Sample("See the message", message.subject, message.text.strip())]


def reminder_samples(store: Store, settings: StoreSettings, now: datetime) -> list[Sample]:
    """What an invented customer reads before value expires."""
    day = _day(store, now, settings.reminders.days_before or 7)
    kinds = [
        ReminderKind("Store credits", (ReminderLine(_money(5, store), day),)),
        ReminderKind("Member points", (ReminderLine(show(100, "", store), day),)),
    ]
    text = _text("reminder", store, {"kinds": kinds})
    return [Sample("See the message", f"{store.name}: store credits and member points expire soon", text)]


def _cancelled(title: str, because: str, kinds: list[NoticeKind], store: Store) -> Sample:
    more = {"kinds": kinds, "cancelled": True, "because": because, "order": {"number": "1001"}}
    return Sample(
        f"See the message: {title}", f"{store.name}: order 1001 was cancelled", _text("cancelled", store, more)
    )


def _text(name: str, store: Store, more: dict[str, Any]) -> str:
    context = {"store": store, "customer_name": _INVENTED, **more}
    return render_to_string(f"orders/notices/{name}.txt", context).strip()


def _money(amount: int, store: Store) -> str:
    return show(Decimal(amount), store.currency, store)


def _day(store: Store, now: datetime, days: int) -> str:
    return show_day_in_words(local_day(now, store.tz) + timedelta(days=days), store)


NOTICES: Final = SettingsPage(
    "notices",
    "Notices",
    cards=(
        CardKind("cancels", _CANCELS, CancelNoticeForm, samples=cancel_samples),
        CardKind("redemptions", "Messages about reversed redemptions", RedemptionNoticeForm),
        CardKind("adjustments", _BY_HAND, AdjustmentNoticeForm, samples=adjust_samples),
        CardKind("reminder", _REMINDERS, ReminderForm, samples=reminder_samples),
    ),
    wakes=("loyalty.deliver_notices",),
)
