"""Another store's key at every address of orders and reverts (T1)."""

from typing import Any

import pytest
from django.db import connection

from orders.urls import urlpatterns
from tests.examples import Example, Shop, x1

# Walked in tests/orders/api/redemptions.
# Walked in tests/orders/api/balance_imports.
OF_IMPORTS = "balance-imports/"
OF_REDEMPTIONS = ("rewards/", "redemptions/", "discount-codes/")
ADDRESSES = [
    ("GET", "/orders/{order}/", None),
    ("PATCH", "/orders/{order}/", {"tags": ["x"], "refunded_total": "1.00"}),
    ("GET", "/orders/{order}/timeline/", None),
    ("GET", "/orders/{order}/decisions/", None),
    ("POST", "/orders/{order}/cancel/preview/", {}),
    ("POST", "/orders/{order}/cancel/", {"revert_credits": True}),
    ("POST", "/orders/{order}/return/", {}),
    ("POST", "/orders/{order}/hold/", {}),
    ("DELETE", "/orders/{order}/hold/", None),
    ("POST", "/orders/{order}/reinstate/", {"status": "confirmed", "deduct": "all"}),
    ("POST", "/orders/{order}/dismiss-revert/", {"reason": "x"}),
    ("DELETE", "/orders/{order}/dismiss-revert/", None),
    ("GET", "/reverts/{revert}/", None),
    ("POST", "/reverts/{revert}/undo/", {}),
]
# They name nothing of a store in their address.
LISTS = {
    "api-adjust-points",
    # A customer's address, walked with those of customers.
    "api-customer-merge",
    "api-orders",
    "api-reverts",
    "api-order-bulk-cancel",
    "api-auto-cancel-backtest",
    "api-spent-revert-backtest",
}


@pytest.fixture
def example(shop: Shop) -> Example:
    return x1(shop)


@pytest.mark.parametrize(("method", "address", "body"), ADDRESSES)
def test_t1_a_foreign_id_answers_as_an_unknown_one(
    shop: Shop, outsider: Shop, example: Example, method: str, address: str, body: Any
) -> None:
    shop.cancel(example.order, revert_credits=True)
    revert = shop.get("/reverts/").json()["results"][0]["id"]
    before = _facts()

    foreign = _ask(outsider, method, address.format(order=example.order, revert=revert), body)
    unknown = _ask(outsider, method, address.format(order="987654321", revert="987654321"), body)
    nonsense = _ask(outsider, method, address.format(order="x", revert="x"), body)

    assert [answer.status_code for answer in (foreign, unknown, nonsense)] == [404, 404, 404]
    assert {answer.json()["code"] for answer in (foreign, unknown, nonsense)} == {"not-found"}
    assert _facts() == before


def test_t1_every_address_is_walked() -> None:
    walked = {address.lstrip("/") for _, address, _ in ADDRESSES}
    known = {
        str(item.pattern).replace("<str:order_id>", "{order}").replace("<str:revert_id>", "{revert}")
        for item in urlpatterns
        if item.name not in LISTS and not str(item.pattern).startswith((*OF_REDEMPTIONS, OF_IMPORTS))
    }

    assert known == walked


def test_t1_lists_and_filters_show_nothing_foreign(shop: Shop, outsider: Shop, example: Example) -> None:
    shop.cancel(example.order, revert_credits=True)

    seen = [
        outsider.get("/orders/"),
        outsider.get("/orders/", number="1001"),
        outsider.get("/orders/", search="Ana"),
        outsider.get("/orders/", customer=example.customer),
        outsider.get("/reverts/"),
        outsider.get("/reverts/", order=example.order),
        outsider.get("/reverts/", customer=example.customer),
    ]

    assert [answer.json()["results"] for answer in seen] == [[]] * len(seen)


def test_t1_a_foreign_customer_in_a_body_is_not_found(shop: Shop, outsider: Shop, example: Example) -> None:
    response = outsider.command("/orders/", {"number": "1", "customer": example.customer, "total": "1.00"})

    assert response.status_code == 422
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [("/customer", "not-found")]


def test_t1_a_foreign_order_is_not_cancelled_with_many(shop: Shop, outsider: Shop, example: Example) -> None:
    response = outsider.command("/orders/bulk-cancel/", {"ids": [example.order]})

    assert response.json()["results"] == [{"id": example.order, "status": "failed", "code": "not-found"}]
    assert shop.get(f"/orders/{example.order}/").json()["status"] == "pending"


def _ask(shop: Shop, method: str, path: str, body: Any) -> Any:
    if method == "GET":
        return shop.get(path)
    return shop.command(path, body) if method == "POST" else shop.send(method, path, body)


def _facts() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, version, status, tags FROM orders_order ORDER BY id")
        return cursor.fetchall()
