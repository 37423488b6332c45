"""Forms of the back-office: errors beside their fields, a token that makes a form count once, a field for moments."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from django import forms

from loyalty.core.clock import read_clock
from loyalty.core.errors import Invalid
from loyalty.core.instants import OutOfRange, check_instant
from loyalty.core.storable_text import storable
from loyalty.stores.models import SentForm, Store


class OnceForm(forms.Form):
    """A form that carries a token of its own, so that sending it twice has the effect of once."""

    once = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"label_suffix": ""} | kwargs))
        self.fields["once"].initial = uuid4().hex

    def show_errors(self, error: Invalid, fields: Mapping[str, str]) -> None:
        """Put what the domain refused beside the fields; ``fields`` maps JSON pointers to names."""
        for item in error.errors:
            name = fields.get(item.pointer)
            self.add_error(name if name in self.fields else None, item.detail)
        if not error.errors:
            self.add_error(None, error.detail)


class MomentInput(forms.DateTimeInput):
    """The browser's own field for a day and a time."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class MomentField(forms.DateTimeField):
    """A moment, from the year 2000 to ten years ahead (L8); without an offset it is the store's wall clock (T4)."""

    widget = MomentInput

    def clean(self, value: Any) -> datetime | None:
        """The moment, None for an empty field. Raises ValidationError naming the moments that are accepted."""
        moment: datetime | None = super().clean(value)
        try:
            return moment and check_instant(moment, now=read_clock())
        except OutOfRange as error:
            raise forms.ValidationError(str(error)) from error


def first_time(token: str, *, store: Store, now: datetime) -> bool:
    """Whether the form with this token has not been carried out yet. Must run in the transaction that carries it out.

    A second sending at the same moment waits here until the first is committed, and then is not the first.
    """
    _, created = SentForm.unscoped.get_or_create(
        token=token[:40] or uuid4().hex, defaults={"store": store, "created_at": now}
    )
    return bool(created)


def was_sent(token: str, *, store: Store) -> bool:
    """Whether the form with this token has been carried out, for pages that have nothing more to show then."""
    return bool(token) and bool(SentForm.objects.for_store(store).filter(token=storable(token[:40])).exists())
