"""Whose value the races are about."""

import pytest

from loyalty.stores.models import Customer
from tests import factories


@pytest.fixture
def customer() -> Customer:
    """A customer of a store of his own, committed: every connection sees them."""
    return factories.make_customer(factories.make_store())
