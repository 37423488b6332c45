"""Creating orders, one order, its changes and its timeline."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import Order
from tests.examples import Shop, x1

Clock = time_machine.Traveller
NEW = {"number": "1001", "customer": {"email": "ana@example.org", "name": "Ana"}, "total": "40.00"}


def create(shop: Shop, **more: Any) -> Any:
    return shop.command("/orders/", NEW | more)


def pointers(response: Any) -> dict[str, str]:
    assert response.status_code == 422, response.content
    return {error["pointer"]: error["code"] for error in response.json()["errors"]}


def test_o2_a_new_order_is_shown_whole(shop: Shop) -> None:
    response = create(shop, tags=["VIP", " vip", "a"], payment_due_at="2026-01-06T10:00:00+08:00")

    order = response.json()
    assert response.status_code == 201
    assert response["ETag"] == shop.get(f"/orders/{order['id']}/")["ETag"]
    assert order == shop.get(f"/orders/{order['id']}/").json()
    assert order["customer"].pop("id")
    assert order | {"id": ""} == {
        "id": "",
        "number": "1001",
        "external_id": None,
        "platform": "api",
        "customer": {"email": "ana@example.org", "name": "Ana"},
        "status": "pending",
        "payment_status": "pending",
        "payment_detail": None,
        "payment_due_at": "2026-01-06T02:00:00Z",
        "held_at": None,
        "placed_at": "2026-01-05T04:00:00Z",
        "currency": "USD",
        "total": "40.00",
        "refunded_total": "0.00",
        "tags": ["VIP", "a"],
        "credits_applied": "0.00",
        "credits_reverted": "0.00",
        "credit_revert_status": None,
        "points_applied": 0,
        "points_reverted": 0,
        "points_revert_status": None,
        "completeness": None,
        "points_earned": 0,
        "points_taken_back": 0,
        "codes": [],
        "platform_deleted_at": None,
        "is_test": False,
        "cancelled_at": None,
        "cancelled_by": None,
        "cancel_reason": None,
        "created_at": "2026-01-05T04:00:00Z",
        "updated_at": "2026-01-05T04:00:00Z",
    }


def test_o2_the_same_order_again_is_answered_as_it_is(shop: Shop) -> None:
    first = create(shop, external_id="9", lines=[{"title": "Tea", "sku": "T", "quantity": 2, "total": "40.00"}])
    again = create(shop, external_id="9", number="other", total="1.00")

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert Order.unscoped.get().lines == [{"title": "Tea", "sku": "T", "quantity": 2, "total": "40.00"}]


def test_l3_an_order_spends_and_a_kind_once_only(shop: Shop) -> None:
    customer = shop.customer()
    shop.give_credits(customer, "30.00")
    shop.give_points(customer, 100)

    first = create(shop, customer=customer, apply_credits="10.00")
    added = create(shop, customer=customer, apply_credits="10.00", apply_points=60)
    differs = create(shop, customer=customer, apply_credits="11.00")

    assert (first.status_code, first.json()["credits_applied"]) == (201, "10.00")
    assert (added.status_code, added.json()["points_applied"]) == (200, 60)
    assert (differs.status_code, differs.json()["code"]) == (409, "spend-differs")


def test_a_command_twice_records_one_order(shop: Shop) -> None:
    first = shop.command("/orders/", NEW, key="k")
    again = shop.command("/orders/", NEW, key="k")

    assert (again.status_code, again.json(), again["Idempotent-Replayed"]) == (201, first.json(), "true")
    assert again["ETag"] == first["ETag"]
    assert shop.command("/orders/", NEW | {"total": "41.00"}, key="k").status_code == 422


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"number": ""}, "/number", "blank"),
        ({"number": "x" * 101}, "/number", "too-long"),
        ({"external_id": ""}, "/external_id", "blank"),
        ({"platform": "My Shop"}, "/platform", "invalid"),
        ({"customer": "999999"}, "/customer", "not-found"),
        ({"customer": "nobody"}, "/customer", "not-found"),
        ({"customer": 7}, "/customer", "invalid"),
        ({"customer": {"email": "no", "name": "A"}}, "/customer/email", "invalid"),
        ({"customer": {"email": "a@b.org", "name": "A", "phone": "1"}}, "/customer/phone", "unknown-field"),
        ({"total": "-1.00"}, "/total", "negative"),
        ({"total": "1.005"}, "/total", "too-fine"),
        ({"total": "1e3"}, "/total", "invalid"),
        ({"total": "1234567890123"}, "/total", "too-many-digits"),
        ({"currency": "XXX"}, "/currency", "unknown-currency"),
        ({"currency": "JPY", "total": "10.50"}, "/total", "too-fine"),
        ({"status": "open"}, "/status", "invalid-choice"),
        ({"payment_status": None}, "/payment_status", "null"),
        ({"placed_at": "2026-01-05"}, "/placed_at", "invalid"),
        ({"placed_at": "1999-12-31T23:59:59Z"}, "/placed_at", "out-of-range"),
        ({"placed_at": "2026-01-06T04:00:01Z"}, "/placed_at", "out-of-range"),
        ({"placed_at": "9999-12-31T23:59:59Z"}, "/placed_at", "out-of-range"),
        ({"payment_due_at": "2036-01-06T00:00:00Z"}, "/payment_due_at", "out-of-range"),
        ({"payment_due_at": "0001-01-01T00:00:00+14:00"}, "/payment_due_at", "invalid"),
        ({"payment_due_at": "2026-01-05T10:00:00"}, "/payment_due_at", "invalid"),
        ({"tags": "vip"}, "/tags", "invalid"),
        ({"tags": ["x" * 256]}, "/tags/0", "too-long"),
        ({"lines": [{"title": "Tea", "quantity": 1}]}, "/lines/0/total", "required"),
        ({"lines": [{"title": "Tea", "quantity": "1", "total": "1.00"}]}, "/lines/0/quantity", "invalid"),
        ({"lines": [{"title": "Tea", "quantity": 1, "total": "1.001"}]}, "/lines/0/total", "too-fine"),
        ({"apply_credits": "40.01"}, "/apply_credits", "above-total"),
        ({"apply_credits": "-1.00"}, "/apply_credits", "negative"),
        ({"apply_credits": "1.00", "status": "cancelled"}, "/apply_credits", "cancelled"),
        ({"apply_points": 1, "status": "cancelled"}, "/apply_points", "cancelled"),
        ({"apply_points": 1.5}, "/apply_points", "invalid"),
        ({"apply_points": 5}, "/apply_points", "insufficient-balance"),
        ({"customer": None, "apply_points": 5}, "/customer", "required"),
        ({"discount": "5.00"}, "/discount", "unknown-field"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_written(
    shop: Shop, change: dict[str, Any], pointer: str, code: str
) -> None:
    customer = shop.customer()
    shop.give_credits(customer, "100.00")

    assert pointers(create(shop, **({"customer": customer} | change))) == {pointer: code}
    assert not Order.unscoped.exists()


def test_what_is_missing_is_named(shop: Shop) -> None:
    missing = pointers(shop.command("/orders/", {}))

    assert missing == dict.fromkeys(("/number", "/customer", "/total"), "required")


def test_an_order_that_arrives_cancelled_is_cancelled(shop: Shop) -> None:
    order = create(shop, status="cancelled", payment_status="refunded").json()

    assert (order["status"], order["cancelled_by"], order["credit_revert_status"]) == ("cancelled", "api", None)


def test_another_currency_has_its_own_decimals(shop: Shop) -> None:
    assert create(shop, currency="JPY", total=4000).json()["total"] == "4000"


def test_o1_facts_change_and_the_version_counts(shop: Shop, clock: Clock) -> None:
    order = create(shop).json()["id"]
    before = shop.get(f"/orders/{order}/")["ETag"]
    clock.shift(timedelta(hours=1))

    values = {"tags": ["b"], "payment_status": "partially_refunded", "refunded_total": "10", "payment_due_at": None}
    changed = shop.send("PATCH", f"/orders/{order}/", values, if_match=before)
    same = shop.send("PATCH", f"/orders/{order}/", values)
    stale = shop.send("PATCH", f"/orders/{order}/", {"tags": []}, if_match=before)

    assert (changed.status_code, changed.json()["refunded_total"], changed.json()["tags"]) == (200, "10.00", ["b"])
    assert changed.json()["updated_at"] == "2026-01-05T05:00:00Z"
    assert same["ETag"] == changed["ETag"] != before
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"status": "cancelled"}, "/status", "use-cancel"),
        ({"number": "7"}, "/number", "unknown-field"),
        ({"refunded_total": "1.001"}, "/refunded_total", "too-fine"),
        ({"refunded_total": "-1"}, "/refunded_total", "negative"),
        ({"tags": None}, "/tags", "null"),
        ({"payment_status": "free"}, "/payment_status", "invalid-choice"),
    ],
)
def test_a_wrong_change_is_named(shop: Shop, change: dict[str, Any], pointer: str, code: str) -> None:
    order = create(shop).json()["id"]

    assert pointers(shop.send("PATCH", f"/orders/{order}/", change)) == {pointer: code}


def test_m10_a_cancelled_order_is_not_reopened_by_a_change(shop: Shop) -> None:
    order = create(shop).json()["id"]
    shop.cancel(order)

    refused = shop.send("PATCH", f"/orders/{order}/", {"status": "confirmed"})

    assert (refused.json()["code"], pointers(refused)) == ("use-reinstate", {"/status": "use-reinstate"})
    assert shop.send("PATCH", f"/orders/{order}/", {"status": "cancelled", "tags": ["x"]}).status_code == 200


def test_h2_the_timeline_tells_what_happened_newest_first(shop: Shop, clock: Clock) -> None:
    example = x1(shop)
    clock.move_to(example.now)
    shop.send("PATCH", f"/orders/{example.order}/", {"tags": ["vip"]})
    shop.cancel(example.order, revert_credits=True, note="called in", notify_customer=True)

    page = shop.get(f"/orders/{example.order}/timeline/", limit="3").json()
    rest = shop.client.get(page["next"], headers={"Authorization": f"Bearer {shop.key}"}).json()

    entries = [*page["results"], *rest["results"]]
    assert [entry["event"] for entry in entries] == [
        "notice.queued",
        "order.credit_reverted",
        "order.cancelled",
        "order.updated",
        "order.spent",
        "order.created",
    ]
    assert entries[2]["actor"] | {"id": ""} == {"type": "api_key", "id": "", "name": "API key “shop”"}
    assert entries[2]["data"]["note"] == "called in"
    assert (entries[3]["data"], entries[3]["created_at"]) == (
        {"tags": {"from": [], "to": ["vip"]}},
        "2026-01-05T04:00:00Z",
    )
    assert rest["next"] is None


def test_a_timeline_takes_as_many_statements_for_many_entries_as_for_one(shop: Shop) -> None:
    order = create(shop).json()["id"]

    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert shop.get(f"/orders/{order}/timeline/").status_code == 200
        return len(queries)

    statements()
    one = statements()
    for tag in "abc":
        shop.send("PATCH", f"/orders/{order}/", {"tags": [tag]})

    assert statements() == one <= 8
