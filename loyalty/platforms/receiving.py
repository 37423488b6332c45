"""The receipt of platforms' webhooks: verify, keep, answer. What they mean is worked out by the job (O2).

Platforms wait for a second or five, and count a slow answer as a failure. So a request costs two statements, and a
worker is woken once for as many deliveries as come in until it begins.
"""

import json
from datetime import datetime
from http import HTTPStatus
from typing import Final

from django.core.cache import cache
from django.db import connection as database
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from loyalty.encryption import Secret
from loyalty.jobs import wake
from loyalty.platforms.envelopes import (
    Envelope,
    NotAnObject,
    headers_of,
    is_addressed_to,
    is_ping,
    open_envelope,
    worth_keeping,
)
from loyalty.platforms.models import DeliveryState, PlatformConnection
from loyalty.platforms.signatures import Signed, is_signed

JOB: Final = "orders.process_deliveries"
MAX_BODY: Final = 1024 * 1024
# A body that is too large is read and dropped up to here, so that the sender hears the answer, not a broken pipe.
_DRAIN: Final = 32 * 1024 * 1024
_CHUNK: Final = 64 * 1024
_WOKEN: Final = "platforms.woken"
# Longer than a worker takes to begin; if it never does, the next delivery after this asks again.
_WAKING: Final = 5

TEST_WORDS: Final = "A test delivery: kept, and nothing else was done."

# Written out, because putting a query together takes longer than the database needs to answer it.
_FIND: Final = """
SELECT connected.store_id, base_url, webhook_secret, previous_webhook_secret, previous_secret_until
FROM platforms_platformconnection AS connected JOIN stores_store AS store ON store.id = connected.store_id
WHERE connected.platform = %s AND store.slug = %s AND connected.enabled
"""
_INSERT: Final = """
INSERT INTO platforms_inbounddelivery
    (store_id, platform, topic, key, is_test, headers, body, received_at, state, attempts, next_attempt_at,
     outcome, last_error, external_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 0, %s, %s, '', '')
ON CONFLICT (store_id, platform, key) DO NOTHING
"""


@csrf_exempt
def receive(request: HttpRequest, platform: str, slug: str) -> HttpResponse:
    """Take in one webhook.

    405 unless POST, 413 above 1 MB, 404 for a store that is unknown or not connected to the platform, 401 without its
    signature, 400 unless the body is a JSON object. Else 200, a repeat included. Only what is signed is kept.
    """
    if request.method != "POST":
        return HttpResponse(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"})
    if (length := _length(request)) > MAX_BODY:
        _drop(request, length)
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    connected = _find(platform, slug)
    if connected is None:
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    return _take(request, connected, timezone.now())


def _find(platform: str, slug: str) -> PlatformConnection | None:
    """The connection of a store that takes in the platform's webhooks, as far as the receipt needs it."""
    with database.cursor() as cursor:
        cursor.execute(_FIND, [platform, slug])
        found = cursor.fetchone()
    if found is None:
        return None
    store_id, base_url, secret, previous, until = found
    return PlatformConnection(
        store_id=store_id,
        platform=platform,
        base_url=base_url,
        webhook_secret=Secret(secret),
        previous_webhook_secret=Secret(previous),
        previous_secret_until=until,
    )


def note_begun() -> None:
    """Say that a worker has begun, before it looks for deliveries: what comes in from now on wakes another."""
    cache.delete(_WOKEN)


def _take(request: HttpRequest, connected: PlatformConnection, now: datetime) -> HttpResponse:
    body, headers = request.body, headers_of(request.META)
    if connected.platform == "woocommerce" and is_ping(headers, body):
        return HttpResponse(status=HTTPStatus.OK)
    signed = Signed(body, headers, request.GET.get("sign", ""))
    secrets = [secret.reveal() for secret in connected.webhook_secrets(now)]
    if not is_signed(connected.platform, signed, secrets, now=now) or not is_addressed_to(connected, headers):
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
    try:
        envelope = open_envelope(connected.platform, headers, body)
    except NotAnObject:
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    _keep(connected, envelope, worth_keeping(headers), body, now)
    return HttpResponse(status=HTTPStatus.OK)


def _keep(
    connected: PlatformConnection, envelope: Envelope, headers: dict[str, str], body: bytes, now: datetime
) -> None:
    """Store the delivery, once, and have it worked on; a test is stored and that is all."""
    state = DeliveryState.IGNORED if envelope.is_test else DeliveryState.WAITING
    turn = None if envelope.is_test else now
    values = (
        connected.store_id, connected.platform, envelope.topic, envelope.key, envelope.is_test,
        json.dumps(headers), body, now, state.value, turn, TEST_WORDS if envelope.is_test else "",
    )  # fmt: skip
    with database.cursor() as cursor:
        cursor.execute(_INSERT, values)
        is_new = cursor.rowcount > 0
    # Written before it is asked whether a worker was woken: one that was has not looked yet, and finds it.
    if is_new and turn and cache.add(_WOKEN, 1, _WAKING):
        wake(JOB)


def _length(request: HttpRequest) -> int:
    text = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(text) if text.isdecimal() else 0


def _drop(request: HttpRequest, length: int) -> None:
    left = min(length, _DRAIN)
    while left > 0 and (chunk := request.read(min(left, _CHUNK))):
        left -= len(chunk)
