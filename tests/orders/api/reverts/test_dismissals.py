"""Dismissing over REST (B2), and finding what was decided."""

from typing import Any

import pytest

from tests.examples import Shop, with_key


@pytest.fixture
def order(shop: Shop) -> str:
    """15.00 and 100 points, cancelled, and nobody has decided about them."""
    customer = shop.customer()
    shop.give_credits(customer, "30.00")
    shop.give_points(customer, 100)
    placed = shop.order(customer, apply_credits="15.00", apply_points=100)["id"]
    shop.cancel(placed)
    return str(placed)


def dismiss(shop: Shop, order: str, **headers: Any) -> Any:
    return shop.command(f"/orders/{order}/dismiss-revert/", {"reason": "Settled in the shop"}, **headers)


def found(shop: Shop, **parameters: str) -> list[str]:
    return [order["id"] for order in shop.get("/orders/", **parameters).json()["results"]]


def test_b2_over_rest(shop: Shop, order: str) -> None:
    assert found(shop, needs_revert="true") == found(shop, decision="deferred") == [order]

    answer = dismiss(shop, order)

    assert (answer.status_code, answer.json()["credit_revert_status"]) == (200, "not_reverted")
    assert answer["ETag"] == shop.get(f"/orders/{order}/")["ETag"] == dismiss(shop, order)["ETag"]
    assert found(shop, needs_revert="true") == []
    assert found(shop, decision="dismissed") == found(shop, decision="declined,dismissed") == [order]
    decided = shop.get(f"/orders/{order}/decisions/").json()["results"][0]
    assert (decided["code"], decided["matched"]["by"], decided["trigger"]) == ("declined", "person", "api")
    assert decided["sentence"] == "Dismissed: 100 points will not be returned."


def test_b2_brought_back_over_rest(shop: Shop, order: str) -> None:
    dismiss(shop, order)
    path = f"/orders/{order}/dismiss-revert/"

    assert [shop.send("DELETE", path, None).status_code for _ in range(2)] == [204, 204]

    assert found(shop, needs_revert="true") == [order]
    assert found(shop, decision="dismissed") == []
    events = [entry["event"] for entry in shop.get(f"/orders/{order}/timeline/").json()["results"]]
    assert events[:4] == ["order.revert_waits_again"] * 2 + ["order.revert_dismissed"] * 2


def test_refusals(shop: Shop, order: str) -> None:
    customer = shop.get(f"/orders/{order}/").json()["customer"]["id"]
    going_on = shop.order(customer, "2", apply_credits="1.00")["id"]
    shop.cancel(order, revert_credits=True, revert_points=True)

    assert dismiss(shop, going_on).json()["code"] == "not-returnable"
    assert dismiss(shop, order).json()["code"] == "nothing-left"
    for body, code in (({}, "required"), ({"reason": ""}, "blank"), ({"reason": "x" * 201}, "too-long")):
        refused = shop.command(f"/orders/{order}/dismiss-revert/", body)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, code)
        assert refused.json()["errors"][0]["pointer"] == "/reason"
    assert shop.get("/orders/", decision="forgotten").status_code == 400


def test_it_is_a_command_with_a_key_a_scope_and_a_version(shop: Shop, order: str) -> None:
    path = f"/orders/{order}/dismiss-revert/"
    reader = with_key(shop.store, ("orders:read", "orders:write"))
    assert shop.send("POST", path, {"reason": "x"}).json()["code"] == "idempotency-key-required"
    assert (dismiss(reader, order).status_code, reader.send("DELETE", path, None).status_code) == (403, 403)
    assert dismiss(shop, order, if_match='"99"').status_code == 412
    assert found(shop, needs_revert="true") == [order]
