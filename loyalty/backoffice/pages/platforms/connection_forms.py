"""The forms of a platform connection: what each platform wants, in its own words."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms

from loyalty.backoffice.forms import OnceForm
from loyalty.platforms.connections.connect import SECRETS, Credentials
from loyalty.platforms.models import Platform, PlatformConnection

_KEEP: Final = "Stored encrypted and not shown again. Leave empty to keep what is stored."
_NEW: Final = "Stored encrypted and not shown again."
FIELDS: Final[Mapping[str, str]] = {f"/{name}": name for name in ("base_url", "api_version", "tag_meta_key", *SECRETS)}


class _SecretInput(forms.PasswordInput):
    """Typed unseen, never sent back, and no browser offers to fill it in."""

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "new-password", "spellcheck": "false"}, render_value=False)


class ConnectionForm(OnceForm):
    """One connection. Secrets are empty when it is shown; one that stays empty is kept."""

    # Whether a platform names its own secret, or signs with one that is chosen here.
    chooses_secret = False

    def __init__(self, *args: Any, connected: PlatformConnection | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connected = connected
        for name, field in self.fields.items():
            if name in SECRETS:
                self._ready(name, field)
            elif connected is not None and hasattr(connected, name):
                field.initial = getattr(connected, name)

    def _ready(self, name: str, field: forms.Field) -> None:
        held = self.connected is not None and bool(getattr(self.connected, name))
        field.required = not held and name == "webhook_secret" and not self.chooses_secret
        field.help_text = f"{field.help_text} {_KEEP if held else _NEW}".strip()
        if held:
            field.widget.attrs["placeholder"] = "stored"

    def credentials(self) -> Credentials:
        """What a valid form says."""
        data = self.cleaned_data
        secrets = {name: data[name] for name in SECRETS if data.get(name)}
        plain = {name: data[name].strip() for name in ("base_url", "api_version", "tag_meta_key") if name in data}
        return Credentials(**plain, secrets=secrets)


def _address(label: str, example: str, *, required: bool = True) -> forms.CharField:
    return forms.CharField(label=label, max_length=300, required=required, help_text=f"Such as {example}.")


def _secret(label: str, help_text: str) -> forms.CharField:
    return forms.CharField(label=label, max_length=500, required=False, help_text=help_text, widget=_SecretInput)


def _version(example: str) -> forms.CharField:
    return forms.CharField(
        label="API version",
        max_length=20,
        required=False,
        help_text=f"Such as {example}. Leave empty for the one that this system was tested with.",
    )


class ShopifyForm(ConnectionForm):
    """A custom app of the shop."""

    base_url = _address("Shop address", "https://tea-house.myshopify.com")
    access_token = _secret("Admin API access token", "From the app's page in Shopify, under API credentials.")
    webhook_secret = _secret("App client secret", "Called API secret key too: Shopify signs its webhooks with it.")
    api_version = _version("2026-01")


class WooCommerceForm(ConnectionForm):
    """A key of the shop's REST API."""

    chooses_secret = True
    base_url = _address("Shop address", "https://shop.example.com")
    consumer_key = _secret("Consumer key", "From WooCommerce, Settings, Advanced, REST API; with Read/Write.")
    consumer_secret = _secret("Consumer secret", "Shown there together with the key.")
    webhook_secret = _secret("Webhook secret", "Leave empty when you begin, and one is made for you.")
    tag_meta_key = forms.CharField(
        label="Field that holds the order's tags",
        max_length=100,
        required=False,
        help_text="WooCommerce has no order tags; a plugin keeps them in a meta field, such as _order_tags.",
    )


class ShoplineForm(ConnectionForm):
    """An app of SHOPLINE in Asia."""

    access_token = _secret("Open API access token", "From the admin of SHOPLINE, under API authentication.")
    webhook_secret = _secret("App secret", "SHOPLINE signs its webhooks with it.")
    base_url = _address("Address of the API", "https://open.shopline.io; leave empty for that", required=False)


class ShoplineGlobalForm(ConnectionForm):
    """An app of SHOPLINE Global."""

    base_url = _address("Shop address", "https://tea-house.myshopline.com")
    access_token = _secret("Access token", "From the app's page in SHOPLINE.")
    webhook_secret = _secret("App secret", "SHOPLINE signs its webhooks with it.")
    api_version = _version("v20251201")


FORMS: Final[Mapping[str, type[ConnectionForm]]] = {
    Platform.SHOPIFY: ShopifyForm,
    Platform.WOOCOMMERCE: WooCommerceForm,
    Platform.SHOPLINE: ShoplineForm,
    Platform.SHOPLINE_GLOBAL: ShoplineGlobalForm,
}
