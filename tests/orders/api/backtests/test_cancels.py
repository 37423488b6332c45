"""Trying automatic cancelling on the past over REST."""

from typing import Any

import pytest
import time_machine

from tests.examples import Shop, with_key
from tests.published import disagreements

ADDRESS = "/settings/auto-cancel/backtest/"
NOTHING = {"returned": "0.00", "not_returned": "0.00", "expired": "0.00", "blocked": "0.00", "left": "0.00"}


@pytest.fixture
def order(shop: Shop) -> dict[str, Any]:
    """15.00 credits, of which 10.00 expire on 3 January, and 100 points; failed on the 4th, after two days' waiting."""
    with time_machine.travel(shop.at(2026, 1, 2), tick=False):
        customer = shop.customer()
        shop.give_credits(customer, "10.00", "2026-01-03")
        shop.give_credits(customer, "5.00")
        shop.give_points(customer, 100)
        made = shop.order(customer, apply_credits="15.00", apply_points=100)
    with time_machine.travel(shop.at(2026, 1, 4), tick=False):
        shop.send("PATCH", f"/orders/{made['id']}/", {"payment_status": "failed"})
    return made


def look_back(shop: Shop, **body: Any) -> Any:
    return shop.send("POST", ADDRESS, body)


def test_f2_counts_and_amounts_per_day(shop: Shop, order: dict[str, Any]) -> None:
    answer = look_back(shop, days=3).json()
    credits = {"currency": "USD", **NOTHING, "returned": "5.00", "not_returned": "10.00", "expired": "10.00"}
    points = {"returned": 100, "not_returned": 0, "expired": 0, "blocked": 0, "left": 0}
    tally = {"orders": 1, "value": [{"currency": "USD", "amount": "100.00"}], "credits": [credits], "points": points}
    assert [day["date"] for day in answer["days"]] == ["2026-01-03", "2026-01-04", "2026-01-05"]
    assert [day["orders"] for day in answer["days"]] == [0, 1, 0]
    assert {name: answer["totals"][name] for name in tally} == tally
    assert answer["totals"]["by_trigger"]["payment_failed"] == tally
    assert answer["totals"]["by_trigger"]["payment_expired"]["credits"] == [{"currency": "USD", **NOTHING}]
    assert answer["auto_cancel"] == shop.get("/settings/").json()["auto_cancel"]


def test_e3_what_is_tried_is_merged_into_what_is_saved_and_not_saved(shop: Shop, order: dict[str, Any]) -> None:
    before = shop.get("/settings/").json()
    tried = {"payment_window_hours": 24, "expired": "cancel_and_revert", "failed": None}
    answer = look_back(shop, auto_cancel=tried).json()
    assert answer["auto_cancel"] == before["auto_cancel"] | tried | {"failed": "cancel_and_revert"}
    assert len(answer["days"]) == 90
    expired = answer["totals"]["by_trigger"]["payment_expired"]
    assert (expired["orders"], expired["credits"][0]["returned"]) == (1, "15.00")
    longer = look_back(shop, auto_cancel=tried | {"payment_window_hours": 47}).json()["totals"]
    assert longer["credits"] == [
        {"currency": "USD", **NOTHING, "not_returned": "15.00", "expired": "10.00", "blocked": "5.00"}
    ]
    kept = {"expired_lots": {"payment_failed": "all_or_nothing"}}
    blocked = look_back(shop, auto_cancel=kept).json()["totals"]["credits"][0]
    assert (blocked["expired"], blocked["blocked"], blocked["returned"]) == ("10.00", "5.00", "0.00")
    assert shop.get("/settings/").json() == before
    assert shop.get(f"/orders/{order['id']}/").json()["status"] == "pending"
    assert shop.get(f"/orders/{order['id']}/timeline/").json()["results"][0]["event"] == "order.updated"


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"days": 0}, "/days", "too-small"),
        ({"days": 366}, "/days", "too-large"),
        ({"days": "90"}, "/days", "invalid"),
        ({"day": 1}, "/day", "unknown-field"),
        ({"auto_cancel": 5}, "/auto_cancel", "invalid"),
        ({"auto_cancel": {"expired": "maybe"}}, "/auto_cancel/expired", "invalid-choice"),
        ({"auto_cancel": {"payment_window_hours": 0}}, "/auto_cancel/payment_window_hours", "too-small"),
        ({"auto_cancel": {"expired_lots": {"x": 1}}}, "/auto_cancel/expired_lots/x", "unknown-field"),
        ([], "", "invalid"),
    ],
)
def test_bad_input_names_the_field(shop: Shop, body: Any, pointer: str, code: str) -> None:
    response = shop.send("POST", ADDRESS, body)
    assert response.status_code == 422
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [(pointer, code)]


def test_t1_t3_another_store_and_a_key_without_the_scope_see_nothing(
    shop: Shop, outsider: Shop, order: dict[str, Any]
) -> None:
    assert look_back(outsider).json()["totals"]["orders"] == 0
    refused = look_back(with_key(shop.store, ["orders:read"]))
    assert (refused.status_code, refused.json()["code"]) == (403, "missing-scope")


def test_the_answer_is_as_the_schema_says(shop: Shop, order: dict[str, Any]) -> None:
    assert disagreements(look_back(shop).json(), "post", ADDRESS) == []
