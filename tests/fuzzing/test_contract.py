"""The API keeps to its published schema, whatever is sent: every check and every phase of schemathesis.

The ordinary run is short and sends the same every time. The long one is asked for by its number of examples:

    FUZZ_EXAMPLES=50 FUZZ_SEED=7 ./run test tests/fuzzing
"""

import logging
import os
from collections.abc import Iterator
from typing import Any, Final

import pytest
import time_machine

from loyalty.stores.keys import create_api_key
from tests import factories
from tests.fuzzing.running import PHASES, fuzz
from tests.loyalty.backoffice.test_every_address import Shop

SEED: Final = int(os.environ.get("FUZZ_SEED", "1"))
EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "0"))
# Coverage goes through everything that the schema says of an operation: the ordinary run has one of each sort.
COVERED: Final = (
    "GET /api/v1/reverts/",
    "POST /api/v1/customers/{customer_id}/points/",
    "POST /api/v1/orders/{order_id}/reinstate/",
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(max(300, 600 * EXAMPLES))]


@pytest.fixture(autouse=True)
def _quick_and_quiet(settings: Any) -> Iterator[None]:
    settings.API_REQUESTS_PER_MINUTE = 10**9
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def key() -> str:
    """A key with every scope of a shop that has one of everything."""
    with time_machine.travel(factories.NOW, tick=False):
        shop = Shop()
    return create_api_key(store=shop.store, name="all", scopes=["*"], now=factories.NOW)[1]


@pytest.mark.skipif(EXAMPLES > 0, reason="the long run covers all of them")
def test_what_the_schema_says_of_an_operation_holds(key: str) -> None:
    report = fuzz(key, seed=SEED, examples=1, phases=["coverage"], operations=COVERED)
    assert (report.failures, report.requests.total() > 100) == ({}, True)


def test_the_api_keeps_to_its_schema(key: str) -> None:
    phases = PHASES if EXAMPLES else ("examples", "fuzzing", "stateful")
    report = fuzz(key, seed=SEED, examples=EXAMPLES or 1, phases=phases)
    print(report.requests.total(), "requests:", dict(report.requests), dict(report.answers))  # noqa: T201 - a long run's
    assert (report.failures, report.requests.total() > 100) == ({}, True)
