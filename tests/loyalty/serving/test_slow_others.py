"""Whoever is slow, client or partner, stops nobody else: the web of production, alone and behind its proxy."""

import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection, HTTPSConnection
from itertools import count, cycle, islice
from pathlib import Path
from runpy import run_path
from threading import Event, Thread
from time import monotonic
from typing import Final

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.utils import timezone

from loyalty.core.encryption import Secret
from loyalty.outbox.models import Message
from loyalty.serving.worker import MOST_BODY, MOST_HEADERS
from loyalty.stores.keys import create_api_key
from loyalty.stores.models import Role, Store
from orders.models import Order, Redemption
from tests import factories
from tests.addresses import pages_of, reverse
from tests.deliveries import connect_store
from tests.workers import ANY_CERTIFICATE, PROJECT, proxy, web

# With so many half-sent requests, and a partner that is asked so often, an answer is there so soon.
MANY: Final = 200
PRESSES: Final = 8
SOON: Final = 1.0
# The fastest of so many: another process on this machine may take the processor away from one.
TRIES: Final = 3
PATIENCE: Final = 30
KEY: Final = "k" * 60
WORKERS: Final[int] = run_path(str(PROJECT / "gunicorn.conf.py"))["workers"]

pytestmark = pytest.mark.django_db(transaction=True)

_BEGUN: Final = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HALVES: Final = (
    b"P",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Half: ",
    _BEGUN % b"/api/v1/orders/" + b"Content-Length: 9000\r\n\r\n{",
    _BEGUN % b"/hooks/shopify/tea/" + b"Content-Length: 9000\r\n\r\n{",
    _BEGUN % b"/admin/login/" + b"Content-Length: 9000\r\n\r\n{",
    _BEGUN % b"/api/v1/orders/" + b"Transfer-Encoding: chunked\r\n\r\n9000\r\n{",
)


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    seconds: float


@dataclass(frozen=True)
class Door:
    """Where the web is reached: past the proxy with the header that the proxy would set, or through it, by TLS."""

    port: int
    by_tls: bool

    def connect(self) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        return ANY_CERTIFICATE.wrap_socket(plain, server_hostname="localhost") if self.by_tls else plain

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """One request on a connection of its own."""
        began = monotonic()
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        if self.by_tls:
            line: HTTPConnection = HTTPSConnection("localhost", self.port, timeout=PATIENCE, context=ANY_CERTIFICATE)
        else:
            line = HTTPConnection("localhost", self.port, timeout=PATIENCE)
            named["X-Forwarded-Proto"] = "https"
        line.request(method, path, None if body is None else json.dumps(body), named)
        answer = line.getresponse()
        said = answer.read()
        line.close()
        return Answer(answer.status, said, monotonic() - began)


@contextmanager
def half_sent_requests(door: Door) -> Iterator[list[socket.socket]]:
    """Many requests of which half is sent; some go on, a byte at a time."""
    is_over = Event()
    with ExitStack() as stack:
        halves = [stack.enter_context(door.connect()) for _ in range(MANY)]
        for line, half in zip(halves, cycle(HALVES), strict=False):
            line.sendall(half)

        def go_on() -> None:
            while not is_over.wait(0.2):
                for line in halves[::7]:
                    with suppress(OSError):  # given up by the server, as it may
                        line.sendall(b"x")

        thread = Thread(target=go_on)
        thread.start()
        try:
            yield halves
        finally:
            is_over.set()
            thread.join()


@contextmanager
def slow_partner() -> Iterator[socket.socket]:
    """A server to which everybody may connect, and which never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        listener.settimeout(PATIENCE)
        yield listener


@dataclass(frozen=True)
class Scene:
    """A store with orders to cancel, and codes that its slow platform must be asked about before their reversal."""

    store: Store
    key: str
    cookie: str
    orders: Iterator[Order]
    redemptions: list[Redemption]
    check: str
    partner: socket.socket

    def press_test(self, door: Door) -> Answer:
        token = "t" * 32
        cookies = f"{settings.SESSION_COOKIE_NAME}={self.cookie}; csrftoken={token}"
        here = {"Origin": f"https://localhost:{door.port}", "X_CSRFToken": token}
        return door.ask("POST", self.check, Cookie=cookies, **here)

    def reverse(self, door: Door, redemption: Redemption) -> Answer:
        return self.command(door, f"redemptions/{redemption.pk}/reverse/", {})

    def cancel(self, door: Door) -> Answer:
        body = {"reason": "customer", "revert_credits": True}
        return self.command(door, f"orders/{next(self.orders).pk}/cancel/", body)

    def command(self, door: Door, path: str, body: object) -> Answer:
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency_Key": f"key-{next(_NUMBERS)}"}
        return door.ask("POST", f"/api/v1/{path}", body, **headers, Content_Type="application/json")


_NUMBERS: Final = count(1)


@pytest.fixture
def scene() -> Iterator[Scene]:
    now = timezone.now()
    # Not the run's own, which are made by chance: a key that begins with $ would name another variable.
    with override_settings(SECRET_KEY=KEY, CREDENTIALS_KEYS=[KEY]), slow_partner() as partner:
        yield set_up(now, partner)


def set_up(now: datetime, partner: socket.socket) -> Scene:
    store = factories.make_store("tea")
    customer = factories.make_customer(store)
    factories.grant("credits", customer, "100")
    factories.grant("points", customer, 5000)
    orders = [factories.make_order(customer, credits="1.00") for _ in range(20)]
    address = f"http://127.0.0.1:{partner.getsockname()[1]}"
    connected = connect_store(store, base_url=address, access_token=Secret.of("shpat_1"))
    reward = factories.make_reward(store)
    redemptions = [factories.make_redemption(customer, reward) for _ in range(PRESSES)]
    confirmed = {"platform_state": "confirmed", "platform_reference": "gid://shopify/DiscountCodeNode/1"}
    Redemption.unscoped.update(**confirmed)
    client = Client()
    manager = factories.make_user((store, Role.MANAGER))
    client.force_login(manager, backend="django.contrib.auth.backends.ModelBackend")
    with pages_of(store):
        check = reverse("admin:platforms_platformconnection_check", [connected.pk])
    return Scene(
        store=store,
        key=create_api_key(store=store, name="tests", scopes=["*"], now=now)[1],
        cookie=client.cookies[settings.SESSION_COOKIE_NAME].value,
        orders=iter(orders),
        redemptions=redemptions,
        check=check,
        partner=partner,
    )


def assert_answers_soon(scene: Scene, door: Door) -> None:
    """/healthz and a cancel, the fastest of a few."""
    healthy = [door.ask("GET", "/healthz") for _ in range(TRIES)]
    cancelled = [scene.cancel(door) for _ in range(TRIES)]
    assert [one.status for one in healthy + cancelled] == [200] * 2 * TRIES, healthy + cancelled
    assert min(one.seconds for one in healthy) < SOON
    assert min(one.seconds for one in cancelled) < SOON


def test_whoever_is_slow_stops_nobody_else(scene: Scene, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2 * PRESSES) as hands, web(LOG_FORMAT="json", METRICS_TOKEN=KEY) as served:
        direct = Door(served.port, by_tls=False)
        assert direct.ask("POST", "/api/v1/orders/", Content_Length=str(MOST_BODY + 1)).status == 413
        assert direct.ask("GET", "/healthz", Cookie="c" * MOST_HEADERS).status == 431
        with proxy(f"127.0.0.1:{served.port}", tmp_path) as port:
            proxied = Door(port, by_tls=True)
            with half_sent_requests(proxied):
                assert_answers_soon(scene, proxied)
        with half_sent_requests(direct):
            assert_answers_soon(scene, direct)
            pressed = [hands.submit(scene.press_test, direct) for _ in range(PRESSES)]
            reversals = [hands.submit(scene.reverse, direct, one) for one in scene.redemptions]
            assert_answers_soon(scene, direct)
            assert {press.result().status for press in pressed} == {302}
            # What both processes counted, whichever of them is asked.
            counted = direct.ask("GET", "/metrics", Authorization=f"Bearer {KEY}").body.decode()
            answered = re.findall(r'requests_total\{method="POST",route="[^"/]+",status="2xx"\} (\d+)', counted)
            assert answered == [str(3 * TRIES)]
            assert "loyalty_database_readable 1.0" in counted
            # Each process lets one reversal look for what a worker is told, and it does so now: the web is told to end.
            list(islice(as_completed(reversals), PRESSES - WORKERS))
            served.process.terminate()
    # What was begun is finished: looked for during four seconds, or told to try again. The web itself asked nobody.
    assert {reversal.result().status for reversal in reversals} == {200, 503}
    scene.partner.setblocking(False)
    with pytest.raises(BlockingIOError):
        scene.partner.accept()
    assert Message.objects.for_store(scene.store).filter(topic="platform.check").count() == 1
    said = "".join(served.said)
    assert all(json.loads(line)["level"] for line in served.said)
    assert "GET /healthz 200" in said
    assert f"POST {scene.check} 302" in said
    assert not any(secret in said for secret in (scene.key, scene.cookie, "shpat_"))
