"""The order list: every filter alone and combined, orderings, pages, and what it costs."""

from collections.abc import Sequence
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.api.orders.documents import OrderDocument
from orders.api.orders.orders import OrderListView
from orders.models import Order
from tests.examples import Shop

Clock = time_machine.Traveller

EVERYTHING = {
    "plain", "used", "points", "cancelled", "partly", "reverted", "refunded", "tagged", "guest",
}  # fmt: skip


@pytest.fixture
def orders(shop: Shop, clock: Clock) -> dict[str, str]:
    """One order of each sort, a day apart; ids by name. The name is the number."""
    ana = shop.customer("Ana Lee", "ana.lee@example.org", external_id="c-1")
    bo = shop.customer("王小明", "bo@example.org")
    shop.give_credits(ana, "10.00", "2026-01-15")
    shop.give_credits(ana, "90.00")
    shop.give_points(bo, 500)
    wanted: list[tuple[str, dict[str, Any]]] = [
        ("plain", {"customer": ana, "payment_status": "paid", "status": "confirmed"}),
        ("used", {"customer": ana, "apply_credits": "4.00"}),
        ("points", {"customer": bo, "apply_points": 100}),
        ("cancelled", {"customer": bo, "apply_points": 100}),
        ("partly", {"customer": ana, "apply_credits": "20.00"}),
        ("reverted", {"customer": bo, "apply_points": 50}),
        ("refunded", {"customer": ana, "apply_credits": "1.00"}),
        ("tagged", {"customer": bo, "tags": ["VIP", "gift wrap"], "external_id": "ext-8"}),
        ("guest", {"customer": None, "status": "completed"}),
    ]
    made = {}
    for day, (name, values) in enumerate(wanted, start=6):
        clock.move_to(shop.at(2026, 1, day))
        made[name] = shop.order(number=name, **values)["id"]
    clock.move_to(shop.at(2026, 1, 20))
    shop.cancel(made["cancelled"])
    clock.move_to(shop.at(2026, 1, 21))
    shop.cancel(made["partly"], revert_credits=True)
    clock.move_to(shop.at(2026, 1, 22))
    shop.cancel(made["reverted"], revert_points=True)
    clock.move_to(shop.at(2026, 1, 23))
    shop.send("PATCH", f"/orders/{made['refunded']}/", {"payment_status": "refunded", "refunded_total": "100.00"})
    clock.move_to(shop.at(2026, 1, 24))
    return made


def numbers(shop: Shop, **parameters: str) -> list[str]:
    response = shop.get("/orders/", **parameters)
    assert response.status_code == 200, response.content
    return [order["number"] for order in response.json()["results"]]


FOUND: list[tuple[dict[str, str], set[str]]] = [
    ({}, EVERYTHING),
    ({"status": "cancelled"}, {"cancelled", "partly", "reverted"}),
    ({"status": "confirmed,completed"}, {"plain", "guest"}),
    ({"payment_status": "paid,refunded"}, {"plain", "refunded"}),
    ({"credit_revert_status": "reverted"}, {"partly"}),
    ({"credit_revert_status": "not_reverted"}, {"refunded"}),
    ({"points_revert_status": "reverted"}, {"reverted"}),
    ({"points_revert_status": "not_reverted"}, {"cancelled"}),
    ({"completeness": "full"}, {"reverted"}),
    ({"completeness": "partial"}, {"partly"}),
    ({"needs_revert": "true"}, {"cancelled", "refunded"}),
    ({"needs_revert": "false"}, EVERYTHING - {"cancelled", "refunded"}),
    ({"used_credits": "true"}, {"used", "partly", "refunded"}),
    ({"used_points": "true"}, {"points", "cancelled", "reverted"}),
    ({"used_points": "false", "used_credits": "false"}, {"plain", "tagged", "guest"}),
    ({"tag": " vip "}, {"tagged"}),
    ({"tag": "Gift Wrap"}, {"tagged"}),
    ({"tag": "gift"}, set()),
    ({"tag_none": "VIP"}, EVERYTHING - {"tagged"}),
    ({"number": "used"}, {"used"}),
    ({"number": "use"}, set()),
    ({"external_id": "ext-8"}, {"tagged"}),
    ({"search": "guest"}, {"guest"}),
    ({"search": "ext-8"}, {"tagged"}),
    ({"search": "ANA.LEE@"}, {"plain", "used", "partly", "refunded"}),
    ({"search": "na le"}, {"plain", "used", "partly", "refunded"}),
    ({"search": "王小"}, {"points", "cancelled", "reverted", "tagged"}),
    ({"search": "100%"}, set()),
    ({"cancelled_by": "api"}, {"cancelled", "partly", "reverted"}),
    ({"cancelled_by": "bulk"}, set()),
    ({"placed_after": "2026-01-13T12:00:00+08:00"}, {"tagged", "guest"}),
    ({"placed_before": "2026-01-07T12:00:00+08:00"}, {"plain"}),
    ({"cancelled_after": "2026-01-21T04:00:00Z"}, {"partly", "reverted"}),
    ({"cancelled_before": "2026-01-21T04:00:00Z"}, {"cancelled"}),
    ({"updated_after": "2026-01-23T12:00:00+08:00"}, {"refunded"}),
    ({"status": "cancelled", "used_points": "true"}, {"cancelled", "reverted"}),
    ({"credit_revert_status": "reverted", "completeness": "partial", "cancelled_by": "api"}, {"partly"}),
    ({"credit_revert_status": "not_reverted", "points_revert_status": "not_reverted"}, set()),
    ({"needs_revert": "true", "search": "bo@example.org", "tag_none": "vip"}, {"cancelled"}),
    ({"customer": "0"}, set()),
    ({"customer": "no-id"}, set()),
]


def test_o4_filters_alone_and_combined(shop: Shop, orders: dict[str, str]) -> None:
    for parameters, found in FOUND:
        assert set(numbers(shop, **parameters)) == found, parameters


def test_o4_orders_of_one_customer(shop: Shop, orders: dict[str, str]) -> None:
    customer = shop.get(f"/orders/{orders['partly']}/").json()["customer"]["id"]

    assert numbers(shop, customer=customer) == ["refunded", "partly", "used", "plain"]


@pytest.mark.parametrize(
    ("ordering", "first"),
    [
        ("-placed_at", ["guest", "tagged", "refunded"]),
        ("placed_at", ["plain", "used", "points"]),
        ("-cancelled_at", ["reverted", "partly", "cancelled", "guest"]),
        ("-updated_at", ["refunded", "reverted", "partly", "cancelled"]),
    ],
)
def test_every_ordering_pages_through_everything_both_ways(
    shop: Shop, orders: dict[str, str], ordering: str, first: Sequence[str]
) -> None:
    whole = numbers(shop, ordering=ordering)
    pages = [shop.get("/orders/", ordering=ordering, limit="2").json()]
    while address := pages[-1]["next"]:
        pages.append(_follow(shop, address))
    back = [pages[-1]]
    while address := back[0]["previous"]:
        back.insert(0, _follow(shop, address))

    assert whole[: len(first)] == first
    assert set(whole) == EVERYTHING
    assert [order["number"] for page in pages for order in page["results"]] == whole
    assert [order["number"] for page in back for order in page["results"]] == whole


def _follow(shop: Shop, address: str) -> Any:
    return shop.client.get(address, headers={"Authorization": f"Bearer {shop.key}"}).json()


@pytest.mark.parametrize(
    "parameters",
    [
        {"stauts": "cancelled"},
        {"status": "canceled"},
        {"status": ""},
        {"payment_status": "paid,"},
        {"credit_revert_status": "full"},
        {"completeness": "none"},
        {"needs_revert": "yes"},
        {"used_credits": "1"},
        {"cancelled_by": "me"},
        {"placed_after": "2026-01-13"},
        {"placed_before": "2026-01-13T12:00:00"},
        {"updated_after": "soon"},
        {"ordering": "total"},
        {"limit": "0"},
        {"limit": "201"},
        {"cursor": "x"},
    ],
)
def test_an_unknown_parameter_or_value_is_named(shop: Shop, parameters: dict[str, str]) -> None:
    response = shop.get("/orders/", **parameters)

    assert response.status_code == 400
    assert next(iter(parameters)) in response.json()["detail"]


@pytest.mark.parametrize("parameters", [{}, {"search": "ana"}, {"ordering": "-cancelled_at"}, {"tag": "x"}])
def test_a_list_takes_as_many_statements_for_three_rows_as_for_one(shop: Shop, parameters: dict[str, str]) -> None:
    def statements() -> Sequence[str]:
        with CaptureQueriesContext(connection) as queries:
            numbers(shop, **parameters)
        return [query["sql"] for query in queries]

    customer = shop.customer("Ana", "ana@example.org")
    shop.order(customer, "1", tags=["x"], lines=[{"title": "Tea", "quantity": 1, "total": "5.00"}])
    statements()
    one = statements()
    for number in "23":
        shop.order(shop.customer("Ana", f"{number}@example.org"), number, tags=["x"])
    three = statements()

    assert len(one) == len(three) <= 8
    assert not any('"lines"' in sql or "platform_data" in sql or "COUNT(" in sql for sql in three)


def test_lists_are_answered_from_indexes(shop: Shop, orders: dict[str, str]) -> None:
    """What no index can answer would read the whole table even where that is forbidden."""
    wanted = [
        {"credit_revert_status": "not_reverted"},
        {"completeness": "partial"},
        {"used_credits": "true"},
        {"needs_revert": "true"},
        {"tag": "vip"},
        {"search": "ana"},
        {"number": "used"},
        {"external_id": "ext-8"},
        {"cancelled_by": "api"},
        {"ordering": "-cancelled_at"},
        {"ordering": "-updated_at"},
    ]
    for parameters in wanted:
        with CaptureQueriesContext(connection) as queries:
            numbers(shop, **parameters)
        for query in (query["sql"] for query in queries if Order._meta.db_table in query["sql"]):
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")
                cursor.execute(f"EXPLAIN {query.replace('%', '%%')}")
                plan = "\n".join(row[0] for row in cursor.fetchall())
                cursor.execute("SET LOCAL enable_seqscan = on")
            assert "Seq Scan on orders_order" not in plan, (parameters, plan)


def test_o6_orders_cancelled_here_and_open_on_their_platform(shop: Shop, orders: dict[str, str]) -> None:
    for name in ("cancelled", "plain"):
        Order.objects.for_store(shop.store).filter(number=name).update(platform_data={"is_open": True})
    assert numbers(shop, open_on_platform="true") == ["cancelled"]
    assert set(numbers(shop, open_on_platform="false")) == EVERYTHING - {"cancelled"}


def test_rows_read_as_plain_values_are_shown_as_the_orders_are(shop: Shop, orders: dict[str, str]) -> None:
    plain, rows = OrderListView.plain_rows, Order.objects.for_store(shop.store).order_by("id")
    shown = [OrderDocument.of(plain.read(values)) for values in plain.of(rows)]
    assert shown == [OrderDocument.of(order) for order in rows]
    assert [one["number"] for one in shown if one["customer"] is None] == ["guest"]
    assert len(shown) == len(orders)
