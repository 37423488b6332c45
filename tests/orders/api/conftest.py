"""Two shops, each with a client; the clock stands at noon of 5 January 2026 in the first one."""

from collections.abc import Iterator

import pytest
import time_machine

from tests.examples import Shop, open_shop


@pytest.fixture(autouse=True)
def clock(db: None) -> Iterator[time_machine.Traveller]:
    """The clock of every test stands still until it is moved."""
    with time_machine.travel("2026-01-05T12:00:00+08:00", tick=False) as traveller:
        yield traveller


@pytest.fixture
def shop() -> Shop:
    """The shop under test."""
    return open_shop()


@pytest.fixture
def outsider() -> Shop:
    """Another shop, which must never see or change anything of the first."""
    return open_shop("pens", time_zone="Europe/Berlin")
