"""API keys: made, recognised, revoked (T3).

A key reads ``lbo_<prefix>_<secret>``. The prefix finds the row, the SHA-256 of the secret proves it; the secret itself
has 256 random bits, so a fast hash is enough, and it is shown once.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.db.models import Q
from django.utils.translation import gettext

from loyalty.core.errors import Invalid, NotFound
from loyalty.core.phrases import enumerated
from loyalty.database.prepared import Columns, ask
from loyalty.stores.models import ApiKey, Store

ALL_SCOPES: Final = "*"
_SCHEME: Final = "lbo"
_LAST_USED_EVERY: Final = timedelta(minutes=1)
_KEY: Final = Columns(ApiKey, "key")
_STORE: Final = Columns(Store, "store")
_FIND: Final = f"""
SELECT {_KEY.sql}, {_STORE.sql}
FROM stores_apikey AS key JOIN stores_store AS store ON store.id = key.store_id WHERE key.prefix = %s::text
"""


class Scope(StrEnum):
    """What a key may be allowed to do."""

    STORE_READ = "store:read"
    CUSTOMERS_READ = "customers:read"
    CUSTOMERS_WRITE = "customers:write"
    LEDGER_READ = "ledger:read"
    CREDITS_WRITE = "credits:write"
    POINTS_WRITE = "points:write"
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    ORDERS_CANCEL = "orders:cancel"
    REVERTS_UNDO = "reverts:undo"
    REDEMPTIONS_READ = "redemptions:read"
    REDEMPTIONS_WRITE = "redemptions:write"
    REDEMPTIONS_REVERSE = "redemptions:reverse"
    SETTINGS_READ = "settings:read"
    SETTINGS_WRITE = "settings:write"
    WEBHOOKS_WRITE = "webhooks:write"


def create_api_key(
    *, store: Store, name: str, scopes: Sequence[str], now: datetime, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key of ``store``: its row, and the key itself, which cannot be read again.

    Raises Invalid for no scope, an unknown one, or an expiry that is not ahead.
    """
    if not scopes:
        raise Invalid.at("/scopes", gettext("A key needs at least one scope, or * for all."), code="required")
    for scope in scopes:
        if scope != ALL_SCOPES and scope not in set(Scope):
            raise Invalid.at(
                "/scopes",
                gettext("“%(scope)s” is not a scope. These are known: %(scopes)s, or * for all.")
                % {"scope": scope, "scopes": enumerated(Scope)},
            )
    if expires_at is not None and expires_at <= now:
        raise Invalid.at(
            "/expires_at", gettext("That day is over already: the key would never work."), code="in-the-past"
        )
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    api_key: ApiKey = ApiKey.objects.create(
        store=store,
        name=name,
        prefix=prefix,
        secret_hash=_hash(secret),
        scopes=sorted(set(scopes)),
        created_at=now,
        expires_at=expires_at,
    )
    return api_key, f"{_SCHEME}_{prefix}_{secret}"


def revoke_api_key(*, store: Store, api_key_id: int, now: datetime) -> None:
    """End a key for good; again changes nothing. Raises NotFound for a key of another store (T1)."""
    keys = ApiKey.objects.for_store(store).filter(pk=api_key_id)
    if not keys.filter(revoked_at__isnull=True).update(revoked_at=now) and not keys.exists():
        raise NotFound(gettext("This store has no API key with the id %(id)s.") % {"id": api_key_id})


def find_api_key(text: str, *, now: datetime) -> ApiKey | None:
    """The key behind a text, with its store, in one query; None unless it is right, in force and not revoked."""
    scheme, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    if scheme != _SCHEME or not secret or not prefix.isalnum():
        return None
    for row in ask(_FIND, [prefix]).rows():
        api_key = _KEY.read(row[: len(_KEY.names)])
        api_key.store = _STORE.read(row[len(_KEY.names) :])
        if hmac.compare_digest(api_key.secret_hash, _hash(secret)) and is_in_force(api_key, now):
            return api_key
    return None


def is_in_force(api_key: ApiKey, now: datetime) -> bool:
    """Whether the key is neither revoked nor expired at ``now``."""
    return api_key.revoked_at is None and (api_key.expires_at is None or now < api_key.expires_at)


def note_use(api_key: ApiKey, *, now: datetime) -> None:
    """Keep when the key was last used, to the minute: most requests write nothing."""
    if api_key.last_used_at is not None and now < api_key.last_used_at + _LAST_USED_EVERY:
        return
    # The condition lets one of several requests of the same moment write.
    old = Q(last_used_at=None) | Q(last_used_at__lte=now - _LAST_USED_EVERY)
    ApiKey.unscoped.filter(old, pk=api_key.pk).update(last_used_at=now)


def allows_scope(api_key: ApiKey, scope: str) -> bool:
    """Whether the key may do what ``scope`` names."""
    return scope in api_key.scopes or ALL_SCOPES in api_key.scopes


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
