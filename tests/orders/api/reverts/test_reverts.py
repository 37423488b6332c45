"""The list of reverts."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.examples import Example, Shop, x1, x3

Clock = time_machine.Traveller


@pytest.fixture
def both(shop: Shop, clock: Clock) -> tuple[Example, Example]:
    """X2 done on 5 January, and the first half of X1 with points an hour later."""
    first, second = x1(shop), x1(shop, "1002")
    clock.move_to(first.now)
    shop.cancel(first.order, revert_credits=True, extend={"credits": {"days": 30}})
    clock.shift(timedelta(hours=1))
    shop.cancel(second.order, revert_credits=True)
    return first, second


def test_a_revert_is_shown_as_the_cancel_answered_it(shop: Shop, both: tuple[Example, Example], clock: Clock) -> None:
    third = x3(shop)
    clock.move_to(third.now)
    made = shop.cancel(third.order, revert_credits=True, extend={"credits": {"days": 3}}).json()["reverts"][0]

    shown = shop.get(f"/reverts/{made['id']}/").json()

    assert made.items() <= shown.items()
    assert all(lot["new_lot"] for lot in shown["lots"])
    assert (shown["order"], shown["customer"], shown["currency"]) == (third.order, third.customer, "USD")
    assert (shown["created_at"], shown["actor"]["name"]) == ("2026-01-05T04:00:00Z", "API key “shop”")
    assert shown in shop.get("/reverts/").json()["results"]


def test_only_an_extended_lot_names_a_new_one(shop: Shop, both: tuple[Example, Example]) -> None:
    newest, oldest = shop.get("/reverts/").json()["results"]

    assert [lot["new_lot"] is None for lot in newest["lots"]] == [True, True]
    assert [lot["new_lot"] is None for lot in oldest["lots"]] == [False, True]


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"kind": "credits"}, 2),
        ({"kind": "points"}, 0),
        ({"trigger": "api"}, 2),
        ({"trigger": "bulk"}, 0),
        ({"created_after": "2026-01-05T05:00:00Z"}, 1),
        ({"created_before": "2026-01-05T05:00:00Z"}, 1),
        ({"created_before": "2026-01-05T04:00:00Z", "kind": "credits"}, 0),
        ({"order": "0"}, 0),
    ],
)
def test_reverts_are_filtered(
    shop: Shop, both: tuple[Example, Example], parameters: dict[str, str], found: int
) -> None:
    assert len(shop.get("/reverts/", **parameters).json()["results"]) == found


def test_reverts_of_an_order_and_of_a_customer(shop: Shop, both: tuple[Example, Example]) -> None:
    first, second = both

    of_order = shop.get("/reverts/", order=first.order).json()["results"]
    of_customer = shop.get("/reverts/", customer=second.customer).json()["results"]

    assert [revert["amount"] for revert in of_order] == ["15.00"]
    assert [revert["order"] for revert in of_customer] == [second.order]


@pytest.mark.parametrize("parameters", [{"kind": "money"}, {"trigger": "x"}, {"created_after": "1"}, {"sort": "id"}])
def test_an_unknown_parameter_or_value_is_named(shop: Shop, parameters: dict[str, str]) -> None:
    response = shop.get("/reverts/", **parameters)

    assert response.status_code == 400
    assert next(iter(parameters)) in response.json()["detail"]


def test_the_list_takes_as_many_statements_for_three_rows_as_for_one(shop: Shop, clock: Clock) -> None:
    def statements(number: str) -> int:
        example = x1(shop, number)
        clock.move_to(example.now)
        shop.cancel(example.order, revert_credits=True, extend={"credits": {"days": 1}})
        with CaptureQueriesContext(connection) as queries:
            shop.get("/reverts/")
        return len(queries)

    counts = [statements(str(number)) for number in range(3)]

    assert counts[0] == counts[2] <= 8
