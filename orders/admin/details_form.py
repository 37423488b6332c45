"""What is said beside a cancel, of one order or of many: the reason, and a note that only staff read."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy

from orders.models import CancelReason

_NOTE_LENGTH: Final = 2000
_INPUT: Final[dict[str, Any]] = {"class": "cf-input"}


class DetailsForm(forms.Form):
    """The fields that every form which cancels has."""

    reason = forms.ChoiceField(
        choices=[("", gettext_lazy("No reason given")), *CancelReason.choices],
        required=False,
        widget=forms.Select(attrs=_INPUT),
    )
    note = forms.CharField(
        label=gettext_lazy("Staff note"),
        required=False,
        max_length=_NOTE_LENGTH,
        widget=forms.Textarea(attrs=_INPUT | {"rows": 2}),
    )
