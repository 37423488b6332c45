"""What another store's requests take while one store brings its balances: the same requests with it and without."""

import subprocess
import time
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any, Final

from django.conf import settings
from django.test import Client
from django.utils import timezone

from benchmarks.moving_in import command_for
from loyalty.stores.keys import ALL_SCOPES, create_api_key
from loyalty.stores.models import Store
from orders.models import Order

# Whose requests are measured: the largest store, which has orders enough to cancel.
_OTHER: Final = 1
_PAUSE: Final = 0.05
_AT_ONCE: Final = 40


def beside_an_import(count: str) -> dict[str, Any]:
    """Lists and cancels of a store while another imports so many people, and while nobody does, in milliseconds."""
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    settings.ALLOWED_HOSTS = ["*"]
    store = Store.objects.get(pk=_OTHER)
    _, key = create_api_key(store=store, name="Benchmark", scopes=[ALL_SCOPES], now=timezone.now())
    requests = _Requests(store, key)
    requests.some(_AT_ONCE // 2)
    alone = requests.some(_AT_ONCE)
    with TemporaryDirectory() as folder:
        beside = _while_running(command_for(int(count), Path(folder)), requests)
    alone += requests.some(_AT_ONCE)
    return {"alone": _p95(alone), "beside": _p95(beside), "requests": len(beside)}


def _while_running(command: Sequence[str], requests: "_Requests") -> list[float]:
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as running:
        beside: list[float] = []
        while running.poll() is None:
            beside += requests.some(_AT_ONCE // 4)
    if running.returncode:
        raise SystemExit("The import failed.")
    return beside


class _Requests:
    """A store's requests over REST, each list of orders followed by a cancel."""

    def __init__(self, store: Store, key: str) -> None:
        self._client = Client(headers={"Authorization": f"Bearer {key}"})
        paid = Order.unscoped.filter(store=store, status="confirmed", payment_status="paid", credits_reverted=0)
        self._orders = iter(paid.filter(credits_applied__gt=0, codes=[]).values_list("pk", flat=True))

    def some(self, count: int) -> list[float]:
        """So many of each; what each took in milliseconds."""
        return [taken for _ in range(count) for taken in (self._list(), self._cancel())]

    def _list(self) -> float:
        return self._timed(lambda: self._client.get("/api/v1/orders/"))

    def _cancel(self) -> float:
        order, body = next(self._orders), {"revert_credits": True, "revert_points": True}
        address, key = f"/api/v1/orders/{order}/cancel/", {"Idempotency-Key": f"beside-{order}"}
        return self._timed(lambda: self._client.post(address, body, "application/json", headers=key))

    def _timed(self, send: Any) -> float:
        # As people ask, with a pause: what is measured is how long they wait, not how much goes through.
        time.sleep(_PAUSE)
        began = time.perf_counter()
        answer = send()
        taken = (time.perf_counter() - began) * 1000
        if answer.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            raise SystemExit(f"A request was answered with {answer.status_code}: {answer.content[:200]!r}")
        return taken


def _p95(times: Sequence[float]) -> float:
    return quantiles(times, n=20)[-1]
