"""The receipt of platforms' webhooks: verify, keep, answer. What they mean is worked out by the job (O2).

The way of a message: :func:`receive` keeps it as a row of ``InboundDelivery``; the job ``orders.process_deliveries``
(:data:`loyalty.jobs.periodic.JOBS` names its function) takes the row up, ``meaning.py`` beside says what it asks for,
and ``carry_out`` in the orders' intake does it, kind by kind.

Platforms wait for a second or five, and count a slow answer as a failure. So a request costs two statements, a third
where shops share a secret, and a worker is woken twice a second at most.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from time import monotonic
from typing import Final

from django.db import connection as database
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop
from django.views.decorators.csrf import csrf_exempt

from loyalty.core.clock import read_clock
from loyalty.core.encryption import Secret
from loyalty.database.named_stores import every_store, in_store
from loyalty.jobs.periodic import wake, wake_later
from loyalty.platforms.http.signatures import Signed
from loyalty.platforms.models import DeliveryState
from loyalty.platforms.registry import PLATFORMS
from loyalty.platforms.shop_platform import Webhooks
from loyalty.platforms.webhooks.envelopes import (
    Envelope,
    NotAnObject,
    document_of,
    headers_of,
    is_addressed_to,
    merchant_of,
    open_envelope,
)

JOB: Final = "orders.process_deliveries"
MAX_BODY: Final = 1024 * 1024
# A worker is woken at once for the first delivery after a quiet time, and once more for all that follow within this
# many seconds: asking the broker for each would take as long as everything else.
_WINDOW: Final = 1.0

TEST_WORDS: Final = gettext_noop("A test delivery: kept, and nothing else was done.")

# Written out, because putting a query together takes longer than the database needs to answer it.
_FIND: Final = """
SELECT connected.store_id, base_url, merchant_id, webhook_secret, previous_webhook_secret, previous_secret_until
FROM platforms_platformconnection AS connected JOIN stores_store AS store ON store.id = connected.store_id
WHERE connected.platform = %s AND store.slug = %s AND connected.enabled
"""
# Where shops share an app's secret (SHOPLINE in Asia), a message that one has taken in opens the others' doors, too.
_TAKEN_ELSEWHERE: Final = """
SELECT FROM platforms_inbounddelivery
WHERE platform = %s AND key = %s AND store_id <> %s AND headers ->> %s = %s LIMIT 1
"""
_INSERT: Final = """
INSERT INTO platforms_inbounddelivery
    (store_id, platform, topic, key, is_test, headers, body, received_at, state, attempts, next_attempt_at,
     outcome, last_error, external_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 0, %s, %s, %s, '')
ON CONFLICT (store_id, platform, key) DO NOTHING
"""


@csrf_exempt
def receive(request: HttpRequest, platform: str, slug: str) -> HttpResponse:
    """Take in one webhook.

    OPTIONS says that it is POST alone, and any other method is 405. 413 above 1 MB, 404 for a store that is unknown or
    not connected to the platform, 401 without its signature, 400 unless the body is a JSON object and what its topic
    says. Else 200, a repeat included. Only what is signed is kept; what belies its topic, as failed, for staff to see.
    """
    if request.method != "POST":
        status = HTTPStatus.OK if request.method == "OPTIONS" else HTTPStatus.METHOD_NOT_ALLOWED
        return HttpResponse(status=status, headers={"Allow": "POST, OPTIONS"})
    if _length(request) > MAX_BODY:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    now = read_clock()
    door = _find(platform, slug, now)
    if door is None:
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    with in_store(door.store_id):
        return _take(request, door, now)


@dataclass(frozen=True, slots=True)
class _Door:
    """What the receipt needs to know of a connection; the model's own rows take longer to make."""

    store_id: int
    platform: str
    base_url: str
    merchant_id: str
    secrets: Sequence[str] = field(repr=False)

    @property
    def webhooks(self) -> Webhooks:
        """What is peculiar to the platform's webhooks."""
        return PLATFORMS[self.platform].webhooks


def _find(platform: str, slug: str, now: datetime) -> _Door | None:
    """The connection of a store that takes in the platform's webhooks."""
    with every_store(), database.cursor() as cursor:
        cursor.execute(_FIND, [platform, slug])
        found = cursor.fetchone()
    if found is None:
        return None
    store_id, base_url, merchant_id, secret, previous, until = found
    held = [secret, *([previous] if until is not None and now < until else [])]
    return _Door(store_id, platform, base_url, merchant_id, [_revealed(token) for token in held if token])


@lru_cache(maxsize=256)
def _revealed(token: str) -> str:
    """A secret in plain text, kept by its encrypted form: one that is changed is never an old one."""
    return Secret(token).reveal()


def _take(request: HttpRequest, door: _Door, now: datetime) -> HttpResponse:
    body, headers = request.body, headers_of(request.META)
    webhooks = door.webhooks
    if webhooks.is_greeting(headers, body):
        return HttpResponse(status=HTTPStatus.OK)
    signed = Signed(body, headers, request.GET.get("sign", "") if request.META.get("QUERY_STRING") else "")
    if not webhooks.is_signed(signed, [secret.encode() for secret in door.secrets], now):
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
    try:
        document = document_of(body)
    except NotAnObject as error:
        return HttpResponse(str(error), "text/plain; charset=utf-8", status=HTTPStatus.BAD_REQUEST)
    if not is_addressed_to(webhooks, door.base_url, headers, document):
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
    envelope = open_envelope(webhooks, headers, body, document)
    if _is_anothers(door, envelope, headers, document):
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
    _keep(door, envelope, headers, body, now)
    return HttpResponse(status=HTTPStatus.BAD_REQUEST if envelope.refused else HTTPStatus.OK)


def _is_anothers(door: _Door, envelope: Envelope, headers: dict[str, str], document: Mapping[str, object]) -> bool:
    """Whether a signed message is another shop's: its body says so, or another store took in the very same one.

    The signature covers when it was signed, so what is sent here again is the same to the second.
    """
    merchant = merchant_of(door.webhooks, document)
    if merchant and door.merchant_id:
        return merchant != door.merchant_id
    header = door.webhooks.signed_at_header
    if not header:
        return False
    with every_store(), database.cursor() as cursor:
        signed_at = headers.get(header, "")
        cursor.execute(_TAKEN_ELSEWHERE, [door.platform, envelope.key, door.store_id, header, signed_at])
        return bool(cursor.rowcount)


def _keep(door: _Door, envelope: Envelope, headers: dict[str, str], body: bytes, now: datetime) -> None:
    """Store the delivery, once, and have it worked on; a test, and what is refused, is stored and that is all."""
    state = DeliveryState.IGNORED if envelope.is_test else DeliveryState.WAITING
    state = DeliveryState.FAILED if envelope.refused else state
    turn = now if state == DeliveryState.WAITING else None
    values = (
        door.store_id, door.platform, envelope.topic, envelope.key, envelope.is_test,
        json.dumps(headers), body, now, state.value, turn, TEST_WORDS if envelope.is_test else "", envelope.refused,
    )  # fmt: skip
    with database.cursor() as cursor:
        cursor.execute(_INSERT, values)
        is_new = cursor.rowcount > 0
    if is_new and turn:
        _WAKING.note_delivery()


class _Waking:
    """Which deliveries of this process a woken worker will still find. Threads that meet here wake once too often."""

    def __init__(self) -> None:
        self.found_until = 0.0

    def note_delivery(self) -> None:
        """Have a delivery that is committed worked on within a second or so."""
        moment = monotonic()
        if moment < self.found_until:
            return
        self.found_until = moment + _WINDOW
        wake(JOB)
        # Begins after the window, so it finds whatever was written in it.
        wake_later(JOB, seconds=_WINDOW + 0.1)


_WAKING: Final = _Waking()


def _length(request: HttpRequest) -> int:
    text = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(text) if text.isdecimal() else 0
