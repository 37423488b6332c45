"""Two stores with the same customers, and a client with every scope for each."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from loyalty.stores.keys import create_api_key
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
        content = body if isinstance(body, str | bytes) else self._encode_json(body, "application/json")
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


ClientFor = Callable[..., ApiClient]


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def clock(db: None) -> Any:
    """The clock of every test; it stands still until moved."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def store() -> Store:
    """The store under test."""
    return Store.objects.create(
        slug="tea", name="Tea", currency="USD", time_zone="Asia/Taipei", locale="en", created_at=NOW
    )


@pytest.fixture
def outsider() -> Store:
    """Another store, whose rows must never be seen or changed."""
    return Store.objects.create(
        slug="pens", name="Pens", currency="JPY", time_zone="Europe/Berlin", locale="de", created_at=NOW
    )


@pytest.fixture
def client_for() -> ClientFor:
    """Makes a client of a store with the scopes given, all by default."""

    def make(store: Store, scopes: Sequence[str] = ("*",)) -> ApiClient:
        return ApiClient(create_api_key(store=store, name="test", scopes=scopes, now=NOW)[1])

    return make


@pytest.fixture
def api(store: Store, client_for: ClientFor) -> ApiClient:
    """A client that may do everything in the store."""
    return client_for(store)


@pytest.fixture
def foreign_api(outsider: Store, client_for: ClientFor) -> ApiClient:
    """A client that may do everything, in the other store."""
    return client_for(outsider)


def make_customer(store: Store, **values: Any) -> Customer:
    """A customer, made directly."""
    return Customer.unscoped.create(
        **{"store": store, "email": "ana@example.org", "name": "Ana", "created_at": NOW, "updated_at": NOW} | values
    )


@pytest.fixture
def customer(store: Store) -> Customer:
    """A customer of the store."""
    return make_customer(store)


@pytest.fixture
def foreign_customer(outsider: Store) -> Customer:
    """A customer of the other store."""
    return make_customer(outsider)
