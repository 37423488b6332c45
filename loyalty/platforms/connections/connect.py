"""Connecting a store to its platform: credentials in, secrets changed, and the end of it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.encryption import Secret, Unreadable
from loyalty.core.errors import Invalid, NotFound
from loyalty.core.phrases import enumerated
from loyalty.journal.record import Event, Happening, record
from loyalty.platforms.models import PlatformConnection, WebhooksState
from loyalty.platforms.registry import PLATFORMS
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store

# After a new secret the platform may still sign with the old one, and retries carry its signature for hours.
OLD_SECRET_ACCEPTED: Final = timedelta(hours=24)
# What is sent to the platform's address with every question, whichever of it the platform wants.
_SENT: Final = ("access_token", "consumer_key", "consumer_secret")
SECRETS: Final = (*_SENT, "webhook_secret")
_LONGEST_SECRET: Final = 500
_LONGEST_URL: Final = 300
_UNINSTALLED_WORDS: Final = gettext_noop(
    "The shop uninstalled the app. Install it again there, then enter the new credentials."
)
_THIS_MACHINE: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is saved about a connection. None, and a secret that is left out, keep what is there."""

    base_url: str | None = None
    api_version: str | None = None
    tag_meta_key: str | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@transaction.atomic
def connect(
    *, store: Store, platform: str, given: Credentials, actor: Actor, now: datetime
) -> tuple[PlatformConnection, bool]:
    """Connect ``store`` to ``platform``, or change the connection; answers it and whether it is new.

    A changed webhook secret leaves the one before accepted for a day. A changed address is never told what another
    one was trusted with: the credentials have to be given again, and the webhook secret that a new address would be
    told when the webhooks are registered is made anew (T8). Raises Invalid at the field.
    """
    given = replace(given, base_url=None if given.base_url is None else _whole_address(given.base_url))
    _check(platform, given)
    of_store = PlatformConnection.objects.for_store(store)
    made, created = of_store.get_or_create(
        store=store, platform=platform, defaults={"created_at": now, "updated_at": now}
    )
    connected: PlatformConnection = of_store.select_for_update().get(pk=made.pk)
    given = _for_new_address(connected, given)
    changed = _set_plain(connected, given) | _set_secrets(connected, given, now)
    if not (created or changed or not connected.enabled or connected.uninstalled_at):
        return connected, False
    connected.enabled, connected.uninstalled_at = True, None
    # New credentials may be another shop's.
    connected.merchant_id = ""
    connected.last_answer = connected.last_error = ""
    connected.webhooks = WebhooksState.UNKNOWN
    connected.updated_at = now
    connected.save_changes()
    _record(Event.PLATFORM_CONNECTED, connected, actor, now)
    return connected, created


@transaction.atomic
def rotate_webhook_secret(
    *, store: Store, connection_id: int, actor: Actor, now: datetime, secret: str = ""
) -> tuple[PlatformConnection, str]:
    """A new webhook secret, made here unless given: the connection and the secret, to be shown once.

    The one before is accepted for a day. Raises NotFound (T1), Invalid for a secret that is no good.
    """
    connected = locked(store, connection_id)
    text = secret or new_secret()
    given = Credentials(secrets={"webhook_secret": text})
    _check(connected.platform, given)
    _set_secrets(connected, given, now)
    connected.webhooks = WebhooksState.UNKNOWN
    connected.updated_at = now
    connected.save_changes()
    _record(Event.SIGNING_CHANGED, connected, actor, now)
    return connected, text


@transaction.atomic
def disconnect(*, store: Store, connection_id: int, actor: Actor, now: datetime) -> PlatformConnection:
    """End a connection: its credentials are erased and its webhooks answered with 404. Raises NotFound (T1)."""
    connected = locked(store, connection_id)
    forget(connected, actor=actor, now=now)
    return connected


def forget(connected: PlatformConnection, *, actor: Actor, now: datetime) -> None:
    """Erase everything that opens the platform and take nothing in any more; again changes nothing."""
    was = connected.enabled or any(getattr(connected, name) for name in SECRETS)
    _erase_credentials(connected, (*SECRETS, "previous_webhook_secret"))
    connected.enabled, connected.previous_secret_until, connected.merchant_id = False, None, ""
    connected.webhooks = WebhooksState.UNKNOWN
    connected.save_changes()
    if was:
        _record(Event.PLATFORM_DISCONNECTED, connected, actor, now)


def pause_uninstalled(connected: PlatformConnection, *, at: datetime, actor: Actor, now: datetime) -> bool:
    """The shop says that it took the app away at ``at``: nothing is asked of the platform any more.

    Nothing is erased, because a message's topic may be forged: what its credentials still open is asked first. Its
    webhooks are still taken in, because a request to erase its customers follows. False when the connection was saved
    after ``at``: then the message is about the one before. Must run in a transaction.
    """
    connected = _locked(connected)
    if not connected.enabled or connected.updated_at > at:
        return False
    if connected.uninstalled_at is None:
        connected.uninstalled_at = at
        connected.last_error = _UNINSTALLED_WORDS
        connected.webhooks = WebhooksState.UNKNOWN
        connected.save_changes()
        _record(Event.PLATFORM_UNINSTALLED, connected, actor, now)
    return True


def settle_uninstalled(
    connected: PlatformConnection, *, at: datetime, still_opens: bool, actor: Actor, now: datetime
) -> None:
    """What a paused connection's credentials came to: erased, or, where they still open the shop, used on.

    Does nothing to a connection that was saved or ended since ``at``. Must run in a transaction.
    """
    connected = _locked(connected)
    if connected.uninstalled_at is None or connected.updated_at > at:
        return
    if still_opens:
        connected.uninstalled_at, connected.last_error = None, ""
        _record(Event.PLATFORM_CONNECTED, connected, actor, now)
    else:
        _erase_credentials(connected, _SENT)
    connected.save_changes()


def new_secret() -> str:
    """A secret that every platform takes: letters and digits."""
    return secrets.token_hex(24)


def locked(store: Store, connection_id: int) -> PlatformConnection:
    """The connection, locked. Raises NotFound for one of another store (T1)."""
    connections = PlatformConnection.objects.for_store(store).select_for_update()
    connected: PlatformConnection | None = connections.filter(pk=connection_id).first()
    if connected is None:
        raise NotFound(_("This store has no platform connection with the id %(id)s.") % {"id": connection_id})
    return connected


def _check(platform: str, given: Credentials) -> None:
    if platform not in PLATFORMS:
        raise Invalid.at(
            "/platform",
            _("“%(platform)s” is not a platform. The platforms are %(platforms)s.")
            % {"platform": platform, "platforms": enumerated(PLATFORMS)},
        )
    if given.base_url:
        _check_url(given.base_url)
    for name, text in given.secrets.items():
        if not text.isprintable() or not text.isascii() or text != text.strip() or len(text) > _LONGEST_SECRET:
            raise Invalid.at(
                f"/{name}",
                _("Enter at most %(longest_secret)s plain characters, without spaces before or after them.")
                % {"longest_secret": _LONGEST_SECRET},
            )
    connecting = PLATFORMS[platform].connecting
    if connecting.refused_characters & set(given.secrets.get("webhook_secret", "")):
        raise Invalid.at("/webhook_secret", _(connecting.refusal))


def _locked(connection: PlatformConnection) -> PlatformConnection:
    """The connection as it is now, locked until the transaction ends."""
    rows = PlatformConnection.objects.for_store(connection.store).select_for_update()
    locked: PlatformConnection = rows.get(pk=connection.pk)
    return locked


def _whole_address(text: str) -> str:
    """An address as people type it, with its scheme and without its last slash."""
    address = text.strip().rstrip("/")
    return address if "://" in address or not address else f"https://{address}"


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Invalid.at(
            "/base_url", _("“%(url)s” is not an address such as https://shop.example.com.") % {"url": url}
        ) from None
    plain = url.isprintable() and " " not in url and len(url) <= _LONGEST_URL
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain or port == 0:
        raise Invalid.at("/base_url", _("“%(url)s” is not an address such as https://shop.example.com.") % {"url": url})
    if parts.scheme == "http" and parts.hostname not in _THIS_MACHINE:
        raise Invalid.at("/base_url", _("Use https: credentials are sent to this address."))
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Invalid.at("/base_url", _("Enter only the address, without user name, password or query string."))


def _for_new_address(connected: PlatformConnection, given: Credentials) -> Credentials:
    """What is saved when the address changes: nothing that was held for the one before (T8)."""
    if given.base_url is None or given.base_url == connected.base_url:
        return given
    for name in _SENT:
        if getattr(connected, name) and not given.secrets.get(name):
            words = name.replace("_", " ")
            raise Invalid.at(
                f"/{name}",
                _("The address has changed: give the %(words)s of the new one.") % {"words": words},
                code="required",
            )
    if PLATFORMS[connected.platform].connecting.chooses_secret and connected.webhook_secret:
        return replace(given, secrets={"webhook_secret": new_secret(), **given.secrets})
    return given


def _set_plain(connected: PlatformConnection, given: Credentials) -> bool:
    values = {name: getattr(given, name) for name in ("base_url", "api_version", "tag_meta_key")}
    changed = {name: text for name, text in values.items() if text is not None and text != getattr(connected, name)}
    for name, text in changed.items():
        setattr(connected, name, text)
    return bool(changed)


def _set_secrets(connected: PlatformConnection, given: Credentials, now: datetime) -> bool:
    changed = {name: text for name, text in given.secrets.items() if text and text != _now_held(connected, name)}
    if "webhook_secret" in changed and connected.webhook_secret:
        connected.previous_webhook_secret = connected.webhook_secret
        connected.previous_secret_until = now + OLD_SECRET_ACCEPTED
    for name, text in changed.items():
        setattr(connected, name, Secret.of(text))
    return bool(changed)


def _now_held(connected: PlatformConnection, name: str) -> str:
    held: Secret = getattr(connected, name)
    try:
        return held.reveal()
    except Unreadable:
        # Entering it again is the way out.
        return ""


def _erase_credentials(connected: PlatformConnection, names: tuple[str, ...]) -> None:
    for name in names:
        setattr(connected, name, Secret())


def _record(event: Event, connected: PlatformConnection, actor: Actor, now: datetime) -> None:
    record([Happening(connected.store_id, event, data={"platform": connected.platform})], actor=actor, now=now)
