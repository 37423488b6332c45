"""Holding over REST, and the filters about due payments."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import Order
from tests.examples import Shop, with_key

Clock = time_machine.Traveller


def numbers(shop: Shop, **parameters: str) -> list[str]:
    response = shop.get("/orders/", **parameters)
    assert response.status_code == 200, response.content
    return [order["number"] for order in response.json()["results"]]


def test_hold_and_release(shop: Shop, clock: Clock) -> None:
    order = shop.order(shop.customer(), payment_due_at="2026-01-05T13:00:00+08:00")
    shop.send("PATCH", "/settings/", {"auto_cancel": {"expired": "cancel"}})
    path = f"/orders/{order['id']}/hold/"
    held = shop.command(path, {})
    assert (held.status_code, held.json()["held_at"]) == (200, "2026-01-05T04:00:00Z")
    assert shop.command(path, {}).headers["ETag"] == held.headers["ETag"]
    assert shop.send("POST", path, {}).json()["code"] == "idempotency-key-required"
    clock.move_to(shop.at(2026, 1, 5, 13))
    call_command("run_jobs", stdout=StringIO())
    kept = shop.get(f"/orders/{order['id']}/").json()
    assert (kept["status"], kept["payment_status"]) == ("pending", "expired")
    released = [shop.send("DELETE", path, None).status_code for _ in range(2)]
    assert released == [204, 204]
    call_command("run_jobs", "orders.auto_cancel", stdout=StringIO())
    gone = shop.get(f"/orders/{order['id']}/").json()
    assert (gone["status"], gone["held_at"]) == ("cancelled", None)
    assert shop.command(path, {}).json()["code"] == "order-cancelled"
    events = [entry["event"] for entry in shop.get(f"/orders/{order['id']}/timeline/").json()["results"]]
    assert [event for event in events if "held" in event or "released" in event] == ["order.released", "order.held"]


def test_hold_needs_its_scope_and_knows_if_match(shop: Shop) -> None:
    order = shop.order(shop.customer())["id"]
    path = f"/orders/{order}/hold/"
    reader = with_key(shop.store, ("orders:read", "orders:write"))
    assert (reader.command(path, {}).status_code, reader.send("DELETE", path, None).status_code) == (403, 403)
    assert shop.command(path, {}, if_match='"99"').status_code == 412
    assert shop.send("DELETE", path, None, if_match='"99"').status_code == 412
    assert Order.objects.for_store(shop.store).get().held_at is None


def test_e1_filters_held_and_due_before(shop: Shop, outsider: Shop) -> None:
    customer = shop.customer()
    shop.order(customer, "own", payment_due_at="2026-01-06T12:00:00+08:00")
    shop.order(customer, "window", placed_at="2026-01-05T00:00:00+08:00")
    shop.order(customer, "paid", placed_at="2026-01-05T00:00:00+08:00", payment_status="paid")
    held = shop.order(customer, "held")["id"]
    shop.command(f"/orders/{held}/hold/", {})
    assert numbers(shop, held="true") == ["held"]
    assert set(numbers(shop, held="false")) == {"own", "window", "paid"}
    assert numbers(outsider, held="true") == []
    assert numbers(shop, due_before="2026-01-06T12:00:00+08:00") == []
    assert numbers(shop, due_before="2026-01-06T12:00:00.000001+08:00") == ["own"]
    shop.send("PATCH", "/settings/", {"auto_cancel": {"payment_window_hours": 24}})
    assert numbers(shop, due_before="2026-01-06T00:00:00+08:00") == []
    assert numbers(shop, due_before="2026-01-06T00:00:00.000001+08:00") == ["window"]
    assert set(numbers(shop, due_before="2026-01-06T12:00:00.000001+08:00", held="false")) == {"own", "window"}
    assert numbers(outsider, due_before="2027-01-01T00:00:00Z") == []
    for wrong in ({"held": "yes"}, {"due_before": "tomorrow"}):
        assert shop.get("/orders/", **wrong).status_code == 400


@pytest.mark.parametrize("parameters", [{"held": "true"}, {"due_before": "2026-01-06T12:00:00+08:00"}])
def test_o4_the_filters_use_an_index_and_few_statements(shop: Shop, parameters: dict[str, str]) -> None:
    shop.send("PATCH", "/settings/", {"auto_cancel": {"payment_window_hours": 24}})
    shop.order(shop.customer())
    numbers(shop)
    with CaptureQueriesContext(connection) as queries:
        numbers(shop, **parameters)
    assert len(queries) <= 8
    (listing,) = (query["sql"] for query in queries if 'FROM "orders_order"' in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {listing.replace('%', '%%')}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("SET LOCAL enable_seqscan = on")
    assert "Seq Scan on orders_order" not in plan


def test_the_schema_has_the_hold(shop: Shop) -> None:
    paths = shop.get("/schema/").json()["paths"]
    hold = paths["/api/v1/orders/{order_id}/hold/"]
    assert set(hold) == {"post", "delete"}
    assert "204" in hold["delete"]["responses"]
    names = {parameter["name"] for parameter in paths["/api/v1/orders/"]["get"]["parameters"]}
    assert {"held", "due_before"} <= names


def test_a_held_order_says_since_when_in_every_answer(shop: Shop, clock: Clock) -> None:
    order = shop.order(shop.customer())["id"]
    assert shop.get(f"/orders/{order}/").json()["held_at"] is None
    shop.command(f"/orders/{order}/hold/", {})
    clock.shift(timedelta(hours=1))
    assert shop.get("/orders/").json()["results"][0]["held_at"] == "2026-01-05T04:00:00Z"
