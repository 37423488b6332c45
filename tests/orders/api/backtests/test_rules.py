"""N1: trying spent-revert rules on the past over REST; the changes come through the API itself."""

from typing import Any

import pytest
import time_machine

from loyalty.journal.models import JournalEntry
from orders.models import Revert
from tests.examples import Shop, with_key
from tests.orders.services.automation.sweeping import run_jobs
from tests.published import disagreements

ADDRESS = "/settings/spent-revert/backtest/"
NOTHING = {"returned": "0.00", "not_returned": "0.00", "expired": "0.00", "blocked": "0.00", "left": "0.00"}


def spend(shop: Shop, number: str, **more: Any) -> str:
    """10.00 that expire on 3 January, 5.00 that never do and 100 points were used on 2 January."""
    with time_machine.travel(shop.at(2026, 1, 2), tick=False):
        customer = shop.customer("Ana Lee", f"ana-{number}@example.org")
        shop.give_credits(customer, "10.00", "2026-01-03")
        shop.give_credits(customer, "5.00")
        shop.give_points(customer, 100)
        return str(shop.order(customer, number, apply_credits="15.00", apply_points=100, **more)["id"])


def change(shop: Shop, order: str, day: int, **facts: Any) -> None:
    with time_machine.travel(shop.at(2026, 1, day), tick=False):
        answer = shop.send("PATCH", f"/orders/{order}/", facts)
        assert answer.status_code == 200, answer.content


def look_back(shop: Shop, **body: Any) -> Any:
    answer = shop.send("POST", ADDRESS, body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def credits(shop: Shop, **body: Any) -> tuple[str, str, str]:
    sums = look_back(shop, **body)["totals"]["credits"][0]
    return sums["returned"], sums["expired"], sums["left"]


def test_n2_counts_amounts_and_orders_per_day(shop: Shop) -> None:
    order = spend(shop, "1001")
    change(shop, order, 4, payment_status="refunded")
    before = JournalEntry.unscoped.count()
    answer = look_back(shop, days=3)
    sums = {"currency": "USD", **NOTHING, "returned": "5.00", "not_returned": "10.00", "expired": "10.00"}
    points = {"returned": 100, "not_returned": 0, "expired": 0, "blocked": 0, "left": 0}
    tally = {"orders": 1, "value": [{"currency": "USD", "amount": "100.00"}], "credits": [sums], "points": points}
    assert {name: answer["totals"][name] for name in tally} == tally
    assert answer["totals"]["by_trigger"]["rule_status"] == tally
    assert [(day["date"], day["orders"]) for day in answer["days"]] == [
        ("2026-01-03", 0),
        ("2026-01-04", 1),
        ("2026-01-05", 0),
    ]
    (shown,) = answer["orders"]
    assert (shown["id"], shown["trigger"], shown["credits"]) == (order, "rule_status", sums)
    assert shown["matched"]["points"] == {"by": "status", "value": "refunded"}
    assert shown["at"].startswith("2026-01-04T04:00:00")
    assert answer["spent_revert"] == shop.get("/settings/").json()["spent_revert"] | {"enabled": False}
    assert JournalEntry.unscoped.count() == before
    assert not Revert.unscoped.exists()


def test_n1_what_is_tried_is_merged_into_what_is_saved(shop: Shop) -> None:
    order = spend(shop, "1001", status="confirmed")
    change(shop, order, 3, tags=["Back"])
    change(shop, order, 4, tags=["other"])
    assert credits(shop) == ("0.00", "0.00", "0.00")
    assert credits(shop, tags=["back"]) == ("15.00", "0.00", "0.00")
    assert credits(shop, spent_revert={"tags": ["back"]}) == ("15.00", "0.00", "0.00")
    assert credits(shop, tags=["back"], delay_minutes=24 * 60 + 1) == ("0.00", "0.00", "0.00")
    assert credits(shop, tags=["back"], kinds=["points"]) == ("0.00", "0.00", "15.00")
    assert credits(shop, tags=["other"]) == ("5.00", "10.00", "0.00")
    both = look_back(shop, tags=["back"], skip_tags=["BACK"])
    assert both["totals"]["credits"][0]["left"] == "15.00"
    assert [warning["code"] for warning in both["warnings"]] == ["tag_in_both"]
    assert "back" not in str(shop.get("/settings/").json()["spent_revert"])


def test_n4_what_people_decided_before_stays_decided(shop: Shop) -> None:
    declined, deferred = spend(shop, "1001"), spend(shop, "1002")
    with time_machine.travel(shop.at(2026, 1, 3), tick=False):
        shop.cancel(declined, revert_credits=False, revert_points=False)
        shop.cancel(deferred)
    for order in (declined, deferred):
        change(shop, order, 4, tags=["back"])
    assert credits(shop, tags=["back"]) == ("5.00", "10.00", "15.00")
    change(shop, deferred, 5, tags=["back", "vip"])
    assert credits(shop, tags=["vip"], statuses=[]) == ("5.00", "10.00", "0.00")


def test_n5_the_last_share_of_a_partial_refund_counts(shop: Shop) -> None:
    order = spend(shop, "1001")
    change(shop, order, 3, payment_status="partially_refunded", refunded_total="20.00")
    change(shop, order, 3, refunded_total="40.00")
    statuses = ["cancelled", "refunded", "partially_refunded"]
    answer = look_back(shop, statuses=statuses)
    assert (answer["totals"]["orders"], answer["totals"]["points"]["returned"]) == (1, 40)
    assert answer["totals"]["credits"][0]["returned"] == "6.00"
    change(shop, order, 4, payment_status="refunded")
    assert look_back(shop, statuses=statuses)["totals"]["points"]["returned"] == 100


def test_n1_what_the_rules_really_returned_is_as_if_it_were_not(shop: Shop, clock: Any) -> None:
    shop.send("PATCH", "/settings/", {"spent_revert": {"enabled": True}})
    order = spend(shop, "1001")
    change(shop, order, 3, payment_status="refunded")
    clock.move_to(shop.at(2026, 1, 3))
    run_jobs("orders.evaluate_rules")
    clock.move_to(shop.at(2026, 1, 5))
    assert Revert.unscoped.count() == 2
    assert credits(shop) == ("15.00", "0.00", "0.00")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"statuses": ["paid"]}, "/spent_revert/statuses/0"),
        ({"tags": [" "]}, "/spent_revert/tags/0"),
        ({"tags": ["x" * 256]}, "/spent_revert/tags/0"),
        ({"delay_minutes": -1}, "/spent_revert/delay_minutes"),
        ({"days": 366}, "/days"),
        ({"colour": "red"}, "/spent_revert/colour"),
    ],
)
def test_n1_what_cannot_be_tried_is_named(shop: Shop, body: dict[str, Any], pointer: str) -> None:
    answer = shop.send("POST", ADDRESS, body)
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


def test_t3_it_needs_to_read_settings(shop: Shop) -> None:
    assert with_key(shop.store, ["orders:read"]).send("POST", ADDRESS, {}).status_code == 403


def test_the_answer_is_what_the_schema_says(shop: Shop) -> None:
    change(shop, spend(shop, "1001"), 4, payment_status="refunded")
    assert disagreements(look_back(shop), "post", ADDRESS) == []
