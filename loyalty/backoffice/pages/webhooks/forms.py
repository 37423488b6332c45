"""Forms about webhook endpoints."""

from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from loyalty.backoffice.forms import OnceForm
from loyalty.webhooks.endpoints import LONGEST_OVERLAP, OVERLAP, EndpointValues
from loyalty.webhooks.events import WORDS

_HOUR = 3600
_format_html_lazy = lazy(format_html, str)
# Said when the form is shown, in the language of whoever reads it.
_EVENTS = [
    (event.value, _format_html_lazy("<code>{}</code> – {}", event.value, words)) for event, words in WORDS.items()
]


class EndpointForm(OnceForm):
    """An endpoint: where it is, and what it is told."""

    description = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("What listens there, such as “ERP”."),
    )
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=500,
        help_text=gettext_lazy(
            "Begins with https://. Deliveries are POSTed there; addresses in private networks are "
            "refused. A new address gets a new secret, shown once after saving."
        ),
        widget=forms.URLInput(attrs={"placeholder": "https://example.com/hooks/loyalty"}),
    )
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Tell it when …"),
        choices=_EVENTS,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one event.")},
    )

    def values(self) -> EndpointValues:
        """What the form says."""
        data: dict[str, Any] = self.cleaned_data
        return EndpointValues(url=data["url"], description=data["description"], events=data["events"])


class RotateForm(OnceForm):
    """A rotation of an endpoint's secret."""

    overlap_hours = forms.IntegerField(
        label=gettext_lazy("Hours with both secrets"),
        min_value=0,
        max_value=int(LONGEST_OVERLAP.total_seconds()) // _HOUR,
        initial=int(OVERLAP.total_seconds()) // _HOUR,
        help_text=gettext_lazy(
            "For this long, deliveries are signed with both, so that the receiver can change over. 0: change at once."
        ),
    )
