"""The page *Notices*: when customers are told, and what they read (M5, H3)."""

from datetime import datetime
from typing import Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.settings.cards import CardForm, CardKind, Sample, SwitchForm
from loyalty.backoffice.settings.pages import SettingsPage
from loyalty.languages.own_names import own_words_lazy
from loyalty.notices.voice import Voice
from loyalty.notices.write import in_language_of
from loyalty.store_settings.sections import StoreSettings
from loyalty.store_settings.words import About
from loyalty.stores.models import Store
from orders.admin.settings.examples import example_of
from orders.admin.settings.words_page import LINKS

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
        help_text=own_words_lazy(
            "The customer gets an e-mail that the code no longer works and that the points are back."
        ),
    )
    paths = {"on_redemption_reversal_default": ("notify", "on_redemption_reversal_default")}


class AdjustmentNoticeForm(SwitchForm):
    """Whether customers are told what was given or removed by hand (L6)."""

    done_on = gettext_noop("The box is ticked beforehand from now on. Staff can untick it.")
    done_off = gettext_noop("The box is not ticked beforehand any more. Staff can tick it.")

    on_adjustment_default = forms.BooleanField(
        label=own_words_lazy(
            "Tick “Notify the customer” beforehand when credits or points are given or removed by hand"
        ),
        required=False,
        help_text=own_words_lazy(
            "The customer gets an e-mail that says what was given or removed, until when it is valid, and what there "
            "is now. The same box stands below the table of points."
        ),
    )
    paths = {"on_adjustment_default": ("notify", "on_adjustment_default")}


class ReminderForm(CardForm):
    """Whether customers are reminded before value expires."""

    days_before = forms.IntegerField(
        label=own_words_lazy("Days before credits or points expire"),
        help_text=gettext_lazy(
            "Each customer then gets one e-mail that lists what expires and when. Leave empty to send none; 0 means on "
            "the last day itself."
        ),
    )
    paths = {"days_before": ("reminders", "days_before")}


def cancel_samples(store: Store, settings: StoreSettings, now: datetime) -> list[Sample]:
    """What the customer of an invented order reads when staff cancel it, and when a job does."""
    return [
        _sample(_("See the message: when staff cancel an order"), "cancelled", Voice(store, settings), now),
        _sample(_("See the message: when a payment was not made in time"), "not_paid", Voice(store, settings), now),
    ]


def adjust_samples(store: Store, settings: StoreSettings, now: datetime) -> list[Sample]:
    """What an invented customer reads when points were given by hand."""
    return [_sample(_("See the message"), "adjusted", Voice(store, settings), now)]


def reminder_samples(store: Store, settings: StoreSettings, now: datetime) -> list[Sample]:
    """What an invented customer reads before value expires."""
    return [_sample(_("See the message"), "expiring", Voice(store, settings), now)]


def _sample(title: str, about: About, voice: Voice, now: datetime) -> Sample:
    with in_language_of(None, voice.store):
        message = example_of(about, voice, now)
    return Sample(title, message.subject, message.text.strip())


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
