"""Preview, cancel, return: what a client may say, and what it is answered."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.notices.models import Notice
from loyalty.stores.models import SettingsVersion
from orders.models import Revert
from tests.examples import Example, Shop, with_key, x1

Clock = time_machine.Traveller


@pytest.fixture
def example(shop: Shop) -> Example:
    return x1(shop)


def pointers(response: Any) -> dict[str, str]:
    assert response.status_code == 422, response.content
    return {error["pointer"]: error["code"] for error in response.json()["errors"]}


def test_m6_a_preview_writes_nothing_and_says_what_would_happen(shop: Shop, example: Example) -> None:
    response = shop.preview(example.order, revert_credits=True, extend={"credits": {"days": 30}})

    assert response.status_code == 200
    plan = response.json()
    assert plan["order"]["status"] == "pending"
    assert plan["credits"] | {"lots": []} == {
        "lots": [], "returns": "15.00", "remains": "0.00", "balance_before": "0.00", "balance_after": "15.00",
        "warnings": [],
    }  # fmt: skip
    assert [(lot["outcome"], lot["expires_on"], lot["new_lot"]) for lot in plan["credits"]["lots"]] == [
        ("extended", "2026-02-04", None),
        ("returned", "2026-03-20", None),
    ]
    assert (plan["points"]["returns"], plan["points"]["remains"], plan["points"]["balance_before"]) == (0, 0, 0)
    assert [skip["kind"] for skip in plan["skipped"]] == ["points"]
    assert plan["warnings"] == []
    assert not Revert.unscoped.exists()
    assert shop.get(f"/orders/{example.order}/").json()["status"] == "pending"


def test_balances_of_a_preview_need_the_scope_for_the_ledger(shop: Shop, example: Example) -> None:
    reader = with_key(shop.store, ["orders:read"])

    plan = reader.preview(example.order, revert_credits=True).json()

    assert (plan["credits"]["balance_before"], plan["credits"]["balance_after"]) == (None, None)
    assert (plan["points"]["balance_before"], plan["credits"]["returns"]) == (None, "5.00")
    assert reader.cancel(example.order).status_code == 403


def test_m6_a_token_alone_applies_what_was_shown_even_tomorrow(shop: Shop, example: Example, clock: Clock) -> None:
    plan = shop.preview(example.order, revert_credits=True, extend={"credits": {"days": 30}}).json()
    clock.shift(timedelta(days=1))

    answer = shop.cancel(example.order, preview_token=plan["preview_token"], reason="customer").json()

    assert answer["order"]["cancel_reason"] == "customer"
    assert [lot["expires_on"] for lot in answer["reverts"][0]["lots"]] == ["2026-02-04", "2026-03-20"]


def test_m6_a_lot_that_expires_in_between_makes_the_preview_stale(shop: Shop, example: Example, clock: Clock) -> None:
    token = shop.preview(example.order, revert_credits=True).json()["preview_token"]
    clock.move_to(shop.at(2026, 3, 21))

    response = shop.cancel(example.order, preview_token=token, revert_credits=True)

    problem = response.json()
    assert (response.status_code, problem["code"]) == (409, "preview-stale")
    assert [lot["outcome"] for lot in problem["plan"]["credits"]["lots"]] == ["expired", "expired"]
    assert shop.get(f"/orders/{example.order}/").json()["status"] == "pending"
    accepted = shop.cancel(example.order, preview_token=problem["plan"]["preview_token"])
    assert (accepted.status_code, accepted.json()["order"]["credit_revert_status"]) == (200, "not_reverted")


def test_m6_another_cancel_in_between_makes_the_preview_stale(shop: Shop, example: Example) -> None:
    token = shop.preview(example.order, revert_credits=True).json()["preview_token"]
    shop.cancel(example.order, revert_credits=True)

    response = shop.cancel(example.order, preview_token=token)

    assert response.status_code == 409
    assert response.json()["plan"]["credits"]["returns"] == "0.00"


def test_m6_another_balance_does_not_make_the_preview_stale(shop: Shop, example: Example) -> None:
    token = shop.preview(example.order, revert_credits=True).json()["preview_token"]
    shop.give_credits(example.customer, "7.00")

    assert shop.cancel(example.order, preview_token=token).status_code == 200


def test_m6_a_body_that_says_something_else_makes_the_preview_stale(shop: Shop, example: Example) -> None:
    token = shop.preview(example.order, revert_credits=True).json()["preview_token"]

    response = shop.cancel(example.order, preview_token=token, revert_credits=True, extend={"credits": {"days": 9}})

    assert response.status_code == 409
    assert response.json()["plan"]["credits"]["returns"] == "15.00"
    assert shop.cancel(example.order, preview_token="made up").status_code == 409


def test_m3_one_allocation_can_be_extended_by_its_id(shop: Shop, example: Example) -> None:
    lots = shop.preview(example.order, revert_credits=True).json()["credits"]["lots"]

    extend = {"allocations": {lots[0]["allocation"]: {"expires_on": "2026-12-31"}}}
    answer = shop.cancel(example.order, revert_credits=True, extend=extend).json()

    assert [lot["expires_on"] for lot in answer["reverts"][0]["lots"]] == ["2026-12-31", "2026-03-20"]


def test_an_extended_allocation_of_a_kind_that_is_not_returned_is_refused(shop: Shop, example: Example) -> None:
    lots = shop.preview(example.order, revert_credits=True).json()["credits"]["lots"]
    allocation = lots[0]["allocation"]

    response = shop.cancel(example.order, revert_points=True, extend={"allocations": {allocation: {"days": 3}}})

    assert pointers(response) == {f"/extend/allocations/{allocation}": "not-returned"}


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"reason": "because"}, "/reason", "invalid-choice"),
        ({"note": "x" * 2001}, "/note", "too-long"),
        ({"revert_credits": "true"}, "/revert_credits", "invalid"),
        ({"revert_points": None}, "/revert_points", "null"),
        ({"notify_customer": 1}, "/notify_customer", "invalid"),
        ({"revert": True}, "/revert", "unknown-field"),
        ({"extend": {"credit": {"days": 3}}}, "/extend/credit", "unknown-field"),
        ({"extend": {"credits": {}}}, "/extend/credits", "invalid"),
        ({"extend": {"credits": {"days": 3, "expires_on": "2026-12-31"}}}, "/extend/credits", "invalid"),
        ({"extend": {"credits": {"days": "3"}}}, "/extend/credits/days", "invalid"),
        ({"extend": {"credits": {"days": -1}}}, "/extend/credits/days", "negative"),
        ({"extend": {"credits": {"days": 0}}}, "/extend/credits/days", "too-small"),
        ({"extend": {"credits": {"days": 366}}}, "/extend/credits/days", "out-of-range"),
        ({"extend": {"credits": {"days": 999999999999}}}, "/extend/credits/days", "too-large"),
        ({"extend": {"points": {"expires_on": "2026-01-04"}}}, "/extend/points/expires_on", "in-the-past"),
        ({"extend": {"points": {"expires_on": "2027-01-06"}}}, "/extend/points/expires_on", "out-of-range"),
        ({"extend": {"points": {"expires_on": "2026-02-30"}}}, "/extend/points/expires_on", "invalid"),
        ({"extend": {"credits": {"days": 3}}}, "/extend/credits", "not-returned"),
        ({"extend": {"points": {"days": 3}}, "revert_points": False}, "/extend/points", "not-returned"),
        ({"extend": {"allocations": {"c0": {"days": 3}}}}, "/extend/allocations/c0", "not-found"),
        ({"extend": {"allocations": {"~/": {"days": "3"}}}}, "/extend/allocations/~0~1/days", "invalid"),
        ([], "", "invalid"),
    ],
)
def test_a_wrong_body_is_named_and_nothing_is_written(
    shop: Shop, example: Example, body: Any, pointer: str, code: str
) -> None:
    response = shop.command(f"/orders/{example.order}/cancel/", body)

    assert pointers(response) == {pointer: code}
    assert shop.send("POST", f"/orders/{example.order}/cancel/preview/", body).status_code == 422
    assert shop.get(f"/orders/{example.order}/").json()["status"] == "pending"


def test_n4_left_out_defers_and_false_declines(shop: Shop, example: Example) -> None:
    deferred = shop.cancel(example.order)
    queue = shop.get("/orders/", needs_revert="true").json()["results"]
    declined = shop.cancel(example.order, revert_credits=False)

    assert [skip["code"] for skip in deferred.json()["skipped"]] == ["not_selected", "not_applied"]
    assert [order["id"] for order in queue] == [example.order]
    assert [skip["code"] for skip in declined.json()["skipped"]] == ["declined", "not_applied"]
    assert shop.get("/orders/", needs_revert="true").json()["results"] == []


def test_m5_the_customer_is_told_when_asked_for(shop: Shop, example: Example) -> None:
    answer = shop.cancel(example.order, revert_credits=True, notify_customer=True).json()

    notice = Notice.unscoped.get()
    assert answer["notification"] == {"id": str(notice.pk), "status": "queued"}


def test_m7_the_same_command_twice_is_answered_again_and_done_once(shop: Shop, example: Example) -> None:
    first = shop.cancel(example.order, key="once", revert_credits=True)
    second = shop.cancel(example.order, key="once", revert_credits=True)
    other = shop.cancel(example.order, key="once", revert_credits=False)

    assert (second.status_code, second.json()) == (200, first.json())
    assert second["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert Revert.unscoped.count() == 1
    assert shop.send("POST", f"/orders/{example.order}/cancel/", {}).status_code == 400


def test_an_old_etag_is_refused_and_a_new_one_is_honoured(shop: Shop, example: Example) -> None:
    etag = shop.get(f"/orders/{example.order}/")["ETag"]
    shop.send("PATCH", f"/orders/{example.order}/", {"tags": ["vip"]})

    stale = shop.command(f"/orders/{example.order}/cancel/", {}, if_match=etag)
    etag = shop.get(f"/orders/{example.order}/")["ETag"]
    fresh = shop.command(f"/orders/{example.order}/cancel/", {}, if_match=etag)

    assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
    assert fresh.status_code == 200
    assert fresh["ETag"] == shop.get(f"/orders/{example.order}/")["ETag"] != etag


def test_m8_value_of_a_refunded_order_returns_and_the_status_stays(shop: Shop, example: Example) -> None:
    path = f"/orders/{example.order}/return/"
    refused = shop.command(path, {"revert_credits": True})
    shop.send("PATCH", f"/orders/{example.order}/", {"payment_status": "refunded", "status": "completed"})

    answer = shop.command(path, {"revert_credits": True}, key="once")
    again = shop.command(path, {"revert_credits": True}, key="once")
    later = shop.command(path, {"revert_credits": True})

    assert (refused.status_code, refused.json()["code"]) == (409, "not-returnable")
    assert (answer.json()["order"]["status"], answer.json()["reverts"][0]["amount"]) == ("completed", "5.00")
    assert again.json() == answer.json()
    assert (later.status_code, later.json()["reverts"]) == (200, [])


def test_b1_many_are_cancelled_and_nothing_returns(shop: Shop, example: Example, outsider: Shop) -> None:
    foreign = x1(outsider)
    second = shop.order(None, "1002")["id"]
    shop.cancel(shop.order(None, "1003")["id"])
    cancelled = shop.get("/orders/", number="1003").json()["results"][0]["id"]
    ids = [example.order, second, cancelled, foreign.order, "nonsense", second]

    response = shop.command("/orders/bulk-cancel/", {"ids": ids}, key="once")

    results = response.json()["results"]
    assert [result["id"] for result in results] == ids
    assert [(result["status"], result["code"]) for result in results] == [
        ("cancelled", None),
        ("cancelled", None),
        ("skipped", "already-cancelled"),
        ("failed", "not-found"),
        ("failed", "not-found"),
        ("skipped", "duplicate"),
    ]
    order = shop.get(f"/orders/{example.order}/").json()
    assert (order["status"], order["cancelled_by"], order["credit_revert_status"]) == (
        "cancelled",
        "bulk",
        "not_reverted",
    )
    assert outsider.get(f"/orders/{foreign.order}/").json()["status"] == "pending"
    assert shop.command("/orders/bulk-cancel/", {"ids": ids}, key="once").json() == response.json()


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/ids", "required"),
        ({"ids": "1"}, "/ids", "invalid"),
        ({"ids": [{}]}, "/ids/0", "invalid"),
        ({"ids": ["1"] * 501}, "/ids", "too-long"),
        ({"ids": [], "revert_credits": True}, "/revert_credits", "unknown-field"),
    ],
)
def test_b1_a_wrong_list_is_named(shop: Shop, body: Any, pointer: str, code: str) -> None:
    assert pointers(shop.command("/orders/bulk-cancel/", body)) == {pointer: code}


def _save_skip_tag(shop: Shop, tag: str) -> None:
    data = {"spent_revert": {"skip_tags": [tag]}}
    SettingsVersion.unscoped.create(
        store=shop.store, version=1, data=data, actor="system:test", created_at=shop.at(2026, 1, 1)
    )


def _warnings(shop: Shop, order: str, **body: Any) -> list[str]:
    return [warning["code"] for warning in shop.preview(order, **body).json()["warnings"]]


def test_n3_warns_of_a_skip_tag(shop: Shop, example: Example) -> None:
    _save_skip_tag(shop, "exchange-order")
    shop.send("PATCH", f"/orders/{example.order}/", {"tags": ["VIP", " Exchange-Order "]})

    assert _warnings(shop, example.order) == ["skip_tag"]


def test_warns_of_what_is_partly_returned(shop: Shop, example: Example) -> None:
    shop.cancel(example.order, revert_credits=True)

    plan = shop.preview(example.order, revert_credits=True).json()

    detail = "5.00 USD of 15.00 USD are already back with the customer."
    assert plan["warnings"] == plan["credits"]["warnings"] == [{"code": "partly_returned", "detail": detail}]


def test_o6_warns_of_an_order_that_stays_open_on_its_platform(shop: Shop) -> None:
    customer = shop.customer(email="bo@example.org")
    order = shop.order(customer, platform="shopify", external_id="88")["id"]

    assert _warnings(shop, order) == ["open_on_platform"]


def test_warns_when_nobody_can_be_told(shop: Shop) -> None:
    silent = shop.customer(email="", external_id="c-1")

    assert _warnings(shop, shop.order(silent, "1")["id"]) == ["no_email"]
    assert _warnings(shop, shop.order(None, "2")["id"]) == ["no_email"]


def test_warns_of_the_third_extension_of_a_year(shop: Shop, clock: Clock) -> None:
    clock.move_to(shop.at(2025, 12, 20))
    customer = shop.customer(email="bo@example.org")
    shop.give_credits(customer, "30.00", "2026-01-01")
    orders = [shop.order(customer, str(number), apply_credits="5.00")["id"] for number in range(4)]
    clock.move_to(shop.at(2026, 1, 5))
    seen = []
    for order in orders:
        seen.append(_warnings(shop, order))
        shop.cancel(order, revert_credits=True, extend={"credits": {"days": 30}})

    assert seen == [[], [], ["third_extension"], ["third_extension"]]
    assert _warnings(shop, orders[0]) == []


def test_the_number_of_statements_does_not_grow_with_the_lots(shop: Shop, clock: Clock) -> None:
    def statements(lots: int) -> int:
        customer = shop.customer(email=f"lots-{lots}@example.org")
        for _ in range(lots):
            shop.give_credits(customer, "5.00", "2026-06-01")
            shop.give_points(customer, 10)
        order = shop.order(customer, f"lots-{lots}", apply_credits=f"{5 * lots}.00", apply_points=10 * lots)["id"]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = shop.cancel(order, revert_credits=True, revert_points=True)
        assert answer.json()["order"]["completeness"] == "full"
        return len([query for query in queries if "SAVEPOINT" not in query["sql"]])

    assert statements(1) == statements(3) <= 16
