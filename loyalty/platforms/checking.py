"""Asking a platform whether the connection works, and seeing to its webhooks. No transaction is open meanwhile."""

from datetime import datetime

from django.db.models import QuerySet

from loyalty.encryption import Unreadable
from loyalty.platforms.asking import PlatformError, Refused, Shop, WebhookReport
from loyalty.platforms.client import client_for
from loyalty.platforms.models import PlatformConnection, WebhooksState


def check(connected: PlatformConnection, *, now: datetime) -> Shop:
    """Whom the credentials open. Raises PlatformError, whose sentence is kept as the connection's last error."""
    try:
        shop = client_for(connected).check()
    except PlatformError as error:
        _note(connected, now, error=str(error))
        raise
    except Unreadable as error:
        raise _unreadable(connected, now) from error
    _note(connected, now)
    return shop


def register_webhooks(connected: PlatformConnection, *, address: str, now: datetime) -> WebhookReport:
    """See to it that the platform tells changes of orders to ``address``. Raises PlatformError as :func:`check`."""
    try:
        report = client_for(connected).ensure_webhooks(address=address, secret=connected.webhook_secret.reveal())
    except PlatformError as error:
        _note(connected, now, error=str(error), webhooks=WebhooksState.INCOMPLETE)
        raise
    except Unreadable as error:
        raise _unreadable(connected, now) from error
    _note(connected, now, webhooks=WebhooksState.WORKING)
    # Looked after from now on: platforms take webhooks away that have failed for a while.
    _rows(connected).update(webhook_address=address, webhooks_checked_at=now)
    return report


def _unreadable(connected: PlatformConnection, now: datetime) -> Refused:
    error = Refused("The stored credentials cannot be decrypted with this installation's keys. Enter them again.")
    _note(connected, now, error=str(error))
    return error


def _note(
    connected: PlatformConnection, now: datetime, *, error: str = "", webhooks: WebhooksState | None = None
) -> None:
    facts = {"last_checked_at": now, "last_error": error} | ({"webhooks": webhooks} if webhooks else {})
    _rows(connected).update(**facts)


def _rows(connected: PlatformConnection) -> "QuerySet[PlatformConnection]":
    rows: QuerySet[PlatformConnection] = PlatformConnection.objects.for_store(connected.store)
    return rows.filter(pk=connected.pk)
