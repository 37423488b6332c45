"""From a payment that failed to the customer's balance raised, beside a task of Celery that does nothing.

Marked failed here, or told by a webhook, from its first byte on.
"""

import json
import os
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from hmac import digest
from http import HTTPStatus
from typing import Final
from uuid import uuid4

from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from loyalty.celery import app
from loyalty.core.encryption import Secret
from loyalty.platforms.models import PlatformConnection
from loyalty.stores.actors import Actor
from loyalty.stores.models import SettingsVersion, Store
from orders.models import Order
from orders.services.intake.change import change_order

_ACTOR: Final = Actor.command("benchmark")
_PATIENCE: Final = 60.0
# Webhooks that come within a second of one another wait for its end together; this is about one that comes alone.
_APART: Final = 1.2
_PLATFORM: Final = "woocommerce"
_SIGNED_WITH: Final = "made-up"
# One for all, as a web is: the first message loads it.
_PLATFORM_THERE: Final = Client(SERVER_NAME="localhost")


def nothing(token: str) -> None:
    """Say that it ran."""
    cache.set(token, 1, 60)


app.task(name="benchmarks.nothing")(nothing)


def latency(count: str) -> dict[str, list[float]]:
    """Seconds of each, in turns, by a worker that has nothing else to do."""
    # Nor has it anything left of the generated data: expired payments are left alone.
    for store in Store.objects.all():
        SettingsVersion.unscoped.create(
            store=store, version=2, data={"auto_cancel": {"expired": "off"}}, actor="", created_at=timezone.now()
        )
    waiting = Order.unscoped.filter(status="pending", payment_status="pending", credits_applied__gt=0, codes=[])
    newest = waiting.filter(credits_reverted=0).select_related("store").order_by("-pk")
    orders = list(newest[: 2 * (int(count) + 1)])
    marked, told = orders[::2], orders[1::2]
    connect(told)
    times: dict[str, list[float]] = {"ours": [], "told": [], "reference": []}
    with workers("--include", "benchmarks.latency"):
        for one, other in zip(marked, told, strict=False):
            times["ours"].append(_returned(one, _mark))
            time.sleep(_APART)
            times["told"].append(_returned(other, tell))
            times["reference"].append(_nothing())
    # The first of each only warms up.
    return {who: seconds[1:] for who, seconds in times.items()}


def connect(orders: Sequence[Order]) -> None:
    """Have these be orders of a platform that sends webhooks."""
    now = timezone.now()
    facts = {"platform": _PLATFORM, "webhook_secret": Secret.of(_SIGNED_WITH), "created_at": now, "updated_at": now}
    for store in {order.store for order in orders}:
        PlatformConnection.unscoped.create(store=store, **facts)
    Order.unscoped.filter(pk__in=[order.pk for order in orders]).update(platform=_PLATFORM)


def _returned(order: Order, fail: Callable[[Order], None]) -> float:
    start = time.perf_counter()
    fail(order)
    back = Order.unscoped.filter(pk=order.pk, credits_reverted__gt=0)
    return _until(back.exists, start)


def _mark(order: Order) -> None:
    failed = {"payment_status": "failed"}
    change_order(store=order.store, order_id=order.pk, values=failed, actor=_ACTOR, now=timezone.now())


def tell(order: Order) -> None:
    """Send the webhook that says that its payment failed."""
    said = {
        "id": int(order.external_id or 0),
        "number": order.number,
        "status": "failed",
        "currency": order.currency,
        "total": str(order.total),
        "line_items": [],
        "date_created_gmt": f"{order.placed_at:%Y-%m-%dT%H:%M:%S}",
        "date_modified_gmt": f"{timezone.now():%Y-%m-%dT%H:%M:%S}",
    }
    body = json.dumps(said).encode()
    headers = {
        "X-WC-Webhook-Topic": "order.updated",
        "X-WC-Webhook-Signature": b64encode(digest(_SIGNED_WITH.encode(), body, sha256)).decode(),
        "X-WC-Webhook-Delivery-ID": uuid4().hex,
    }
    where = f"/hooks/{_PLATFORM}/{order.store.slug}/"
    answer = _PLATFORM_THERE.post(where, body, "application/json", headers=headers)
    if answer.status_code != HTTPStatus.OK:
        raise SystemExit(f"The webhook was answered with {answer.status_code}: {answer.content!r}")


def _nothing() -> float:
    token, start = uuid4().hex, time.perf_counter()
    app.send_task("benchmarks.nothing", [token])
    return _until(lambda: bool(cache.get(token)), start)


def _until(is_done: Callable[[], bool], start: float) -> float:
    while not is_done():
        if time.perf_counter() - start > _PATIENCE:
            raise SystemExit("Nothing happened.")
        time.sleep(0.001)
    return time.perf_counter() - start


@contextmanager
def workers(*options: str) -> Iterator[None]:
    """Workers as they run in production, two processes."""
    command = [sys.executable, "-m", "celery", "-A", "loyalty", "worker", "--loglevel", "WARNING", "--concurrency", "2"]
    # What they say is not what was measured.
    with subprocess.Popen([*command, *options], env=os.environ, stdout=sys.stderr) as started:
        try:
            while not app.control.ping(timeout=1):
                pass
            yield
        finally:
            started.terminate()
