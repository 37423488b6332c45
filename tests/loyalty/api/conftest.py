"""Two stores with the same customers, and a client with every scope for each."""

import uuid
from collections.abc import Sequence
from typing import Any

import pytest
import time_machine

from loyalty.stores.keys import create_api_key
from loyalty.stores.models import Customer, Store
from tests.loyalty.api.support import NOW, ApiClient, ClientFor, make_customer


@pytest.fixture(autouse=True)
def _own_cache(settings: Any) -> None:
    # Parallel runs share one server, and keys of different databases share ids.
    settings.CACHES = {"default": {**settings.CACHES["default"], "KEY_PREFIX": uuid.uuid4().hex}}


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


@pytest.fixture
def customer(store: Store) -> Customer:
    """A customer of the store."""
    return make_customer(store)


@pytest.fixture
def foreign_customer(outsider: Store) -> Customer:
    """A customer of the other store."""
    return make_customer(outsider)
