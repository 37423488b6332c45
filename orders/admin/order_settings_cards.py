"""The cards of the order settings: what can be chosen on each, in plain words, and how it is saved."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString

from loyalty.stores.models import Store
from loyalty.stores.preferences import StoreSettings, settings_from_json, settings_to_json
from loyalty.stores.saving_settings import merged
from orders.services.upcoming import Affected, would_cancel_expired, would_cancel_failed, would_cancel_overdue

_LONGEST_WINDOW: Final = 24 * 365
_LONGEST_GRACE: Final = 60 * 24 * 30
_LONGEST_REMINDER: Final = 365


@dataclass(frozen=True, slots=True)
class Option:
    """One choice, and what it means."""

    value: str
    label: str
    words: str

    def shown(self) -> tuple[str, SafeString]:
        """The choice as a form's field wants it."""
        markup = '<span class="choice-name">{}</span> <span class="choice-words">{}</span>'
        return self.value, format_html(markup, self.label, self.words)


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


class _Choice(forms.ChoiceField):
    """A choice between options with words beside each."""

    def __init__(self, label: str, options: Sequence[Option]) -> None:
        super().__init__(label=label, choices=[option.shown() for option in options], widget=forms.RadioSelect)
        self.options = {option.value: option for option in options}


class CardForm(forms.Form):
    """One card. ``paths`` says where in the settings each field lives."""

    paths: ClassVar[Mapping[str, tuple[str, ...]]]

    def __init__(self, *args: Any, settings: StoreSettings, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix, self.auto_id = "", "setting_%s"
        self.initial = {name: value_at(settings, path) for name, path in self.paths.items()}
        self.settings = settings

    def patch(self) -> dict[str, Any]:
        """What a valid form changes, in the shape of the settings."""
        return patch_of({path: self.cleaned_data[name] for name, path in self.paths.items()})

    def chosen(self) -> StoreSettings:
        """The settings as they would be with what is chosen here; as they are while it is wrong or nothing is sent."""
        if not self.is_bound or not self.is_valid():
            return self.settings
        data = merged(settings_to_json(self.settings), self.patch())
        return settings_from_json(data, version=self.settings.version)

    def said(self) -> list[tuple[str, str, str]]:
        """What is saved, for people who may not change it: name, value, and what it means."""
        return [(str(field.label), *_value_words(field, self.initial[name])) for name, field in self.fields.items()]


class ExpiredForm(CardForm):
    """Orders whose payment expired (E2, E3)."""

    expired = _Choice("When the payment of an order expires", MODES)
    expired_rule = _Choice("When part of what it used has expired", RULES)
    paths = {
        "expired": ("auto_cancel", "expired"),
        "expired_rule": ("auto_cancel", "expired_lots", "payment_expired"),
    }


class FailedForm(CardForm):
    """Orders whose payment failed (F1, F2, E9)."""

    failed = _Choice("When the payment of an order fails", MODES)
    failed_rule = _Choice("When part of what it used has expired", RULES)
    failed_grace = forms.IntegerField(
        label="Minutes of grace",
        min_value=0,
        max_value=_LONGEST_GRACE,
        help_text="A failed order is left alone this long, in case the customer pays in another way. 0: no waiting.",
    )
    paths = {
        "failed": ("auto_cancel", "failed"),
        "failed_rule": ("auto_cancel", "expired_lots", "payment_failed"),
        "failed_grace": ("auto_cancel", "failed_grace_minutes"),
    }


class WindowForm(CardForm):
    """How long a customer has to pay (E1)."""

    window = forms.IntegerField(
        label="Hours to pay after the order was placed",
        required=False,
        min_value=1,
        max_value=_LONGEST_WINDOW,
        help_text="Then a payment that is still pending becomes Expired. An order's own due time comes first. "
        "Leave empty if only orders that name their own due time shall expire.",
    )
    paths = {"window": ("auto_cancel", "payment_window_hours")}


class NoticeForm(CardForm):
    """Whether customers are told (H3)."""

    on_automatic = forms.BooleanField(
        label="Tell the customer",
        required=False,
        help_text="After an automatic cancel the customer gets an e-mail that lists what came back, until when it is "
        "valid, and what did not come back and why. Customers without an e-mail address get none.",
    )
    paths = {"on_automatic": ("notify", "on_automatic")}


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


Counting = Callable[[Store, StoreSettings, datetime], Affected]


@dataclass(frozen=True, slots=True)
class CardKind:
    """A card of the page; ``counting`` finds what a choice on it would cancel at once."""

    key: str
    title: str
    form: type[CardForm]
    counting: Counting | None = None


CARDS: Final = (
    CardKind("expired", "Auto cancel orders with expired payment status", ExpiredForm, would_cancel_expired),
    CardKind("failed", "Auto cancel orders with failed payment status", FailedForm, would_cancel_failed),
    CardKind("window", "Payment window", WindowForm, would_cancel_overdue),
    CardKind("notice", "Messages about automatic cancels", NoticeForm),
    CardKind("reminder", "Reminders before value expires", ReminderForm),
)
PATHS: Final = {path: name for card in CARDS for name, path in card.form.paths.items()}


def value_at(settings: StoreSettings, path: Sequence[str]) -> Any:
    """One setting."""
    value: Any = settings
    for name in path:
        value = getattr(value, name)
    return value


def patch_of(values: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    """Settings by their path as nested objects."""
    patch: dict[str, Any] = {}
    for path, value in values.items():
        inner = patch
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = value
    return patch


def differences(before: StoreSettings, after: StoreSettings) -> list[tuple[str, str, str]]:
    """What differs between two versions in what this page is about: name, from, to."""
    found = []
    for card in CARDS:
        for name, path in card.form.paths.items():
            old, new = value_at(before, path), value_at(after, path)
            if old != new:
                field = card.form.base_fields[name]
                label = field.label if isinstance(field, forms.IntegerField) else card.title
                if name.endswith("_rule"):
                    label = f"{card.title}: expired value"
                found.append((str(label), _value_words(field, old)[0], _value_words(field, new)[0]))
    return found


def _value_words(field: forms.Field, value: Any) -> tuple[str, str]:
    if isinstance(field, _Choice):
        option = field.options[value]
        return option.label, option.words
    if isinstance(field, forms.BooleanField):
        return ("Yes" if value else "No"), str(field.help_text)
    return ("none" if value is None else str(value)), str(field.help_text)
