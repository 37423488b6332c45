"""What is recorded is told: to whom, as what, in which statement."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.journal.record import Event, Happening, record
from loyalty.outbox.models import Message
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Store
from loyalty.webhooks.endpoints import EndpointValues, change_endpoint, remove_endpoint
from loyalty.webhooks.events import WebhookEvent
from orders.models import Revert
from orders.services.reverts.undo import undo_revert
from tests.factories import (
    ACTOR,
    NOW,
    bring_back,
    cancel_and_return,
    grant,
    make_customer,
    make_order,
    make_redemption,
    make_reward,
    make_store,
    reverse,
)
from tests.loyalty.webhooks.receiving import Receiver, deliver, happen, make_endpoint

URL = "http://127.0.0.1:9/hook"


def told(store: Store) -> list[tuple[str, str]]:
    rows = Message.objects.for_store(store).order_by("id")
    return [(row.lane, row.body["type"]) for row in rows]


def test_t1_only_endpoints_of_the_store_that_chose_the_event_are_told(store: Store) -> None:
    other = make_store()
    chosen, _ = make_endpoint(store, URL, "order.cancelled")
    make_endpoint(store, URL, "order.revert_undone")
    make_endpoint(other, URL)
    happen(store, 2)
    assert told(store) == [(chosen.lane, "order.cancelled")] * 2
    assert told(other) == []


def test_endpoints_that_are_off_or_removed_are_told_nothing(store: Store) -> None:
    off, _ = make_endpoint(store, URL)
    removed, _ = make_endpoint(store, URL)
    values = EndpointValues(enabled=False)
    change_endpoint(store=store, endpoint_id=off.pk, values=values, actor=ACTOR, now=NOW)
    remove_endpoint(store=store, endpoint_id=removed.pk, actor=ACTOR, now=NOW)
    happen(store)
    assert told(store) == []


def test_what_no_endpoint_can_choose_is_told_to_nobody(store: Store) -> None:
    names = {event.value for event in WebhookEvent}
    make_endpoint(store, URL)
    record([Happening(store.pk, event) for event in Event if event.value not in names], actor=ACTOR, now=NOW)
    assert {name for _, name in told(store)} == {"customer.balance_changed"}


def test_entries_and_deliveries_are_one_statement(store: Store) -> None:
    for _ in range(3):
        make_endpoint(store, URL)
    with CaptureQueriesContext(connection) as statements:
        happen(store, 50)
    assert len(statements) == 1
    assert Message.objects.for_store(store).count() == 150


def test_a_cancel_takes_no_more_statements_with_endpoints_than_without(store: Store) -> None:
    def statements() -> int:
        customer = make_customer(store)
        grant("credits", customer, "20.00")
        grant("points", customer, 200)
        order = make_order(customer, credits="15.00", points=100)
        with CaptureQueriesContext(connection) as captured:
            cancel_and_return(order)
        return len(captured)

    without = statements()
    for _ in range(3):
        make_endpoint(store, URL)
    assert statements() == without
    assert Message.objects.for_store(store).filter(body__type="order.credit_reverted").count() == 3


def cancelled_order(store: Store) -> Any:
    """An order of 15.00 and 100 points, of 20.00 (5.00 left) and 300 (200 left), cancelled with everything back."""
    customer = make_customer(store, name="Ana Lee", email="ana@example.org", phone="0912345678")
    grant("credits", customer, "20.00", until=date(2026, 3, 20))
    grant("points", customer, 300)
    order = make_order(customer, credits="15.00", points=100, number="1001")
    cancel_and_return(order)
    return order


def sent(receiver: Receiver) -> dict[str, Any]:
    """What arrived, by type; for balances by cause and kind."""
    found = {}
    for delivery in receiver.received:
        said = delivery.json
        name = said["type"]
        if name == "customer.balance_changed":
            name = f"{said['data']['cause']} {'+'.join(change['kind'] for change in said['data']['changes'])}"
        assert name not in found
        found[name] = said
    return found


def test_a_cancel_is_told_with_ids_amounts_and_balances(store: Store, receiver: Receiver) -> None:
    order = None
    make_endpoint(store, receiver.url)
    order = cancelled_order(store)
    deliver()
    found = sent(receiver)
    ids = {"order": str(order.pk), "customer": str(order.customer_id), "redemption": None}
    assert set(found) == {
        "order.spent credits+points",
        "order.cancelled",
        "order.credit_reverted",
        "order.points_reverted",
        "order.credit_reverted credits",
        "order.points_reverted points",
    } | {name for name in found if name.startswith("customer.balance_changed")}
    assert found["order.cancelled"]["data"] == ids | {"trigger": "admin", "reason": ""}
    back = found["order.credit_reverted"]["data"]
    change = {"kind": "credits", "currency": "USD", "amount": "15.00", "balance_after": "20.00"}
    assert back.items() >= (ids | {"kind": "credits", "amount": "15.00", "applied": "15.00", "remains": "0.00"}).items()
    assert back["changes"] == [change]
    assert found["order.credit_reverted credits"]["data"] == ids | {
        "cause": "order.credit_reverted",
        "changes": [change],
    }
    points = {"kind": "points", "currency": "", "amount": 100, "balance_after": 300}
    assert found["order.points_reverted points"]["data"]["changes"] == [points]
    assert found["order.spent credits+points"]["data"]["changes"] == [
        {"kind": "credits", "currency": "USD", "amount": "-15.00", "balance_after": "5.00"},
        {"kind": "points", "currency": "", "amount": -100, "balance_after": 200},
    ]
    assert found["order.cancelled"]["timestamp"] == "2026-01-05T06:00:00Z"


def test_nothing_personal_is_sent(store: Store, receiver: Receiver) -> None:
    make_endpoint(store, receiver.url)
    cancelled_order(store)
    deliver()
    for delivery in receiver.received:
        assert not {word for word in ("Ana", "example.org", "0912", "1001") if word in delivery.body.decode()}


def test_gifts_and_deductions_are_told_as_changes_of_the_balance(store: Store, receiver: Receiver) -> None:
    make_endpoint(store, receiver.url, "customer.balance_changed")
    order = cancelled_order(store)
    Message.unscoped.all().delete()
    grant("points", order.customer, 7, now=NOW)
    bring_back(order)
    deliver()
    changes = [delivery.json["data"]["changes"] for delivery in receiver.received]
    assert [{"kind": "points", "currency": "", "amount": 7, "balance_after": 307}] in changes
    assert [
        (change["kind"], change["amount"], change["balance_after"])
        for told in changes
        for change in told
        if change["amount"] != 7
    ] == [("credits", "-15.00", "5.00"), ("points", -100, 207)]


def test_a_skipped_return_says_why(store: Store, receiver: Receiver) -> None:
    make_endpoint(store, receiver.url, "order.revert_skipped")
    customer = make_customer(store)
    grant("credits", customer, "15.00", until=date(2025, 12, 31))
    order = make_order(customer, credits="15.00")
    cancel_and_return(order)
    deliver()
    (delivery,) = receiver.received
    data = delivery.json["data"]
    assert (data["kind"], data["code"], data["amount"], data["remains"]) == ("credits", "expired", "0.00", "15.00")
    assert Decimal(data["applied"]) == 15
    assert json.loads(delivery.body)["type"] == "order.revert_skipped"


def test_m11_an_undone_return_is_told_with_what_it_took_again(store: Store, receiver: Receiver) -> None:
    make_endpoint(store, receiver.url, "order.revert_undone", "customer.balance_changed")
    order = cancelled_order(store)
    Message.unscoped.all().delete()
    revert = Revert.objects.for_store(store).get(kind="points")
    undo_revert(store=store, revert_id=revert.pk, act=Act(ACTOR, Trigger.ADMIN, NOW))
    deliver()
    found = sent(receiver)
    assert set(found) == {"order.revert_undone", "order.revert_undone points"}
    data = found["order.revert_undone"]["data"]
    assert (data["order"], data["revert"], data["kind"]) == (str(order.pk), str(revert.pk), "points")
    assert data["changes"] == [{"kind": "points", "currency": "", "amount": -100, "balance_after": 200}]


def test_r3_a_reversed_redemption_is_told_with_the_points_that_came_back(store: Store, receiver: Receiver) -> None:
    make_endpoint(store, receiver.url, "redemption.reversed", "customer.balance_changed")
    customer = make_customer(store)
    grant("points", customer, 700)
    redemption = make_redemption(customer, make_reward(store))
    reverse(redemption)
    Message.unscoped.filter(body__type="customer.balance_changed", created_at__lt=NOW).delete()
    deliver()
    found = sent(receiver)
    assert set(found) >= {"redemption.reversed", "redemption.reversed points"}
    data = found["redemption.reversed"]["data"]
    assert (data["redemption"], data["customer"], data["order"]) == (str(redemption.pk), str(customer.pk), None)
    points = redemption.points
    assert data["changes"] == [{"kind": "points", "currency": "", "amount": points, "balance_after": 700}]
    assert redemption.code
    assert redemption.code not in receiver.received[0].body.decode()


def test_r7_a_reversal_through_the_order_changes_the_balance_once(store: Store, receiver: Receiver) -> None:
    make_endpoint(store, receiver.url, "redemption.reversed", "order.points_reverted", "customer.balance_changed")
    customer = make_customer(store)
    grant("points", customer, 700)
    redemption = make_redemption(customer, make_reward(store))
    order = make_order(customer, codes=[redemption.code])
    Message.unscoped.all().delete()
    reverse(redemption, force=True, reason="A gift after all")
    deliver()
    told = sorted((delivery.json["type"], delivery.json["data"].get("cause")) for delivery in receiver.received)
    assert told == [
        ("customer.balance_changed", "order.points_reverted"),
        ("order.points_reverted", None),
        ("redemption.reversed", None),
    ]
    for delivery in receiver.received:
        assert delivery.json["data"]["order"] == str(order.pk)
        assert delivery.json["data"]["changes"] == [
            {"kind": "points", "currency": "", "amount": 500, "balance_after": 700}
        ]
