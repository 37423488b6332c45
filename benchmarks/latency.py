"""From a payment marked failed to the customer's balance raised, beside a task of Celery that does nothing."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final
from uuid import uuid4

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from loyalty.celery import app
from loyalty.stores.actors import Actor
from loyalty.stores.models import SettingsVersion, Store
from orders.models import Order
from orders.services.intake.change import change_order

_ACTOR: Final = Actor.command("benchmark")
_PATIENCE: Final = 60.0


@shared_task(name="benchmarks.nothing")
def nothing(token: str) -> None:
    """Say that it ran."""
    cache.set(token, 1, 60)


def latency(count: str) -> dict[str, list[float]]:
    """Seconds of each, in turns, by a worker that has nothing else to do."""
    # Nor has it anything left of the generated data: expired payments are left alone.
    for store in Store.objects.all():
        SettingsVersion.unscoped.create(
            store=store, version=2, data={"auto_cancel": {"expired": "off"}}, actor="", created_at=timezone.now()
        )
    waiting = Order.unscoped.filter(status="pending", payment_status="pending", credits_applied__gt=0, codes=[])
    orders = list(waiting.filter(credits_reverted=0).select_related("store").order_by("-pk")[: int(count) + 1])
    times: dict[str, list[float]] = {"ours": [], "reference": []}
    with workers("--include", "benchmarks.latency"):
        for order in orders:
            times["ours"].append(_returned(order))
            times["reference"].append(_nothing())
    # The first of each only warms up.
    return {who: seconds[1:] for who, seconds in times.items()}


def _returned(order: Order) -> float:
    start = time.perf_counter()
    failed = {"payment_status": "failed"}
    change_order(store=order.store, order_id=order.pk, values=failed, actor=_ACTOR, now=timezone.now())
    back = Order.unscoped.filter(pk=order.pk, credits_reverted__gt=0)
    return _until(back.exists, start)


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
