"""Forms of the back-office: fields that say what is wrong beside them, and a token that makes a form count once."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from django import forms
from django.http import HttpRequest

from loyalty.errors import Invalid

_KEPT: Final = 50
_SESSION_KEY: Final = "used_forms"


class OnceForm(forms.Form):
    """A form that carries a token of its own, so that sending it twice has the effect of once."""

    once = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["once"].initial = uuid4().hex

    def show_errors(self, error: Invalid, fields: Mapping[str, str]) -> None:
        """Put what the domain refused beside the fields; ``fields`` maps JSON pointers to names."""
        for item in error.errors:
            name = fields.get(item.pointer)
            self.add_error(name if name in self.fields else None, item.detail)
        if not error.errors:
            self.add_error(None, error.detail)


def was_sent_before(request: HttpRequest, token: str) -> bool:
    """Whether this session has already carried out the form with this token."""
    return token in request.session.get(_SESSION_KEY, [])
