"""The worked examples through REST."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from tests.examples import Shop, open_shop, x1, x3, x11, x13

Clock = time_machine.Traveller


def order_of(shop: Shop, order: str) -> Any:
    return shop.get(f"/orders/{order}/").json()


def balance(shop: Shop, customer: str) -> str:
    of_each = shop.get(f"/customers/{customer}/balance/").json()["credits"]
    return of_each[0]["available"] if of_each else "0.00"


def lots(shop: Shop, customer: str) -> dict[str, Any]:
    return {lot["id"]: lot for lot in shop.get(f"/customers/{customer}/credit-lots/").json()["results"]}


def test_x1_only_the_valid_lot_returns_and_keeps_its_expiry(shop: Shop, clock: Clock) -> None:
    example = x1(shop)
    clock.move_to(example.now)

    answer = shop.cancel(example.order, revert_credits=True).json()

    order = answer["order"]
    assert (order["status"], order["credit_revert_status"], order["completeness"]) == (
        "cancelled",
        "reverted",
        "partial",
    )
    assert (order["credits_reverted"], order["credits_applied"]) == ("5.00", "15.00")
    (revert,) = answer["reverts"]
    assert revert | {"id": "", "lots": []} == {
        "id": "", "kind": "credits", "amount": "5.00", "applied": "15.00", "completeness": "partial", "trigger": "api",
        "lots": [],
    }  # fmt: skip
    assert [
        (lot["lot"], lot["amount"], lot["outcome"], lot["expires_on"], lot["new_lot"]) for lot in revert["lots"]
    ] == [
        (example.lots[0], "10.00", "expired", "2026-01-01", None),
        (example.lots[1], "5.00", "returned", "2026-03-20", None),
    ]
    assert answer["skipped"] == [
        {"kind": "points", "code": "not_applied", "detail": "This order used no member points."}
    ]
    assert answer["notification"] is None
    assert balance(shop, example.customer) == "5.00"


def test_x2_extended_value_comes_back_as_a_new_lot(shop: Shop, clock: Clock) -> None:
    example = x1(shop)
    clock.move_to(example.now)

    answer = shop.cancel(example.order, revert_credits=True, extend={"credits": {"days": 30}}).json()

    assert (answer["order"]["credit_revert_status"], answer["order"]["completeness"]) == ("reverted", "full")
    extended, returned = answer["reverts"][0]["lots"]
    assert (extended["outcome"], extended["amount"], extended["expires_on"]) == ("extended", "10.00", "2026-02-04")
    assert (returned["outcome"], returned["new_lot"]) == ("returned", None)
    new_lot = lots(shop, example.customer)[extended["new_lot"]]
    assert (new_lot["extended_from"], new_lot["granted"], new_lot["expires_on"]) == (
        example.lots[0],
        "10.00",
        "2026-02-04",
    )
    assert balance(shop, example.customer) == "15.00"


def test_x3_nothing_valid_and_nothing_extended_leaves_not_reverted(shop: Shop, clock: Clock) -> None:
    example = x3(shop)
    clock.move_to(example.now)

    answer = shop.cancel(example.order, revert_credits=True).json()

    assert (answer["order"]["status"], answer["order"]["credit_revert_status"]) == ("cancelled", "not_reverted")
    assert answer["order"]["completeness"] is None
    assert answer["reverts"] == []
    assert [skip["code"] for skip in answer["skipped"]] == ["expired", "not_applied"]


def test_x3_m8_can_be_extended_later(shop: Shop, clock: Clock) -> None:
    example = x3(shop)
    clock.move_to(example.now)
    shop.cancel(example.order, revert_credits=True)
    clock.move_to(example.now + timedelta(days=3))

    answer = shop.cancel(example.order, revert_credits=True, extend={"credits": {"expires_on": "2026-02-28"}}).json()

    assert (answer["order"]["credits_reverted"], answer["order"]["completeness"]) == ("15.00", "full")
    assert [lot["outcome"] for lot in answer["reverts"][0]["lots"]] == ["extended", "extended"]
    again = shop.cancel(example.order, revert_credits=True, extend={"credits": {"days": 5}})
    assert (again.status_code, again.json()["reverts"]) == (200, [])
    assert [skip["code"] for skip in again.json()["skipped"]] == ["already_reverted", "not_applied"]


@pytest.mark.parametrize(("month", "day"), [(3, 30), (3, 29), (10, 25)])
def test_x11_usable_to_the_last_microsecond_of_the_local_day(clock: Clock, month: int, day: int) -> None:
    shop = open_shop("uhr", time_zone="Europe/Berlin")
    example = x11(shop, shop.at(2026, month, day))
    midnight = shop.at(2026, month, day, 0) + timedelta(days=1)

    clock.move_to(midnight - timedelta(microseconds=1))
    before = shop.preview(example.order, revert_credits=True).json()
    clock.move_to(midnight)
    after = shop.preview(example.order, revert_credits=True).json()

    assert (before["credits"]["returns"], before["credits"]["lots"][0]["outcome"]) == ("20.00", "returned")
    assert (after["credits"]["returns"], after["credits"]["lots"][0]["outcome"]) == ("0.00", "expired")


def test_x13_what_lapsed_unspent_stays_lapsed(shop: Shop, clock: Clock) -> None:
    example = x13(shop)
    clock.move_to(example.now)

    answer = shop.cancel(example.order, revert_credits=True, extend={"credits": {"days": 30}}).json()

    assert answer["order"]["credits_reverted"] == "60.00"
    assert balance(shop, example.customer) == "60.00"
    new_lot = answer["reverts"][0]["lots"][0]["new_lot"]
    assert lots(shop, example.customer)[new_lot]["granted"] == "60.00"
