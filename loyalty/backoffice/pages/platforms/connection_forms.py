"""The form of a platform connection, with the fields that the platform wants."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms

from loyalty.backoffice.forms import OnceForm
from loyalty.platforms.connections.connect import SECRETS, Credentials
from loyalty.platforms.models import PlatformConnection
from loyalty.platforms.shop_platform import Connecting, Field

_KEEP: Final = "Stored encrypted and not shown again. Leave empty to keep what is stored."
_NEW: Final = "Stored encrypted and not shown again."
_PLAIN: Final = ("base_url", "api_version", "tag_meta_key")
FIELDS: Final[Mapping[str, str]] = {f"/{name}": name for name in (*_PLAIN, *SECRETS)}


class _SecretInput(forms.PasswordInput):
    """Typed unseen, never sent back, and no browser offers to fill it in."""

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "new-password", "spellcheck": "false"}, render_value=False)


class ConnectionForm(OnceForm):
    """One connection. Secrets are empty when it is shown; one that stays empty is kept."""

    def __init__(
        self, connecting: Connecting, *args: Any, connected: PlatformConnection | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.connected = connected
        for field in connecting.fields:
            is_secret = field.name in SECRETS
            self.fields[field.name] = (
                self._secret(field, chosen_here=connecting.chooses_secret) if is_secret else self._plain(field)
            )

    def _plain(self, field: Field) -> forms.Field:
        return forms.CharField(
            label=field.label,
            max_length=field.longest,
            required=field.required,
            help_text=field.help_text,
            initial=getattr(self.connected, field.name, None),
        )

    def _secret(self, field: Field, *, chosen_here: bool) -> forms.Field:
        held = bool(getattr(self.connected, field.name, ""))
        shown = forms.CharField(
            label=field.label,
            max_length=field.longest,
            required=not held and field.name == "webhook_secret" and not chosen_here,
            help_text=f"{field.help_text} {_KEEP if held else _NEW}".strip(),
            widget=_SecretInput,
        )
        if held:
            shown.widget.attrs["placeholder"] = "stored"
        return shown

    def credentials(self) -> Credentials:
        """What a valid form says."""
        data = self.cleaned_data
        secrets = {name: data[name] for name in SECRETS if data.get(name)}
        plain = {name: data[name].strip() for name in _PLAIN if name in data}
        return Credentials(**plain, secrets=secrets)
