"""The page *Notices*: when customers are told, and what they read (M5, H3)."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.settings.cards import CardForm, CardKind, Sample, SwitchForm
from loyalty.backoffice.settings.pages import SettingsPage
from loyalty.core.days import end_of_day, local_day
from loyalty.ledger.adjust import Adjustment
from loyalty.ledger.adjust_notice import Change, compose
from loyalty.ledger.ledger import Kind
from loyalty.notices.write import Message, in_language_of
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Customer, Store
from orders.admin.settings.words_page import LINKS
from orders.kinds import title_of
from orders.services.customers.remind import line_words, write_digest
from orders.services.reverts.notice import NoticeKind, expired_words, opening_words, returned_words, write_message

_INVENTED: Final = gettext_noop("Ana Lee")
_NUMBER: Final = "1001"
_CANCELS: Final = gettext_noop("Messages about cancelled orders")
_BY_HAND: Final = gettext_noop("Messages about giving and removing by hand")
_REMINDERS: Final = gettext_noop("Reminders before value expires")


class CancelNoticeForm(CardForm):
    """Whether customers are told of a cancel (M5, H3)."""

    on_cancel_default = forms.BooleanField(
        label=gettext_lazy("Tick “Notify the customer” on the cancel form beforehand"),
        required=False,
        help_text=gettext_lazy(
            "Staff can still untick it for a single order. Off: nobody is told unless staff tick it."
        ),
    )
    on_automatic = forms.BooleanField(
        label=gettext_lazy("Tell the customer after an automatic cancel"),
        required=False,
        help_text=gettext_lazy(
            "The customer gets an e-mail that lists what came back, until when it is valid, and what did not come back "
            "and why. Customers without an e-mail address get none."
        ),
    )
    paths = {"on_cancel_default": ("notify", "on_cancel_default"), "on_automatic": ("notify", "on_automatic")}


class RedemptionNoticeForm(SwitchForm):
    """Whether customers are told that a redemption was reversed (R3)."""

    done_on = gettext_noop("The box is ticked beforehand from now on. Staff can untick it.")
    done_off = gettext_noop("The box is not ticked beforehand any more. Staff can tick it.")

    on_redemption_reversal_default = forms.BooleanField(
        label=gettext_lazy("Tick “Notify the customer” beforehand when a redemption is reversed"),
        required=False,
        help_text=gettext_lazy(
            "The customer gets an e-mail that the code no longer works and that the points are back."
        ),
    )
    paths = {"on_redemption_reversal_default": ("notify", "on_redemption_reversal_default")}


class AdjustmentNoticeForm(SwitchForm):
    """Whether customers are told what was given or removed by hand (L6)."""

    done_on = gettext_noop("The box is ticked beforehand from now on. Staff can untick it.")
    done_off = gettext_noop("The box is not ticked beforehand any more. Staff can tick it.")

    on_adjustment_default = forms.BooleanField(
        label=gettext_lazy("Tick “Notify the customer” beforehand when credits or points are given or removed by hand"),
        required=False,
        help_text=gettext_lazy(
            "The customer gets an e-mail that says what was given or removed, until when it is valid, and what there "
            "is now. The same box stands below the table of points."
        ),
    )
    paths = {"on_adjustment_default": ("notify", "on_adjustment_default")}


class ReminderForm(CardForm):
    """Whether customers are reminded before value expires."""

    days_before = forms.IntegerField(
        label=gettext_lazy("Days before credits or points expire"),
        help_text=gettext_lazy(
            "Each customer then gets one e-mail that lists what expires and when. Leave empty to send none; 0 means on "
            "the last day itself."
        ),
    )
    paths = {"days_before": ("reminders", "days_before")}


def cancel_samples(store: Store, settings: StoreSettings, now: datetime) -> list[Sample]:
    """What the customer of an invented order reads when staff cancel it, and when a job does."""
    with in_language_of(None, store):
        by_staff, by_job = (_cancelled(trigger, store, now) for trigger in (None, Trigger.PAYMENT_EXPIRED))
    return [
        Sample(_("See the message: when staff cancel an order"), by_staff.subject, by_staff.text.strip()),
        Sample(_("See the message: when a payment was not made in time"), by_job.subject, by_job.text.strip()),
    ]


def adjust_samples(store: Store, settings: StoreSettings, now: datetime) -> list[Sample]:
    """What an invented customer reads when points were given by hand."""
    gift = Adjustment(100, "", expires_at=end_of_day(_day(store, now, 60), store.tz))
    with in_language_of(None, store):
        name = _(_INVENTED)
        message = compose("points", [Change(Customer(name=name), gift, 250)], store=store, customer_name=name)
    return [Sample(_("See the message"), message.subject, message.text.strip())]


def reminder_samples(store: Store, settings: StoreSettings, now: datetime) -> list[Sample]:
    """What an invented customer reads before value expires."""
    day = _day(store, now, settings.reminders.days_before or 7)
    with in_language_of(None, store):
        lines: dict[Kind, list[str]] = {
            "credits": [line_words(Decimal(5), store.currency, day, store)],
            "points": [line_words(100, "", day, store)],
        }
        message = write_digest(lines, store=store, name=_(_INVENTED))
    return [Sample(_("See the message"), message.subject, message.text.strip())]


def _cancelled(trigger: Trigger | None, store: Store, now: datetime) -> Message:
    currency = store.currency
    back = returned_words(Decimal(5), currency, _day(store, now, 60), store)
    lost = expired_words(Decimal(10), currency, _day(store, now, -4), store)
    points = returned_words(100, "", None, store)
    kinds = [NoticeKind(title_of("credits"), (back,), (lost,)), NoticeKind(title_of("points"), (points,), ())]
    opening = opening_words(_NUMBER, store, cancelled=True, trigger=trigger)
    return write_message(_NUMBER, kinds, store=store, cancelled=True, opening=opening, name=_(_INVENTED))


def _day(store: Store, now: datetime, days: int) -> date:
    return local_day(now, store.tz) + timedelta(days=days)


NOTICES: Final = SettingsPage(
    "notices",
    gettext_noop("Notices"),
    cards=(
        CardKind("cancels", _CANCELS, CancelNoticeForm, samples=cancel_samples),
        CardKind("redemptions", gettext_noop("Messages about reversed redemptions"), RedemptionNoticeForm),
        CardKind("adjustments", _BY_HAND, AdjustmentNoticeForm, samples=adjust_samples),
        CardKind("reminder", _REMINDERS, ReminderForm, samples=reminder_samples),
    ),
    wakes=("loyalty.deliver_notices",),
    links=tuple(LINKS.values()),
)
