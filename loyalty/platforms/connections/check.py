"""Asking a platform whether the connection works, and seeing to its webhooks. No transaction is open meanwhile.

What staff want asked is a message of the outbox: a platform may take its time, and its page shows what it answered.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from loyalty.core.encryption import Unreadable
from loyalty.core.phrases import enumerated
from loyalty.outbox.models import Message, MessageStatus
from loyalty.outbox.send import Later, send_later
from loyalty.partners.breaker import insisting
from loyalty.partners.request_limits import within
from loyalty.platforms.client import client_for
from loyalty.platforms.connections.connect import locked
from loyalty.platforms.http.protocol import PlatformError, Refused, Shop, WebhookReport
from loyalty.platforms.models import PlatformConnection, WebhooksState
from loyalty.platforms.registry import PLATFORMS
from loyalty.stores.models import Store

CHECK: Final = "platform.check"
REGISTER: Final = "platform.register_webhooks"
# How long a platform may take for one question of staff, who look at the page; webhooks are many calls.
_SECONDS: Final = {CHECK: 30.0, REGISTER: 120.0}


@transaction.atomic
def ask_later(*, store: Store, connection_id: int, topic: str, address: str = "", now: datetime) -> None:
    """Have the worker ask: CHECK whether it works, or REGISTER the webhooks to ``address``. Once while it is at it.

    Raises NotFound (T1).
    """
    connected = locked(store, connection_id)
    if not any(asked.topic == topic for asked in being_asked(connected)):
        body = {"connection": connected.pk, "address": address}
        send_later([Later(store.pk, topic, f"{topic}:{uuid4().hex}", body, lane=_lane(connected))], now=now)


def being_asked(connected: PlatformConnection) -> list[Message]:
    """What the platform has been asked and has not answered yet, oldest first."""
    messages = Message.objects.for_store(connected.store).filter(lane=_lane(connected), status=MessageStatus.QUEUED)
    return list(messages.order_by("pk"))


def carry_out_check(message: Message, now: datetime) -> None:
    """Handle ``platform.check``."""
    _carry_out(message, lambda connected: check(connected, now=now))


def carry_out_registering(message: Message, now: datetime) -> None:
    """Handle ``platform.register_webhooks``."""
    address = message.body["address"]
    _carry_out(message, lambda connected: register_webhooks(connected, address=address, now=now))


def _carry_out(message: Message, ask: Callable[[PlatformConnection], object]) -> None:
    """Ask once: whoever pressed the button reads the answer, or why there is none, and asks again if need be."""
    rows = PlatformConnection.objects.for_store(message.store).select_related("store")
    connected = rows.filter(pk=message.body["connection"]).first()
    if connected is None:
        return
    with within(_SECONDS[message.topic]), insisting(), suppress(PlatformError):
        ask(connected)


def _lane(connected: PlatformConnection) -> str:
    return f"platform-{connected.pk}"


def check(connected: PlatformConnection, *, now: datetime) -> Shop:
    """Whom the credentials open. Raises PlatformError, whose sentence is kept as the connection's last error."""
    try:
        shop = client_for(connected).check()
    except PlatformError as error:
        _note(connected, now, error=str(error))
        raise
    except Unreadable as error:
        raise _unreadable(connected, now) from error
    _note(connected, now, answer=_shop_words(shop))
    _note_merchant(connected, shop)
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
    _note(connected, now, answer=_report_words(report), webhooks=WebhooksState.WORKING)
    if PLATFORMS[connected.platform].webhooks.merchant_field:
        # Known before the first message comes, whose it has to be.
        with suppress(PlatformError):
            _note_merchant(connected, client_for(connected).check())
    # Looked after from now on: platforms take webhooks away that have failed for a while.
    _rows(connected).update(webhook_address=address, webhooks_checked_at=now)
    return report


def _unreadable(connected: PlatformConnection, now: datetime) -> Refused:
    error = Refused(_("The stored credentials cannot be decrypted with this installation's keys. Enter them again."))
    _note(connected, now, error=str(error))
    return error


def _shop_words(shop: Shop) -> str:
    said = {"name": shop.name, "missing": enumerated(shop.missing)}
    if not shop.missing:
        return _("The connection works: it answers as “%(name)s”.") % said
    return (
        _("The connection works: it answers as “%(name)s”. These permissions are missing: %(missing)s. Add them there.")
        % said
    )


def _report_words(report: WebhookReport) -> str:
    return _(
        "Changes are told to the webhook address below: %(found)s webhooks were in place, %(repaired)s repaired, "
        "%(created)s created."
    ) % {"found": len(report.found), "repaired": len(report.repaired), "created": len(report.created)}


def _note(
    connected: PlatformConnection,
    now: datetime,
    *,
    answer: str = "",
    error: str = "",
    webhooks: WebhooksState | None = None,
) -> None:
    facts = {"last_checked_at": now, "last_answer": answer, "last_error": error}
    _rows(connected).update(**facts | ({"webhooks": webhooks} if webhooks else {}))


def _note_merchant(connected: PlatformConnection, shop: Shop) -> None:
    if shop.merchant_id:
        _rows(connected).update(merchant_id=shop.merchant_id[:64])


def _rows(connected: PlatformConnection) -> "QuerySet[PlatformConnection]":
    rows: QuerySet[PlatformConnection] = PlatformConnection.objects.for_store(connected.store)
    return rows.filter(pk=connected.pk)
