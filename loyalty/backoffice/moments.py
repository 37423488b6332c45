"""A moment as people type it: in the time zone of the store whose page it is (T4)."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

from loyalty.core.instants import OutOfRange, check_instant


class MomentInput(forms.DateTimeInput):
    """The browser's own field for a day and a time."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class MomentField(forms.DateTimeField):
    """A moment, from the year 2000 to ten years ahead (L8); without an offset it is the store's wall clock."""

    widget = MomentInput

    def clean(self, value: Any) -> datetime | None:
        """The moment, None for an empty field. Raises ValidationError naming the moments that are accepted."""
        moment: datetime | None = super().clean(value)
        try:
            return moment and check_instant(moment, now=timezone.now())
        except OutOfRange as error:
            raise forms.ValidationError(str(error)) from error
