"""Undoing over REST (M11), and what automation makes of it (N4, X9)."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from tests.books import find_faults
from tests.examples import Shop, with_key, x1

Clock = time_machine.Traveller


@pytest.fixture
def order(shop: Shop) -> str:
    """15.00 and 100 points, cancelled and returned."""
    customer = shop.customer()
    shop.give_credits(customer, "15.00")
    shop.give_points(customer, 100)
    placed = shop.order(customer, apply_credits="15.00", apply_points=100)["id"]
    shop.cancel(placed, revert_credits=True, revert_points=True, reason="customer")
    return str(placed)


def reverts(shop: Shop, order: str) -> dict[str, Any]:
    """The newest revert of each kind."""
    found = shop.get("/reverts/", order=order).json()["results"]
    return {revert["kind"]: revert for revert in reversed(found)}


def undo(shop: Shop, order: str, kind: str = "credits", **body: Any) -> Any:
    return shop.command(f"/reverts/{reverts(shop, order)[kind]['id']}/undo/", body)


def test_m11_over_rest(shop: Shop, order: str) -> None:
    answer = undo(shop, order, reason="Wrong order")

    assert answer.status_code == 200
    shown = answer.json()["order"]
    assert (shown["credits_reverted"], shown["credit_revert_status"]) == ("0.00", "not_reverted")
    assert (shown["points_reverted"], shown["points_revert_status"]) == (100, "reverted")
    assert answer["ETag"] == shop.get(f"/orders/{order}/")["ETag"]
    revert = reverts(shop, order)["credits"]
    assert answer.json()["revert"] == revert == shop.get(f"/reverts/{revert['id']}/").json()
    assert (revert["undo"]["reason"], revert["undo"]["actor"]["type"]) == ("Wrong order", "api_key")
    assert reverts(shop, order)["points"]["undo"] is None


def test_m11_the_movements_are_linked_both_ways(shop: Shop, order: str) -> None:
    undo(shop, order, reason="Wrong order")
    revert = reverts(shop, order)["credits"]
    customer = revert["customer"]

    undone, given = shop.get(f"/customers/{customer}/credit-movements/").json()["results"][:2]

    assert [(row["type"], row["amount"], row["balance_after"]) for row in (undone, given)] == [
        ("undo", "-15.00", "0.00"),
        ("revert", "15.00", "15.00"),
    ]
    assert (undone["revert"], undone["lot"], undone["order"]) == (given["revert"], given["lot"], order)
    assert undone["reason"] == "Wrong order"
    assert find_faults(shop.store) == []


@pytest.mark.parametrize(("undone", "found"), [("true", ["credits"]), ("false", ["points"])])
def test_reverts_are_filtered_by_it(shop: Shop, order: str, undone: str, found: list[str]) -> None:
    undo(shop, order)
    assert [revert["kind"] for revert in shop.get("/reverts/", undone=undone).json()["results"]] == found


def test_m11_refusals_say_why(shop: Shop, order: str, clock: Clock) -> None:
    customer = shop.get(f"/orders/{order}/").json()["customer"]["id"]
    shop.order(customer, "2", apply_credits="1.00")
    undo(shop, order, "points")

    spent, twice = undo(shop, order), undo(shop, order, "points")
    clock.shift(timedelta(hours=72))
    late = undo(shop, order)

    assert {answer.status_code for answer in (spent, twice, late)} == {409}
    assert {answer.json()["code"] for answer in (spent, twice, late)} == {"undo-not-possible"}
    assert [answer.json()["reason"] for answer in (spent, twice, late)] == ["spent", "already_undone", "too_late"]
    assert "which now holds 14.00 USD" in spent.json()["detail"]


def test_m11_people_may_return_it_again_once(shop: Shop, order: str) -> None:
    undo(shop, order)
    again = shop.cancel(order, revert_credits=True, revert_points=True).json()

    assert [(made["kind"], made["amount"]) for made in again["reverts"]] == [("credits", "15.00")]
    assert shop.cancel(order, revert_credits=True).json()["reverts"] == []
    assert undo(shop, order).status_code == 200
    assert find_faults(shop.store) == []


def test_x2_an_extended_return_is_undone(shop: Shop, clock: Clock) -> None:
    example = x1(shop)
    clock.move_to(example.now)
    shop.cancel(example.order, revert_credits=True, extend={"credits": {"days": 30}})

    assert undo(shop, example.order).status_code == 200

    balance = shop.get(f"/customers/{example.customer}/balance/").json()["credits"][0]["available"]
    assert balance == "0.00"
    again = shop.cancel(example.order, revert_credits=True, extend={"credits": {"days": 5}}).json()["reverts"][0]
    assert (again["amount"], again["completeness"]) == ("15.00", "full")
    assert find_faults(shop.store) == []


def test_x9_n4_after_an_undo_no_job_returns_it(shop: Shop, order: str, clock: Clock) -> None:
    shop.send("PATCH", "/settings/", {"auto_cancel": {"failed": "cancel_and_revert"}})
    undo(shop, order)
    shop.reinstate(order, status="pending")
    clock.shift(timedelta(minutes=1))
    shop.send("PATCH", f"/orders/{order}/", {"payment_status": "failed", "tags": ["refunded-order"]})
    call_command("run_jobs", stdout=StringIO())

    shown = shop.get(f"/orders/{order}/").json()
    assert (shown["status"], shown["cancelled_by"], shown["credits_reverted"]) == (
        "cancelled",
        "payment_failed",
        "0.00",
    )
    newest = [item for item in shop.get(f"/orders/{order}/decisions/").json()["results"] if item["kind"] == "credits"]
    assert [(item["outcome"], item["code"], item["matched"]["by"]) for item in newest[:2]] == [
        ("not_returned", "declined", "person"),
        ("not_returned", "declined", "person"),
    ]
    assert newest[1]["sentence"].startswith("Undid a return through the REST API: took back 15.00 USD")
    assert shop.get("/orders/", decision="declined").json()["results"][0]["id"] == order


def test_it_is_a_command_with_a_key_and_a_scope(shop: Shop, order: str) -> None:
    path = f"/reverts/{reverts(shop, order)['credits']['id']}/undo/"
    assert shop.send("POST", path, {}).json()["code"] == "idempotency-key-required"
    refused = with_key(shop.store, ["orders:cancel", "ledger:read"]).command(path, {})
    assert (refused.status_code, "reverts:undo" in refused.json()["detail"]) == (403, True)
    assert shop.command(path, {"reason": ""}).status_code == 422
    assert shop.command(path, {"force": True}).json()["errors"][0]["code"] == "unknown-field"

    first, replayed = shop.command(path, {}, key="once"), shop.command(path, {}, key="once")

    assert (first.status_code, replayed.json(), replayed["Idempotent-Replayed"]) == (200, first.json(), "true")
