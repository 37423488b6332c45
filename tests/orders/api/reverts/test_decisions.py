"""The decision trace over REST (N6)."""

from typing import Any

import pytest
import time_machine

from tests.examples import Shop, x1, x4
from tests.orders.services.automation.sweeping import run_jobs

Clock = time_machine.Traveller


def decisions(shop: Shop, order: str) -> list[dict[str, Any]]:
    """All decisions about the order, newest first, without what differs from run to run."""
    answer = shop.get(f"/orders/{order}/decisions/")
    assert answer.status_code == 200, answer.content
    rows: list[dict[str, Any]] = answer.json()["results"]
    return [{name: row[name] for name in row if name not in ("id", "created_at")} for row in rows]


def test_n6_a_partial_return_says_why_the_rest_stayed(shop: Shop, clock: Clock) -> None:
    example = x1(shop)
    clock.move_to(example.now)

    shop.cancel(example.order, revert_credits=True)

    assert decisions(shop, example.order) == [
        {
            "kind": "credits",
            "trigger": "api",
            "settings_version": 0,
            "matched": {"by": "person", "value": None},
            "outcome": "partly_returned",
            "code": "expired",
            "sentence": "Returned 5.00 USD of 15.00 USD through the REST API, the rest had expired.",
        }
    ]


def test_n6_each_kind_has_its_own_decision(shop: Shop, clock: Clock) -> None:
    example = x4(shop)
    clock.move_to(example.now)

    run_jobs()

    points, credits = decisions(shop, example.order)
    assert (points["kind"], points["outcome"], points["code"]) == ("points", "returned", None)
    assert credits == {
        "kind": "credits",
        "trigger": "payment_expired",
        "settings_version": 1,
        "matched": {"by": "setting", "value": "auto_cancel.expired"},
        "outcome": "not_returned",
        "code": "blocked",
        "sentence": (
            "Did not return 100.00 USD of store credits because the payment expired: "
            "a part had expired, and this store returns all or nothing then."
        ),
    }


@pytest.mark.parametrize(
    ("body", "code", "sentence"),
    [
        ({"revert_credits": False}, "declined", "Decided not to return 15.00 USD of store credits."),
        ({}, "not_selected", "Left returning 15.00 USD of store credits for later."),
    ],
)
def test_n4_n6_declining_and_leaving_for_later_are_told_apart(
    shop: Shop, clock: Clock, body: dict[str, Any], code: str, sentence: str
) -> None:
    example = x1(shop)
    clock.move_to(example.now)

    shop.cancel(example.order, **body)

    (only,) = decisions(shop, example.order)
    assert (only["code"], only["matched"]["by"], only["sentence"]) == (code, "person", sentence)


def test_n6_what_decides_nothing_new_leaves_no_trace(shop: Shop, clock: Clock) -> None:
    example = x1(shop)
    clock.move_to(example.now)
    shop.cancel(example.order, revert_credits=False)

    shop.cancel(example.order)
    shop.cancel(example.order)

    assert [row["code"] for row in decisions(shop, example.order)] == ["declined"]


def test_n6_an_order_that_used_nothing_has_no_decisions(shop: Shop) -> None:
    order = shop.command(
        "/orders/", {"number": "1", "customer": {"email": "ana@example.org", "name": "Ana"}, "total": "1.00"}
    ).json()

    shop.cancel(order["id"], revert_credits=True)

    assert decisions(shop, order["id"]) == []
