"""E1: payments whose time has run out."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from loyalty.journal.models import JournalEntry
from loyalty.store_settings.sections import current_settings
from orders.models import Order, PaymentDetail
from orders.services.automation import expire_payments
from orders.services.automation.upcoming import upcoming
from tests.examples import Shop, open_shop
from tests.orders.services.automation.sweeping import TICK, order_of, run_jobs, settings

Clock = time_machine.Traveller
JOB = "orders.expire_overdue_payments"


def expired(shop: Shop, order: str) -> bool:
    return bool(order_of(shop, order)["payment_status"] == "expired")


def test_e1_the_orders_own_due_time_to_the_microsecond(shop: Shop, clock: Clock) -> None:
    due = shop.at(2021, 9, 2)
    order = shop.order(None, payment_due_at=due.isoformat())["id"]
    clock.move_to(due - TICK)
    assert run_jobs(JOB) == [f"{JOB}: expired=0 declined=0 failed=0"]
    clock.move_to(due)
    assert run_jobs(JOB) == [f"{JOB}: expired=1 declined=0 failed=0"]
    assert expired(shop, order)


def test_e1_the_stores_window_after_placement_to_the_microsecond(shop: Shop, clock: Clock) -> None:
    settings(shop, payment_window_hours=48)
    placed = shop.at(2021, 8, 31, 9)
    order = shop.order(None, placed_at=placed.isoformat())["id"]
    clock.move_to(placed + timedelta(hours=48) - TICK)
    run_jobs(JOB)
    assert not expired(shop, order)
    clock.move_to(placed + timedelta(hours=48))
    run_jobs(JOB)
    assert expired(shop, order)


def test_e1_the_orders_own_due_time_wins_over_the_window(shop: Shop, clock: Clock) -> None:
    settings(shop, payment_window_hours=1)
    due = shop.at(2021, 9, 20)
    order = shop.order(None, payment_due_at=due.isoformat())["id"]
    clock.move_to(shop.at(2021, 9, 10))
    run_jobs(JOB)
    assert not expired(shop, order)


def test_e1_without_due_time_and_window_nothing_expires(shop: Shop, clock: Clock) -> None:
    order = shop.order(None)["id"]
    clock.move_to(shop.at(2031, 9, 1))
    assert run_jobs(JOB) == [f"{JOB}: expired=0 declined=0 failed=0"]
    assert not expired(shop, order)


def test_e1_the_window_counts_hours_and_not_days_when_the_clocks_change(clock: Clock) -> None:
    """A day of 23 hours: 24 hours after noon on Saturday are 13:00 on Sunday."""
    berlin = open_shop("uhr", time_zone="Europe/Berlin")
    settings(berlin, payment_window_hours=24)
    clock.move_to(berlin.at(2022, 3, 26, 12))
    order = berlin.order(None)["id"]
    clock.move_to(berlin.at(2022, 3, 27, 13) - TICK)
    run_jobs(JOB)
    assert not expired(berlin, order)
    clock.move_to(berlin.at(2022, 3, 27, 13))
    run_jobs(JOB)
    assert expired(berlin, order)


@pytest.mark.parametrize(
    "facts", [{"is_test": True}, *({"payment_detail": detail} for detail in PaymentDetail.values if detail)]
)
def test_e10_what_is_promised_or_on_its_way_does_not_run_out(shop: Shop, clock: Clock, facts: dict[str, Any]) -> None:
    settings(shop, payment_window_hours=24, expired="cancel_and_revert")
    own = shop.order(None, "1001", payment_due_at=shop.at(2021, 9, 2).isoformat())["id"]
    by_window = shop.order(None, "1002")["id"]
    Order.objects.for_store(shop.store).update(**facts)
    clock.move_to(shop.at(2021, 9, 4))
    assert upcoming(shop.store, current_settings(shop.store), shop.at(2021, 9, 4), most=9) == []
    assert shop.get("/orders/", due_before=shop.at(2021, 9, 4).isoformat()).json()["results"] == []
    assert run_jobs() == [f"{JOB}: expired=0 declined=0 failed=0", "orders.auto_cancel: cancelled=0 failed=0"]
    assert [expired(shop, own), expired(shop, by_window)] == [False, False]


def test_e10_a_payment_that_is_not_open_any_more_says_nothing_more(shop: Shop, clock: Clock) -> None:
    order = shop.order(None)["id"]
    Order.objects.for_store(shop.store).update(payment_detail="authorized")
    assert order_of(shop, order)["payment_detail"] == "authorized"
    shop.send("PATCH", f"/orders/{order}/", {"payment_status": "paid"})
    assert order_of(shop, order)["payment_detail"] is None


def test_e1_each_store_has_its_own_window(shop: Shop, clock: Clock) -> None:
    settings(shop, payment_window_hours=1)
    pens = open_shop("pens")
    mine, theirs = shop.order(None)["id"], pens.order(None)["id"]
    clock.move_to(shop.at(2021, 9, 5))
    assert run_jobs(JOB) == [f"{JOB}: expired=1 declined=0 failed=0"]
    assert (expired(shop, mine), expired(pens, theirs)) == (True, False)


@pytest.mark.parametrize("status", ["paid", "failed", "refunded", "partially_refunded", "expired"])
def test_e1_only_pending_payments_expire(shop: Shop, clock: Clock, status: str) -> None:
    due = shop.at(2021, 9, 1, 13)
    shop.order(None, payment_status=status, payment_due_at=due.isoformat())
    clock.move_to(shop.at(2021, 9, 5))
    assert run_jobs(JOB) == [f"{JOB}: expired=0 declined=0 failed=0"]


def test_e1_a_cancelled_orders_payment_is_left_alone(shop: Shop, clock: Clock) -> None:
    order = shop.order(None, payment_due_at=shop.at(2021, 9, 1, 13).isoformat())["id"]
    shop.cancel(order)
    clock.move_to(shop.at(2021, 9, 5))
    assert run_jobs(JOB) == [f"{JOB}: expired=0 declined=0 failed=0"]


def test_e1_a_completed_order_expires_and_is_not_cancelled(shop: Shop, clock: Clock) -> None:
    settings(shop, expired="cancel")
    order = shop.order(None, status="completed", payment_due_at=shop.at(2021, 9, 1, 13).isoformat())["id"]
    clock.move_to(shop.at(2021, 9, 5))
    run_jobs()
    assert (order_of(shop, order)["status"], expired(shop, order)) == ("completed", True)


def test_e1_the_journal_says_who_expired_it_and_when(shop: Shop, clock: Clock) -> None:
    order = shop.order(None, payment_due_at=shop.at(2021, 9, 1, 13).isoformat())["id"]
    clock.move_to(shop.at(2021, 9, 5))
    run_jobs(JOB)
    event = JournalEntry.unscoped.filter(order=int(order)).order_by("id").last()
    assert event is not None
    assert (event.actor, event.created_at) == (f"job:{JOB}", shop.at(2021, 9, 5))
    assert event.data == {"payment_status": {"from": "pending", "to": "expired"}}
    row = Order.unscoped.get(pk=int(order))
    assert (row.payment_changed_at, row.version) == (shop.at(2021, 9, 5), 2)


def test_e1_more_than_a_batch(shop: Shop, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expire_payments, "BATCH", 3)
    for number in range(8):
        shop.order(None, str(number), payment_due_at=shop.at(2021, 9, 1, 13).isoformat())
    clock.move_to(shop.at(2021, 9, 5))
    assert run_jobs(JOB) == [f"{JOB}: expired=8 declined=0 failed=0"]
