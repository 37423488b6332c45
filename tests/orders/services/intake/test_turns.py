"""Shops take turns with their deliveries, and what one of them sends is worked on in lists (O2, ADR 0035)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.journal.models import JournalEntry
from loyalty.platforms.models import DeliveryState, InboundDelivery
from loyalty.stores.models import Store
from orders.models import Order
from orders.services.intake import handle_webhook as delivered
from orders.services.intake import process_webhooks
from orders.services.intake.ingest import ingest_all
from orders.services.intake.process_webhooks import process_deliveries
from tests.deliveries import connect_store, shopify
from tests.factories import NOW, make_store
from tests.loyalty.platforms.samples import order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


@pytest.fixture
def stores() -> tuple[Store, Store]:
    """Two shops on Shopify."""
    pair = make_store(), make_store()
    for store in pair:
        connect_store(store)
    return pair


def say(store: Store, *numbers: int, topic: str = "orders/updated", **facts: Any) -> None:
    """Shopify says how these orders are."""
    for number in numbers:
        said = order("shopify", id=number, admin_graphql_api_id=f"gid://shopify/Order/{number}", **facts)
        assert shopify(said, topic).send(store).status_code == 200


def states(store: Store) -> list[str]:
    return list(InboundDelivery.objects.for_store(store).order_by("pk").values_list("state", flat=True))


def test_a_shops_flood_holds_up_another_shops_message_for_one_turn(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    flooded, other = stores
    monkeypatch.setattr(process_webhooks, "BATCH", 3)
    say(flooded, *range(1, 11))
    say(other, 1)
    assert process_deliveries(NOW)["done"] == 11
    recorded = JournalEntry.unscoped.filter(event="order.created").order_by("pk").values_list("store_id", flat=True)
    assert list(recorded).index(other.pk) == 3


def test_a_message_that_arrives_while_a_flood_is_drained_has_its_turn(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    flooded, other = stores
    monkeypatch.setattr(process_webhooks, "BATCH", 1)
    moments = iter(NOW + timedelta(seconds=second) for second in range(100))

    def clock(_now: datetime) -> Callable[[], datetime]:
        return lambda: next(moments)

    monkeypatch.setattr(process_webhooks, "ticking", clock)
    say(flooded, *range(1, 5))
    say(other, 1)
    InboundDelivery.objects.for_store(other).update(next_attempt_at=NOW + timedelta(seconds=2))
    process_deliveries(NOW)
    assert InboundDelivery.objects.for_store(other).get().processed_at == NOW + timedelta(seconds=2)
    assert set(states(flooded)) == {"done"}


def test_states_of_one_order_are_worked_on_as_they_came(stores: tuple[Store, Store]) -> None:
    store, _ = stores
    for hour in range(3):
        say(store, 1, 2, updated_at=f"2026-01-06T1{hour}:00:00+00:00", tags=f"state-{hour}")
    process_deliveries(NOW)
    for made in Order.objects.for_store(store):
        told = JournalEntry.objects.for_store(store).filter(order=made, event="order.updated").order_by("pk")
        assert [entry.data["tags"]["to"] for entry in told] == [["state-1"], ["state-2"]]
    assert states(store) == ["done"] * 6


def test_what_changes_an_order_otherwise_is_carried_out_between_its_states(stores: tuple[Store, Store]) -> None:
    store, _ = stores
    say(store, 1, 2)
    assert shopify({"id": 1}, "orders/delete").send(store).status_code == 200
    say(store, 2, tags="later")
    say(store, 1, updated_at="2026-01-07T09:00:00+00:00", tags="there again")
    process_deliveries(NOW)
    events = JournalEntry.objects.for_store(store).filter(order__external_id="1").order_by("pk")
    assert list(events.values_list("event", flat=True)) == [
        "order.created",
        "order.deleted_on_platform",
        "order.updated",
        "order.restored_on_platform",
    ]


def test_e7_one_that_cannot_be_recorded_is_found_among_the_others(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = stores

    def fails(*, arrivals: Any, **facts: Any) -> Any:
        if any(one.snapshot.external_id == "5" for one in arrivals):
            raise RuntimeError("No.")
        return ingest_all(arrivals=arrivals, **facts)

    monkeypatch.setattr(delivered, "ingest_all", fails)
    say(store, *range(1, 9))
    counts = process_deliveries(NOW)
    assert (counts["done"], counts["postponed"]) == (7, 1)
    bad = InboundDelivery.objects.for_store(store).get(state=DeliveryState.RETRYING)
    assert (bad.attempts, bad.next_attempt_at) == (1, NOW + timedelta(minutes=1))
    assert bad.last_error == "Something unexpected happened (RuntimeError); the log says what."


def test_a_shop_whose_platform_is_being_asked_is_not_asked_by_a_second_worker(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that does not answer would hold up everybody's workers."""
    store, _ = stores
    asked: list[int] = []

    def carry_out(delivery: InboundDelivery, now: datetime) -> Any:
        asked.append(delivery.pk)
        return delivered.carry_out(delivery, now)

    monkeypatch.setattr(process_webhooks, "carry_out", carry_out)
    say(store, 1)
    shopify({"id": 1, "order_id": 7}, "refunds/create").send(store)
    first = InboundDelivery.objects.for_store(store).latest("pk")
    shopify({"id": 2, "order_id": 7}, "refunds/create").send(store)
    lease = {"attempts": 1, "next_attempt_at": NOW + timedelta(minutes=3)}
    InboundDelivery.objects.for_store(store).filter(pk=first.pk).update(**lease)
    process_deliveries(NOW)
    assert (asked, states(store)) == ([], ["done", "waiting", "waiting"])
    process_deliveries(NOW + timedelta(minutes=3))
    assert len(asked) == 2


def test_statements_do_not_grow_with_the_deliveries(stores: tuple[Store, Store]) -> None:
    counts = []
    for store, size in zip(stores, (4, 40), strict=True):
        say(store, *range(1, size + 1))
        with CaptureQueriesContext(connection) as captured:
            process_deliveries(NOW)
        counts.append(len(captured))
        assert states(store) == ["done"] * size
    assert counts[0] == counts[1]


def test_a_run_whose_time_is_over_leaves_the_rest_to_another_one(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = stores
    monkeypatch.setattr(process_webhooks, "BATCH", 2)
    monkeypatch.setattr(process_webhooks, "is_over", lambda: True)
    say(store, *range(1, 6))
    assert process_deliveries(NOW)["done"] == 2


def test_platforms_that_hang_leave_places_to_those_who_record_orders(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many runs as may wait for platforms do: what has to be asked waits, what is there as a whole is recorded."""
    store, other = stores
    monkeypatch.setattr(process_webhooks, "_asking", BoundedSemaphore(1))
    shopify({"id": 1, "order_id": 7}, "refunds/create").send(store)
    say(other, 1)
    with process_webhooks._asking:
        process_deliveries(NOW)
        assert (states(store), states(other)) == (["waiting"], ["done"])
