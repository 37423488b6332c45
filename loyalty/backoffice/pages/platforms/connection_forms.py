"""The form of a platform connection, with the fields that the platform wants."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.backoffice.forms import OnceForm
from loyalty.core.phrases import sentences
from loyalty.platforms.connections.connect import SECRETS, Credentials
from loyalty.platforms.models import PlatformConnection
from loyalty.platforms.shop_platform import Connecting, Field

_KEEP: Final = gettext_noop("Stored encrypted and not shown again. Leave empty to keep what is stored.")
_NEW: Final = gettext_noop("Stored encrypted and not shown again.")
_PLAIN: Final = ("base_url", "api_version", "tag_meta_key")
FIELDS: Final[Mapping[str, str]] = {f"/{name}": name for name in (*_PLAIN, *SECRETS)}


class _SecretInput(forms.PasswordInput):
    """Typed unseen, never sent back, and no browser offers to fill it in."""

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "new-password", "spellcheck": "false"}, render_value=False)


def _help(field: Field) -> str:
    return _(field.help_text) % {"example": field.example} if field.help_text else ""


class ConnectionForm(OnceForm):
    """One connection. Secrets are empty when it is shown; one that stays empty is kept."""

    def __init__(
        self, connecting: Connecting, *args: Any, connected: PlatformConnection | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.connected = connected
        for field in connecting.fields:
            self.fields[field.name] = self._field(field, chosen_here=connecting.chooses_secret)

    def _field(self, field: Field, *, chosen_here: bool) -> forms.Field:
        stored, is_secret = getattr(self.connected, field.name, None), field.name in SECRETS
        shown = forms.CharField(
            label=_(field.label),
            max_length=field.longest,
            required=field.required,
            help_text=_help(field),
            initial=None if is_secret else stored,
            widget=_SecretInput if is_secret else None,
        )
        if not is_secret:
            return shown
        shown.required = not stored and field.name == "webhook_secret" and not chosen_here
        shown.help_text = sentences([_help(field), _(_KEEP if stored else _NEW)])
        if stored:
            shown.widget.attrs["placeholder"] = _("stored")
        return shown

    def credentials(self) -> Credentials:
        """What a valid form says."""
        data = self.cleaned_data
        secrets = {name: data[name] for name in SECRETS if data.get(name)}
        plain = {name: data[name].strip() for name in _PLAIN if name in data}
        return Credentials(**plain, secrets=secrets)
