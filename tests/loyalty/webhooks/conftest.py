"""A store, and a server that its endpoint can be."""

import pytest
from pytest_httpserver import HTTPServer

from loyalty.stores.models import Store
from tests.factories import make_store
from tests.loyalty.webhooks.receiving import Receiver


@pytest.fixture
def store(db: None) -> Store:
    """The store under test."""
    return make_store()


@pytest.fixture
def receiver(httpserver: HTTPServer) -> Receiver:
    """A server that keeps what it is sent and answers 204."""
    return Receiver(httpserver)
