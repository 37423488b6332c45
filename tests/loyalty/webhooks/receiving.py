"""An endpoint of a store, and a real server behind it that answers as it is told and keeps what it was sent."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook
from werkzeug import Request, Response

from loyalty.journal.record import Event, Happening, record
from loyalty.outbox.deliver import deliver_outbox
from loyalty.outbox.models import Message
from loyalty.stores.models import Store
from loyalty.webhooks.endpoints import EndpointValues, create_endpoint
from loyalty.webhooks.events import WebhookEvent
from loyalty.webhooks.models import WebhookEndpoint
from tests.factories import ACTOR, BEFORE, NOW

SECOND = timedelta(seconds=1)


@dataclass
class Received:
    """One delivery as it arrived."""

    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def verify(self, secret: str) -> None:
        """Have the library of the standard judge the signature. Raises unless it is right."""
        Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """A server at ``url``; ``answer`` says what it answers next."""

    server: HTTPServer
    path: str = "/hook"
    answer: Callable[[Request], Response] = field(default=lambda _request: Response(status=204))
    received: list[Received] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.server.expect_request(self.path).respond_with_handler(self._take)

    @property
    def url(self) -> str:
        return self.server.url_for(self.path)

    def answers(self, status: int, body: str = "", **headers: str) -> None:
        """Answer so from now on."""
        self.answer = lambda _request: Response(
            body, status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    def _take(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self.lock:
            self.received.append(Received(headers, request.get_data()))
        return self.answer(request)


def make_endpoint(store: Store, url: str, *events: str, now: datetime = BEFORE) -> tuple[WebhookEndpoint, str]:
    """An endpoint for these events (all without), and its secret."""
    values = EndpointValues(url=url, events=events or tuple(WebhookEvent))
    return create_endpoint(store=store, values=values, actor=ACTOR, now=now)


def happen(store: Store, number: int = 1, *, event: Event = Event.ORDER_CANCELLED, now: datetime = NOW) -> None:
    """Record events without an order."""
    record([Happening(store.pk, event, data={"trigger": "api"}) for _ in range(number)], actor=ACTOR, now=now)


def deliver(now: datetime = NOW) -> dict[str, int]:
    """Run the job once."""
    return dict(deliver_outbox(now))


def deliver_on_a_connection_of_its_own(now: datetime = NOW) -> dict[str, int]:
    """As :func:`deliver`, for threads."""
    try:
        return deliver(now)
    finally:
        connection.close()


def counts(done: int = 0, postponed: int = 0, failed: int = 0) -> dict[str, int]:
    """What the job says it did."""
    return {"done": done, "postponed": postponed, "failed": failed}


def only_message(store: Store) -> Message:
    """The store's one message."""
    message: Message = Message.objects.for_store(store).get()
    return message
