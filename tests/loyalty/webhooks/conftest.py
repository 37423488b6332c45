"""A server that a store's endpoint can be."""

import pytest
from pytest_httpserver import HTTPServer

from tests.loyalty.webhooks.receiving import Receiver


@pytest.fixture
def receiver(httpserver: HTTPServer) -> Receiver:
    """A server that keeps what it is sent and answers 204."""
    return Receiver(httpserver)
