"""What will be cancelled automatically, and holding an order back from it."""

from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from loyalty.core.errors import NotFound
from loyalty.journal.models import JournalEntry
from loyalty.store_settings.sections import AutoCancelSettings, StoreSettings
from loyalty.stores.models import Store
from orders.models import Order, OrderStatus, Problem
from orders.services.automation.cancel_unpaid import JOB
from orders.services.automation.hold import hold_order, release_order
from orders.services.automation.upcoming import (
    Affected,
    due_at,
    upcoming,
    would_cancel_expired,
    would_cancel_failed,
    would_cancel_overdue,
)
from orders.services.intake.change import change_order
from orders.services.locks import OrderCancelled
from tests import factories
from tests.factories import ACTOR, NOW

pytestmark = pytest.mark.django_db

DAY = timedelta(hours=24)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
TICK = timedelta(microseconds=1)
ON = StoreSettings(auto_cancel=AutoCancelSettings(payment_window_hours=48, expired="cancel_and_revert"))


def place(store: Store, number: str, *, credits: str = "0", now: datetime = NOW, **fields: Any) -> Order:
    customer = factories.make_customer(store)
    if credits != "0":
        factories.grant("credits", customer, credits)
    return factories.make_order(customer, number=number, credits=credits, now=now, **fields)


def numbers(store: Store, settings: StoreSettings = ON, *, now: datetime = NOW, most: int = 100) -> list[str]:
    found = upcoming(store, settings, now, most=most)
    orders = Order.objects.for_store(store).in_bulk([pk for pk, _ in found])
    return [orders[pk].number for pk, _ in found]


def run_at(moment: datetime, *names: str) -> None:
    with time_machine.travel(moment, tick=False):
        call_command("run_jobs", *names, stdout=StringIO())


def test_e1_the_next_24_hours_by_own_time_and_by_window_oldest_due_first(store: Store) -> None:
    place(store, "own, just inside", payment_due_at=NOW + DAY - TICK)
    place(store, "own, at the boundary", payment_due_at=NOW + DAY)
    place(store, "window, just inside", placed_at=NOW - DAY - TICK)
    place(store, "window, at the boundary", placed_at=NOW - DAY)
    place(store, "own time beats the window", placed_at=NOW - 3 * DAY, payment_due_at=NOW + 2 * DAY)
    place(store, "overdue", payment_due_at=NOW - DAY)
    place(store, "paid", payment_due_at=NOW, payment_status="paid")
    place(store, "completed", payment_due_at=NOW, status="completed")
    assert numbers(store) == ["overdue", "own, just inside", "window, just inside"]
    assert numbers(store, most=1) == ["overdue"]
    assert numbers(factories.make_store()) == []


def test_e2_f1_what_is_switched_off_is_not_announced(store: Store) -> None:
    place(store, "expired", payment_status="expired")
    place(store, "failed", payment_status="failed")
    place(store, "due", payment_due_at=NOW)
    assert set(numbers(store)) == {"expired", "failed", "due"}
    assert numbers(store, StoreSettings()) == ["failed"]
    assert numbers(store, StoreSettings(auto_cancel=AutoCancelSettings(failed="off"))) == []


def test_e9_a_failed_payment_is_announced_for_the_end_of_its_grace(store: Store) -> None:
    order = place(store, "failed", payment_status="failed")
    settings = replace(ON, auto_cancel=replace(ON.auto_cancel, failed_grace_minutes=60))
    assert upcoming(store, settings, NOW, most=9) == [(order.pk, NOW + timedelta(hours=1))]
    assert would_cancel_failed(store, settings, NOW) == Affected(0, 0)
    assert would_cancel_failed(store, settings, NOW + timedelta(hours=1)) == Affected(1, 0)


def test_e10_x16_a_declined_card_is_announced_for_when_it_counts_as_failed(store: Store) -> None:
    def decline(number: str, minutes: int, **facts: Any) -> int:
        order = place(store, number, placed_at=NOW - HOUR, **facts)
        Order.objects.for_store(store).filter(pk=order.pk).update(attempt_failed_at=NOW - minutes * MINUTE)
        return order.pk

    waits, over = decline("waits", 10), decline("over", 40)
    due_first = decline("due first", 10, payment_due_at=NOW + 10 * MINUTE)
    due_later = decline("due later", 5, payment_due_at=NOW + HOUR)
    for number, facts in (("paid", {"paid_before": True}), ("safe", {"payment_detail": "authorized"})):
        Order.objects.for_store(store).filter(pk=decline(number, 40)).update(**facts)
    assert upcoming(store, ON, NOW, most=9) == [
        (over, NOW - 10 * MINUTE),
        (due_first, NOW + 10 * MINUTE),
        (waits, NOW + 20 * MINUTE),
        (due_later, NOW + 25 * MINUTE),
    ]
    assert would_cancel_failed(store, ON, NOW) == Affected(1, 0)
    # Where failed payments are left alone, a declined card leaves the order alone, too.
    without = replace(ON, auto_cancel=replace(ON.auto_cancel, failed="off"))
    assert [pk for pk, _ in upcoming(store, without, NOW, most=9)] == [due_first]
    assert would_cancel_failed(store, without, NOW) == Affected(0, 0)
    patient = replace(ON, auto_cancel=replace(ON.auto_cancel, failed_grace_minutes=60))
    assert dict(upcoming(store, patient, NOW, most=9))[waits] == NOW + 50 * MINUTE
    factories.make_settings(store, ON)
    for minutes, cancelled in ((0, {over}), (10, {over, due_first}), (25, {over, due_first, waits, due_later})):
        run_at(NOW + minutes * MINUTE)
        ended = Order.objects.for_store(store).filter(status=OrderStatus.CANCELLED)
        assert set(ended.values_list("pk", flat=True)) == cancelled


def test_e9_late_arrivals_and_test_orders_are_not_announced(store: Store) -> None:
    for number, fields in (("late", {"arrived_late": True}), ("test", {"is_test": True})):
        order = place(store, number, payment_status="failed")
        Order.objects.for_store(store).filter(pk=order.pk).update(**fields)
        order = place(store, f"{number} due", payment_due_at=NOW - DAY)
        Order.objects.for_store(store).filter(pk=order.pk).update(**fields)
    assert numbers(store) == []
    assert would_cancel_expired(store, ON, NOW) == would_cancel_failed(store, ON, NOW) == Affected(0, 0)


def test_what_would_be_cancelled_is_what_the_jobs_then_cancel(store: Store) -> None:
    place(store, "1", payment_status="expired", credits="5.00")
    place(store, "2", payment_due_at=NOW, credits="5.00")
    place(store, "3", payment_due_at=NOW + TICK)
    place(store, "4", placed_at=NOW - 2 * DAY)
    place(store, "5", placed_at=NOW - 2 * DAY + TICK)
    place(store, "6", payment_status="failed")
    place(store, "7", payment_due_at=NOW, status="completed")
    factories.make_settings(store, ON)
    assert would_cancel_overdue(store, ON, NOW) == Affected(2, 1)
    assert would_cancel_expired(store, ON, NOW) == Affected(3, 2)
    for counting in (would_cancel_expired, would_cancel_overdue):
        assert counting(store, StoreSettings(), NOW) == Affected(0, 0)
    assert would_cancel_failed(store, ON, NOW) == Affected(1, 0)
    run_at(NOW)
    cancelled = Order.objects.for_store(store).filter(status=OrderStatus.CANCELLED)
    assert set(cancelled.values_list("number", flat=True)) == {"1", "2", "4", "6"}


def test_a_hold_stops_the_sweep_and_its_release_lets_it_go(store: Store) -> None:
    factories.make_settings(store, ON)
    order = place(store, "1", payment_due_at=NOW, credits="5.00")
    held = hold_order(store=store, order_id=order.pk, actor=ACTOR, now=NOW)
    again = hold_order(store=store, order_id=order.pk, actor=ACTOR, now=NOW + TICK)
    assert (held.held_at, again.held_at, again.version) == (NOW, NOW, order.version + 1)
    assert numbers(store) == []
    run_at(NOW + DAY)
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("pending", "expired")
    release_order(store=store, order_id=order.pk, actor=ACTOR, now=NOW + DAY)
    released = release_order(store=store, order_id=order.pk, actor=ACTOR, now=NOW + DAY)
    assert released.held_at is None
    assert numbers(store, now=NOW + DAY) == ["1"]
    run_at(NOW + DAY)
    order.refresh_from_db()
    assert (order.status, order.credits_reverted) == ("cancelled", 5)
    events = JournalEntry.objects.for_store(store).filter(order=order).order_by("id").values_list("event", flat=True)
    assert [event for event in events if event in ("order.held", "order.released")] == ["order.held", "order.released"]


def test_only_an_own_open_order_is_held(store: Store) -> None:
    order = factories.cancel(place(store, "1", payment_status="failed"))
    with pytest.raises(OrderCancelled):
        hold_order(store=store, order_id=order.pk, actor=ACTOR, now=NOW)
    foreign = factories.make_store()
    for verb in (hold_order, release_order):
        with pytest.raises(NotFound):
            verb(store=foreign, order_id=order.pk, actor=ACTOR, now=NOW)


def test_e7_what_is_set_aside_is_not_counted_until_it_is_tried_again(store: Store) -> None:
    order = place(store, "1", payment_status="failed")
    Problem.unscoped.create(
        store=store, order=order, job=JOB, error="x", next_attempt_at=NOW + timedelta(minutes=5), created_at=NOW
    )
    assert would_cancel_failed(store, ON, NOW) == Affected(0, 0)
    assert would_cancel_failed(store, ON, NOW + timedelta(minutes=5)) == Affected(1, 0)


def test_e1_due_at(store: Store) -> None:
    without, own = place(store, "1"), place(store, "2", payment_due_at=NOW)
    assert due_at(without, AutoCancelSettings()) is None
    assert due_at(without, ON.auto_cancel) == NOW + 2 * DAY
    assert due_at(own, ON.auto_cancel) == NOW


@pytest.mark.parametrize("status", ["expired", "failed"])
@pytest.mark.parametrize("way", ["changed", "placed", "released"])
def test_e5_a_payment_that_falls_through_wakes_the_sweep(
    store: Store, status: str, way: str, django_capture_on_commit_callbacks: Any
) -> None:
    order = place(store, "1")
    Order.objects.for_store(store).filter(pk=order.pk).update(held_at=NOW)
    if way == "released":
        Order.objects.for_store(store).filter(pk=order.pk).update(payment_status=status)
    with django_capture_on_commit_callbacks() as waking:
        if way == "changed":
            change_order(store=store, order_id=order.pk, values={"payment_status": status}, actor=ACTOR, now=NOW)
        elif way == "placed":
            place(store, "2", payment_status=status)
        else:
            release_order(store=store, order_id=order.pk, actor=ACTOR, now=NOW)
    assert len(waking) == 1
