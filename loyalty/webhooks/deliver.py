"""Telling an endpoint: signed, timed, noted; and what its answers mean for the next ones."""

import logging
from datetime import datetime, timedelta
from http import HTTPStatus
from time import monotonic
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _
from standardwebhooks import Webhook

from loyalty.core.encryption import Unreadable
from loyalty.core.storable_text import storable
from loyalty.jobs.retries import PARTNERS
from loyalty.journal.models import JournalEntry
from loyalty.outbox.models import Message
from loyalty.outbox.send import JOB
from loyalty.outbox.topics import GiveUp, Postpone
from loyalty.partners.breaker import Resting
from loyalty.partners.http import Reply, Unreachable, call
from loyalty.partners.retry_after import asked_to_wait
from loyalty.stores.actors import Actor
from loyalty.webhooks.endpoints import note_change, switch
from loyalty.webhooks.models import DisabledBecause, WebhookAttempt, WebhookEndpoint
from loyalty.webhooks.payload import payload_of

logger = logging.getLogger(__name__)

ACTOR: Final = Actor.job(JOB)
TIMEOUT_SECONDS: Final = 15.0
# How much of an answer is kept for people to read.
EXCERPT: Final = 500
# An endpoint that has failed for so long without a success in between is switched off.
FAILING_FOR: Final = timedelta(days=5)
# From the third failure in a row on, everything for the endpoint waits, for longer and longer.
_PATIENCE: Final = 2
# A Retry-After beyond this is not taken at its word.
LONGEST_WAIT: Final = timedelta(days=1)
_BUSY: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def deliver(message: Message, now: datetime) -> None:
    """Send one message to its endpoint: the outbox's handler of the topic ``webhook``.

    Raises GiveUp when the endpoint is off or says that it is gone, Postpone for every other failure.
    """
    endpoint = _endpoint(message)
    if endpoint is None or not endpoint.enabled:
        raise GiveUp(_("The endpoint is switched off."))
    if endpoint.paused_until is not None and now < endpoint.paused_until:
        raise Postpone(_("The endpoint is failing; the next attempt is made for all at once."), endpoint.paused_until)
    entry = _entry(message)
    began = monotonic()
    try:
        reply = _call(message, endpoint, entry, now)
    except Resting as error:
        # Nobody was asked, so nothing is held against the endpoint.
        raise Postpone(str(error), error.after) from error
    except Unreachable as error:
        _note(message, None, str(error), monotonic() - began, now)
        _failed(endpoint, None, now)
        raise Postpone(str(error)) from error
    _note(message, reply, "", monotonic() - began, now)
    _judge(endpoint, reply, now)


def _endpoint(message: Message) -> WebhookEndpoint | None:
    return WebhookEndpoint.objects.for_store(message.store).filter(pk=message.body["endpoint"]).first()


def _entry(message: Message) -> JournalEntry | None:
    key = message.body.get("entry")
    if key is None:
        return None
    entries = JournalEntry.objects.for_store(message.store).select_related("store")
    entry: JournalEntry = entries.get(pk=key)
    return entry


def _call(message: Message, endpoint: WebhookEndpoint, entry: JournalEntry | None, now: datetime) -> Reply:
    body = payload_of(message, entry)
    headers = {"Content-Type": "application/json", **signed(endpoint, f"msg_{message.pk}", body, now)}
    return call("POST", endpoint.url, headers=headers, body=body, timeout=TIMEOUT_SECONDS, limit=EXCERPT, excerpt=True)


def signed(endpoint: WebhookEndpoint, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks, with a signature of each secret in force. Raises Postpone without any."""
    try:
        secrets = [secret.reveal() for secret in endpoint.secrets(now)]
    except Unreadable as error:
        raise Postpone(_("%(error)s Give the endpoint a new secret.") % {"error": error}) from error
    signatures = [Webhook(secret).sign(message_id, now, body.decode()) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


@transaction.atomic
def _note(message: Message, reply: Reply | None, error: str, seconds: float, now: datetime) -> None:
    """Keep what came of the attempt, in a transaction of its own: it has happened, whatever comes after."""
    WebhookAttempt.objects.create(
        store_id=message.store_id,
        message=message,
        status_code=reply.status if reply else None,
        error=error[:300],
        answer=_excerpt(reply),
        milliseconds=int(seconds * 1000),
        created_at=now,
    )


def _excerpt(reply: Reply | None) -> str:
    return storable(reply.body.decode(errors="replace")) if reply else ""


def _judge(endpoint: WebhookEndpoint, reply: Reply, now: datetime) -> None:
    """What the answer means. Raises GiveUp or Postpone unless it is a success."""
    if HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
        _succeeded(endpoint)
    elif reply.status == HTTPStatus.GONE:
        _switch_off(endpoint, DisabledBecause.GONE, now)
        raise GiveUp(_("The endpoint answered 410: it is gone, and is no longer told anything."))
    else:
        until = _retry_after(reply, now)
        _failed(endpoint, until, now)
        raise Postpone(_("The endpoint answered %(status)s.") % {"status": reply.status}, until)


def _retry_after(reply: Reply, now: datetime) -> datetime | None:
    """When a busy endpoint wants to be asked again; None when it does not say."""
    said = reply.headers.get("Retry-After", "") if reply.status in _BUSY else ""
    wait = asked_to_wait(said, now, at_most=LONGEST_WAIT)
    return None if wait is None else now + wait


def _succeeded(endpoint: WebhookEndpoint) -> None:
    # A success after success, which is nearly all of them, writes nothing.
    if endpoint.failures:
        rows = WebhookEndpoint.objects.for_store(endpoint.store).filter(pk=endpoint.pk)
        rows.update(failures=0, failing_since=None, paused_until=None)


@transaction.atomic
def _failed(endpoint: WebhookEndpoint, until: datetime | None, now: datetime) -> None:
    """Count a failure; everything else for the endpoint waits when it says so or keeps failing."""
    row = _locked(endpoint)
    if row is None:
        return
    row.failures += 1
    row.failing_since = row.failing_since or now
    if now - row.failing_since >= FAILING_FOR:
        _disable(row, DisabledBecause.FAILING, now)
        return
    row.paused_until = until or (PARTNERS.turn(row.failures - _PATIENCE, now) if row.failures > _PATIENCE else None)
    row.save(update_fields=["failures", "failing_since", "paused_until"])


@transaction.atomic
def _switch_off(endpoint: WebhookEndpoint, because: DisabledBecause, now: datetime) -> None:
    row = _locked(endpoint)
    if row is not None:
        _disable(row, because, now)


def _disable(row: WebhookEndpoint, because: DisabledBecause, now: datetime) -> None:
    logger.warning("Webhook endpoint %s is switched off: %s.", row.pk, because)
    switch(row, because, now=now)
    row.updated_at = now
    row.save_changes()
    note_change(row, "disabled", actor=ACTOR, now=now)


def _locked(endpoint: WebhookEndpoint) -> WebhookEndpoint | None:
    """The endpoint as it is now, locked; None when it has been switched off meanwhile."""
    rows = WebhookEndpoint.objects.for_store(endpoint.store).filter(pk=endpoint.pk, disabled_at__isnull=True)
    return rows.select_for_update(no_key=True).first()
