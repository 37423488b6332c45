"""A shop, its neighbour and a clock, for what jobs do by themselves."""

from collections.abc import Iterator

import pytest
import time_machine

from tests.books import find_faults
from tests.examples import Shop
from tests.orders.services.shops import open_quick_shop


@pytest.fixture
def clock(db: None) -> Iterator[time_machine.Traveller]:
    """The clock stands still until it is moved; at first it is 1 September 2021."""
    with time_machine.travel("2021-09-01T12:00:00+08:00", tick=False) as traveller:
        yield traveller


@pytest.fixture
def shop(clock: time_machine.Traveller) -> Shop:
    """The shop under test."""
    return open_quick_shop()


@pytest.fixture
def sound(db: None) -> Iterator[None]:
    """After the test the books of every store agree."""
    yield
    assert find_faults(None) == []
