"""The page *Notices*: when customers are told, and what they read (M5, H3)."""

from typing import Final

from django import forms

from loyalty.backoffice.setting_cards import CardForm, CardKind
from loyalty.backoffice.setting_pages import SettingsPage

_LONGEST_REMINDER: Final = 365
_CANCELS: Final = "Messages about cancelled orders"
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


class RedemptionNoticeForm(CardForm):
    """Whether customers are told that a redemption was reversed (R3)."""

    on_redemption_reversal_default = forms.BooleanField(
        label="Tick “Notify the customer” beforehand when a redemption is reversed",
        required=False,
        help_text="The customer gets an e-mail that the code no longer works and that the points are back.",
    )
    paths = {"on_redemption_reversal_default": ("notify", "on_redemption_reversal_default")}


class ReminderForm(CardForm):
    """Whether customers are reminded before value expires."""

    days_before = forms.IntegerField(
        label="Days before credits or points expire",
        required=False,
        min_value=0,
        max_value=_LONGEST_REMINDER,
        help_text="Each customer then gets one e-mail that lists what expires and when. Leave empty to send none; "
        "0 means on the last day itself.",
    )
    paths = {"days_before": ("reminders", "days_before")}


NOTICES: Final = SettingsPage(
    "notices",
    "Notices",
    cards=(
        CardKind("cancels", _CANCELS, CancelNoticeForm),
        CardKind("redemptions", "Messages about reversed redemptions", RedemptionNoticeForm),
        CardKind("reminder", _REMINDERS, ReminderForm),
    ),
    wakes=("loyalty.deliver_notices",),
)
