"""What the API's tests share."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client

from loyalty.stores.models import Customer, Store

NOW = datetime(2026, 1, 5, 3, tzinfo=UTC)


class ApiClient(Client):
    """A client that speaks JSON with a key."""

    def __init__(self, key: str) -> None:
        super().__init__(headers={"authorization": f"Bearer {key}"})
        self.commands = 0

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """A request with a JSON body; header names are written with underscores."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.generic(
            method, f"/api/v1{path}", content if body is not None else b"", "application/json", headers=names
        )

    def read(self, path: str, **parameters: Any) -> Any:
        """A GET, without its prefix."""
        return self.get(f"/api/v1{path}", parameters)

    def command(self, path: str, body: Any, *, key: str = "") -> Any:
        """A command under an Idempotency-Key of its own, or the one given."""
        self.commands += 1
        return self.send("POST", path, body, idempotency_key=key or f"command-{self.commands}")


@contextmanager
def connections_kept() -> Iterator[None]:
    """While a test calls the WSGI application itself, whose requests would close the test's own connection."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


ClientFor = Callable[..., ApiClient]


def make_customer(store: Store, **values: Any) -> Customer:
    """A customer, made directly."""
    customer: Customer = Customer.unscoped.create(
        **{"store": store, "email": "ana@example.org", "name": "Ana", "created_at": NOW, "updated_at": NOW} | values
    )
    return customer
