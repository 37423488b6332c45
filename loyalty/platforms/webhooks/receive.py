"""The receipt of platforms' webhooks: verify, keep, answer. What they mean is worked out by the job (O2).

The way of a message: :func:`receive` keeps it as a row of ``InboundDelivery``; the job ``orders.process_deliveries``
(:data:`loyalty.jobs.periodic.JOBS` names its function) takes the row up, ``meaning.py`` beside says what it asks for,
and ``carry_out`` in the orders' intake does it, kind by kind.

Platforms wait for a second or five, and count a slow answer as a failure. So a request costs one statement, a second
where shops share a secret, and a worker is woken twice a second at most. A process remembers the connections that it
took messages for; the statement that keeps a message keeps none unless the connection is still as remembered.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from time import monotonic
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop
from django.views.decorators.csrf import csrf_exempt

from loyalty.core.clock import read_clock
from loyalty.core.encryption import Secret
from loyalty.database.named_stores import every_store, in_store
from loyalty.database.prepared import ask
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

_CONNECTED: Final = """
FROM platforms_platformconnection AS connected JOIN stores_store AS store ON store.id = connected.store_id
WHERE connected.platform = %(platform)s::text AND store.slug = %(slug)s::text AND connected.enabled
"""
_FIND: Final = f"""
SELECT connected.store_id, base_url, merchant_id, webhook_secret, previous_webhook_secret, previous_secret_until
{_CONNECTED}
"""
# Where shops share an app's secret (SHOPLINE in Asia), a message that one has taken in opens the others' doors, too.
_TAKEN_ELSEWHERE: Final = """
SELECT FROM platforms_inbounddelivery
WHERE platform = %s::text AND key = %s::text AND store_id <> %s::bigint AND headers ->> %s::text = %s::text LIMIT 1
"""
_KEEP: Final = f"""
WITH door AS (
    SELECT connected.store_id, connected.platform
    {_CONNECTED} AND connected.store_id = %(store_id)s::bigint
        AND (base_url, merchant_id, webhook_secret, previous_webhook_secret, previous_secret_until)
            IS NOT DISTINCT FROM (%(base_url)s::text, %(merchant_id)s::text, %(secret)s::text, %(previous)s::text,
                %(until)s::timestamptz)
), kept AS (
    INSERT INTO platforms_inbounddelivery
        (store_id, platform, topic, key, is_test, headers, body, received_at, state, attempts, next_attempt_at,
         outcome, last_error, external_id)
    SELECT store_id, platform, %(topic)s::text, %(key)s::text, %(is_test)s::boolean, %(headers)s::jsonb,
        %(body)s::bytea, %(now)s::timestamptz, %(state)s::text, 0, %(turn)s::timestamptz, %(outcome)s::text,
        %(refused)s::text, ''
    FROM door
    ON CONFLICT (store_id, platform, key) DO NOTHING
    RETURNING id
)
SELECT EXISTS (SELECT FROM door), EXISTS (SELECT FROM kept)
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
    remembered = _DOORS.get((platform, slug))
    if remembered is not None:
        answer = _take(request, remembered, now)
        # Only what was kept is certain: anything else may be because the connection has changed.
        if answer.is_kept:
            return answer.response
    door = _find(platform, slug)
    if door is None:
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    return _take(request, door, now).response


@dataclass(frozen=True, slots=True)
class _Door:
    """What the receipt needs to know of a connection; the model's own rows take longer to make."""

    platform: str
    slug: str
    store_id: int
    base_url: str
    merchant_id: str
    secret: str = field(repr=False)
    previous: str = field(repr=False)
    until: datetime | None

    @property
    def webhooks(self) -> Webhooks:
        """What is peculiar to the platform's webhooks."""
        return PLATFORMS[self.platform].webhooks

    def secrets(self, now: datetime) -> list[bytes]:
        """What messages may be signed with at ``now``."""
        held = [self.secret, *([self.previous] if self.until is not None and now < self.until else [])]
        return [_revealed(token) for token in held if token]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is answered. ``is_kept``: the message is stored, so the connection was as it was believed to be."""

    response: HttpResponse
    is_kept: bool = False


_DOORS: Final[dict[tuple[str, str], _Door]] = {}
_MOST_DOORS: Final = 1_000


def _find(platform: str, slug: str) -> _Door | None:
    """The connection of a store that takes in the platform's webhooks; remembered from now on."""
    with every_store():
        found = ask(_FIND, {"platform": platform, "slug": slug}).rows()
    if not found:
        return None
    if len(_DOORS) >= _MOST_DOORS:
        _DOORS.clear()
    door = _DOORS[platform, slug] = _Door(platform, slug, *found[0])
    return door


@lru_cache(maxsize=256)
def _revealed(token: str) -> bytes:
    """A secret in plain text, kept by its encrypted form: one that is changed is never an old one."""
    return Secret(token).reveal().encode()


def _take(request: HttpRequest, door: _Door, now: datetime) -> _Answer:
    body, headers = request.body, headers_of(request.META)
    webhooks = door.webhooks
    if webhooks.is_greeting(headers, body):
        return _Answer(HttpResponse(status=HTTPStatus.OK))
    signed = Signed(body, headers, request.GET.get("sign", "") if request.META.get("QUERY_STRING") else "")
    if not webhooks.is_signed(signed, door.secrets(now), now):
        return _Answer(HttpResponse(status=HTTPStatus.UNAUTHORIZED))
    try:
        document = document_of(body)
    except NotAnObject as error:
        return _Answer(HttpResponse(str(error), "text/plain; charset=utf-8", status=HTTPStatus.BAD_REQUEST))
    envelope = open_envelope(webhooks, headers, body, document)
    is_ours = is_addressed_to(webhooks, door.base_url, headers, document)
    if not is_ours or _is_anothers(door, envelope, headers, document):
        return _Answer(HttpResponse(status=HTTPStatus.UNAUTHORIZED))
    if not _keep(door, envelope, headers, body, now):
        # It has changed this very moment; the platform sends the message again.
        return _Answer(HttpResponse(status=HTTPStatus.SERVICE_UNAVAILABLE))
    return _Answer(HttpResponse(status=HTTPStatus.BAD_REQUEST if envelope.refused else HTTPStatus.OK), is_kept=True)


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
    said = [door.platform, envelope.key, door.store_id, header, headers.get(header, "")]
    with every_store():
        return bool(ask(_TAKEN_ELSEWHERE, said).rows())


def _keep(door: _Door, envelope: Envelope, headers: dict[str, str], body: bytes, now: datetime) -> bool:
    """Store the delivery, once, and have it worked on; a test, and what is refused, is stored and that is all.

    Answers False, and nothing is stored, where the connection is not what ``door`` says.
    """
    state = DeliveryState.IGNORED if envelope.is_test else DeliveryState.WAITING
    state = DeliveryState.FAILED if envelope.refused else state
    turn = now if state == DeliveryState.WAITING else None
    said = {
        "platform": door.platform, "slug": door.slug, "store_id": door.store_id, "base_url": door.base_url,
        "merchant_id": door.merchant_id, "secret": door.secret, "previous": door.previous, "until": door.until,
        "topic": envelope.topic, "key": envelope.key, "is_test": envelope.is_test, "headers": json.dumps(headers),
        "body": body, "now": now, "state": state.value, "turn": turn,
        "outcome": TEST_WORDS if envelope.is_test else "", "refused": envelope.refused,
    }  # fmt: skip
    with in_store(door.store_id):
        ((is_as_believed, is_new),) = ask(_KEEP, said).rows()
    if is_new and turn:
        _WAKING.note_delivery()
    return bool(is_as_believed)


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
