"""Reinstating over REST (M10, X10), and the list of what was paid too late (E6)."""

from typing import Any

import pytest

from loyalty.jobs.periodic import run_job
from tests.books import find_faults
from tests.examples import Example, Shop, with_key, x1


@pytest.fixture
def order(shop: Shop) -> str:
    """15.00 and 100 points that do not expire; cancelled, and both kinds returned."""
    customer = shop.customer()
    shop.give_credits(customer, "15.00")
    shop.give_points(customer, 100)
    placed = shop.order(customer, apply_credits="15.00", apply_points=100)["id"]
    shop.cancel(placed, revert_credits=True, revert_points=True)
    return str(placed)


def balance(shop: Shop, order: str) -> tuple[str, int]:
    customer = shop.get(f"/orders/{order}/").json()["customer"]["id"]
    found = shop.get(f"/customers/{customer}/balance/").json()
    return found["credits"][0]["available"], found["points"]["available"]


def test_x10_over_rest(shop: Shop, order: str) -> None:
    back = shop.reinstate(order)
    assert (back.status_code, back.json()["deducted"]) == (200, {"credits": "0.00", "points": 0})
    assert back.json()["order"]["status"] == "confirmed"
    assert balance(shop, order) == ("15.00", 100)

    second = shop.cancel(order, revert_credits=True, revert_points=True).json()
    assert (second["reverts"], balance(shop, order)) == ([], ("15.00", 100))

    again = shop.reinstate(order, "all", status="pending").json()
    assert again["deducted"] == {"credits": "15.00", "points": 100}
    shown = again["order"]
    assert (shown["status"], shown["cancelled_at"], shown["cancelled_by"]) == ("pending", None, None)
    assert (shown["credits_applied"], shown["credits_reverted"], shown["completeness"]) == ("15.00", "0.00", None)
    assert balance(shop, order) == ("0.00", 0)

    once_more = shop.cancel(order, revert_credits=True, revert_points=True).json()
    assert [(made["amount"], made["applied"], made["completeness"]) for made in once_more["reverts"]] == [
        ("15.00", "15.00", "full"),
        (100, 100, "full"),
    ]
    assert [lot["outcome"] for lot in once_more["reverts"][0]["lots"]] == ["already_returned", "returned"]
    assert shop.cancel(order, revert_credits=True).json()["reverts"] == []
    assert balance(shop, order) == ("15.00", 100)
    assert find_faults(shop.store) == []


def test_m10_on_a_reinstated_order_the_same_call_deducts_what_is_still_with_the_customer(
    shop: Shop, order: str
) -> None:
    shop.reinstate(order, "none", status="completed")
    first = shop.reinstate(order, "available", status="pending").json()
    assert (first["order"]["status"], first["deducted"]["credits"]) == ("completed", "15.00")

    nothing = shop.reinstate(order, "all")

    assert (nothing.status_code, nothing.json()["deducted"]) == (200, {"credits": "0.00", "points": 0})
    assert nothing.json()["order"]["updated_at"] == first["order"]["updated_at"]


def test_m10_all_without_the_balance_is_422_and_the_order_stays_cancelled(shop: Shop, order: str) -> None:
    customer = shop.get(f"/orders/{order}/").json()["customer"]["id"]
    shop.order(customer, "2", apply_credits="10.00")

    refused = shop.reinstate(order, "all")

    assert (refused.status_code, refused.json()["code"]) == (422, "insufficient-balance")
    assert [(error["pointer"], error["code"]) for error in refused.json()["errors"]] == [
        ("/deduct", "insufficient-balance")
    ]
    assert shop.get(f"/orders/{order}/").json()["status"] == "cancelled"
    partly = shop.reinstate(order, "available").json()
    assert partly["deducted"] == {"credits": "5.00", "points": 100}
    assert (partly["order"]["credits_reverted"], partly["order"]["completeness"]) == ("10.00", "partial")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/status", "required"),
        ({"status": "cancelled"}, "/status", "invalid-choice"),
        ({"status": "shipped"}, "/status", "invalid-choice"),
        ({"status": "confirmed", "deduct": "some"}, "/deduct", "invalid-choice"),
        ({"status": "confirmed", "force": True}, "/force", "unknown-field"),
    ],
)
def test_wrong_bodies_are_refused_at_their_pointers(
    shop: Shop, order: str, body: dict[str, Any], pointer: str, code: str
) -> None:
    answer = shop.command(f"/orders/{order}/reinstate/", body)
    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(pointer, code)]


def test_deduct_left_out_takes_nothing(shop: Shop, order: str) -> None:
    answer = shop.command(f"/orders/{order}/reinstate/", {"status": "confirmed"})
    assert (answer.status_code, balance(shop, order)) == (200, ("15.00", 100))


def test_it_is_a_command_with_a_key_a_scope_and_a_version(shop: Shop, order: str) -> None:
    path, body = f"/orders/{order}/reinstate/", {"status": "confirmed", "deduct": "all"}
    assert shop.send("POST", path, body).status_code == 400
    refused = with_key(shop.store, ["orders:write"]).command(path, body)
    assert (refused.status_code, "orders:cancel" in refused.json()["detail"]) == (403, True)
    assert shop.command(path, body, if_match='"1"').status_code == 412
    tag = shop.get(f"/orders/{order}/")["ETag"]

    first = shop.command(path, body, key="once", if_match=tag)
    replayed = shop.command(path, body, key="once", if_match=tag)

    assert (first.status_code, replayed.json()) == (200, first.json())
    assert (replayed["Idempotent-Replayed"], first["ETag"]) == ("true", shop.get(f"/orders/{order}/")["ETag"])
    assert balance(shop, order) == ("0.00", 0)


def test_patch_still_says_where_to_go(shop: Shop, order: str) -> None:
    assert shop.send("PATCH", f"/orders/{order}/", {"status": "confirmed"}).json()["code"] == "use-reinstate"


def test_h2_the_timeline_tells(shop: Shop, order: str) -> None:
    shop.reinstate(order, "all")
    events = [entry["event"] for entry in shop.get(f"/orders/{order}/timeline/").json()["results"]]
    assert events[:2] == ["order.deducted_again", "order.reinstated"]


def test_the_preview_after_deduct_again_speaks_of_what_the_order_used(shop: Shop, order: str) -> None:
    shop.reinstate(order, "all")
    plan = shop.preview(order, revert_credits=True).json()
    assert (plan["credits"]["returns"], plan["credits"]["remains"]) == ("15.00", "0.00")
    assert (plan["credits"]["balance_before"], plan["credits"]["balance_after"]) == ("0.00", "15.00")
    assert plan["warnings"] == []


@pytest.fixture
def paid_late(shop: Shop) -> Example:
    example = x1(shop, "2001")
    shop.send("PATCH", f"/orders/{example.order}/", {"payment_status": "failed"})
    run_job("orders.auto_cancel", example.now)
    shop.send("PATCH", f"/orders/{example.order}/", {"payment_status": "paid"})
    return example


def test_e6_the_list_of_what_was_paid_after_an_automatic_cancel(
    shop: Shop, outsider: Shop, order: str, paid_late: Example
) -> None:
    def listed(value: str = "true") -> list[str]:
        found = shop.get("/orders/", paid_after_cancellation=value).json()["results"]
        return [row["id"] for row in found]

    assert listed() == [paid_late.order]
    assert listed("false") == [order]
    assert shop.get("/orders/", paid_after_cancellation="yes").status_code == 400
    assert outsider.get("/orders/", paid_after_cancellation="true").json()["results"] == []
    back = shop.reinstate(paid_late.order, "all").json()
    assert (back["deducted"]["credits"], back["order"]["payment_status"]) == ("5.00", "paid")
    assert listed() == []
