"""The sweep under fire: several at once, orders that cannot be processed, killed workers, Redis away (E5-E8).

`ROUNDS=50` kills fifty workers.
"""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from benchmarks.data import generate
from credits.models import CreditLot
from loyalty.embedded.layout import Layout
from loyalty.jobs.periodic import run_job
from loyalty.journal.models import JobRun
from loyalty.store_settings.sections import AutoCancelSettings, StoreSettings
from orders.models import Order, OrderStatus, Problem, Revert
from orders.services.automation import cancel_unpaid, expire_payments
from orders.services.automation.cancel_unpaid import auto_cancel
from orders.services.automation.expire_payments import expire_overdue_payments
from orders.services.intake.change import change_order
from tests import factories
from tests.books import find_faults
from tests.database import as_owner
from tests.examples import open_shop
from tests.races.killing import KILLS, end_state, killed_job
from tests.races.racing import PATIENCE, in_turn, together
from tests.workers import celery_worker, own_queue, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

NOW: Final = factories.NOW


def due(status: str = OrderStatus.CONFIRMED) -> int:
    return Order.unscoped.filter(payment_status="expired", status=status).count()


def enough(cancelled: int) -> bool:
    return due(OrderStatus.CANCELLED) >= cancelled


def elsewhere(call: Callable[[], Any]) -> Any:
    """What ``call`` answers on a connection of its own."""

    def run() -> Any:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result(timeout=PATIENCE)


# --- several at once


def test_e8_sweeps_at_once_do_the_work_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with as_owner():
        generate(1000, stores=7, now=NOW)
    waiting = due()
    monkeypatch.setattr(cancel_unpaid, "BATCH", 10)
    done: list[Any] = together(*[partial(auto_cancel, NOW)] * 3)
    assert sum(counts["cancelled"] for counts in done) == waiting
    assert (due(), due(OrderStatus.CANCELLED)) == (0, waiting)
    assert Revert.unscoped.count() == 2 * Order.unscoped.filter(credits_reverted__gt=0).count()
    assert find_faults(None) == []


def test_e1_two_expiring_jobs_expire_each_payment_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expire_payments, "BATCH", 5)
    customer = factories.make_customer(factories.make_store())
    for _ in range(40):
        factories.make_order(customer, payment_due_at=NOW)
    done: list[Any] = together(*[partial(expire_overdue_payments, NOW)] * 2)
    assert sum(counts["expired"] for counts in done) == 40
    assert set(Order.unscoped.values_list("payment_status", "version")) == {("expired", 2)}


# --- a payment in between


def paying(order: Order) -> Callable[[], Order]:
    return partial(
        change_order,
        store=order.store,
        order_id=order.pk,
        values={"payment_status": "paid"},
        actor=factories.ACTOR,
        now=NOW,
    )


def failed_order() -> Order:
    customer = factories.make_customer(factories.make_store())
    factories.grant("credits", customer, "10")
    return factories.make_order(customer, credits="10", payment_status="failed")


def test_e6_a_payment_that_is_being_written_wins() -> None:
    order = failed_order()
    with transaction.atomic():
        paying(order)()
        assert elsewhere(partial(auto_cancel, NOW)) == {"cancelled": 0, "failed": 0}
    assert auto_cancel(NOW) == {"cancelled": 0, "failed": 0}
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("pending", "paid")


def test_e6_a_payment_that_waited_for_the_sweep_finds_the_order_cancelled() -> None:
    order = failed_order()
    in_turn(partial(auto_cancel, NOW), paying(order))
    order.refresh_from_db()
    assert (order.status, order.payment_status, order.credits_reverted) == ("cancelled", "paid", Decimal(10))


def test_e6_a_payment_that_is_being_written_does_not_expire() -> None:
    order = factories.make_order(None, payment_due_at=NOW)
    with transaction.atomic():
        paying(order)()
        assert elsewhere(partial(expire_overdue_payments, NOW)) == {"expired": 0, "declined": 0, "failed": 0}
    assert expire_overdue_payments(NOW) == {"expired": 0, "declined": 0, "failed": 0}


# --- orders that cannot be processed


def poison() -> Order:
    """An order among those that are due, which says that all is back: giving back breaks a rule of the database."""
    order: Order = Order.unscoped.filter(payment_status="expired", credits_applied__gt=0).order_by("pk")[20]
    Order.unscoped.filter(pk=order.pk).update(credits_reverted=F("credits_applied"))
    return order


@pytest.mark.slow
def test_e7_one_poisoned_order_among_a_thousand() -> None:
    with as_owner():
        generate(5000, now=NOW)
    waiting = due()
    order = poison()
    assert waiting == 1000
    assert run_job("orders.auto_cancel", NOW) == {"cancelled": waiting - 1, "failed": 1}
    assert JobRun.objects.get(name="orders.auto_cancel").counts == {"cancelled": waiting - 1, "failed": 1}
    problem = Problem.unscoped.get()
    assert (problem.order_id, problem.store_id, problem.attempts) == (order.pk, order.store_id, 1)
    assert "order_credits_returned_within" in problem.error
    order.refresh_from_db()
    assert (order.status, order.points_reverted, order.version) == ("confirmed", 0, 1)
    Order.unscoped.filter(pk=order.pk).update(credits_reverted=0)
    assert auto_cancel(problem.next_attempt_at) == {"cancelled": 1, "failed": 0}
    assert find_faults(None) == []


def test_e7_what_fails_is_tried_again_with_growing_pauses_until_it_succeeds() -> None:
    order = failed_order()
    CreditLot.unscoped.update(remaining=F("granted"))
    tried = NOW
    for attempt, minutes in enumerate((5, 30, 120, 720, 720), 1):
        assert auto_cancel(tried) == {"cancelled": 0, "failed": 1}
        problem = Problem.unscoped.get()
        assert (problem.attempts, problem.next_attempt_at) == (attempt, tried + timedelta(minutes=minutes))
        assert problem.created_at == NOW
        too_early = problem.next_attempt_at - timedelta(microseconds=1)
        assert auto_cancel(too_early) == {"cancelled": 0, "failed": 0}
        tried = problem.next_attempt_at
    CreditLot.unscoped.update(remaining=0)
    assert auto_cancel(tried) == {"cancelled": 1, "failed": 0}
    order.refresh_from_db()
    assert (order.status, Problem.unscoped.exists()) == ("cancelled", False)


def test_e7_two_poisoned_orders_in_two_stores_and_a_good_one_between() -> None:
    orders = [failed_order() for _ in range(3)]
    for order in (orders[0], orders[2]):
        lots = CreditLot.unscoped.filter(customer=order.customer)
        lots.update(remaining=F("granted"))
    assert auto_cancel(NOW) == {"cancelled": 1, "failed": 2}
    assert set(Problem.unscoped.values_list("order", flat=True)) == {orders[0].pk, orders[2].pk}


# --- killed workers


@pytest.mark.slow
def test_e8_a_killed_sweep_is_finished_by_the_next_one_as_if_nothing_had_been() -> None:
    chance = random.Random(2026)
    now = timezone.now()
    with as_owner():
        generate(1000, stores=5, now=now)
    waiting = due()
    auto_cancel(now)
    undisturbed = end_state()
    killed = 0
    for _ in KILLS:
        with as_owner():
            generate(1000, stores=5, now=now)
        after = chance.randrange(waiting * 9 // 10)
        killed_job("orders.auto_cancel", partial(enough, after), chance.uniform(0, 0.05))
        killed += due() > 0
        auto_cancel(timezone.now())
        assert end_state() == undisturbed
        assert find_faults(None) == []
    assert killed


# --- Redis, and promptness


def failing(order: Order, now: datetime) -> None:
    change_order(
        store=order.store,
        order_id=order.pk,
        values={"payment_status": "failed"},
        actor=factories.ACTOR,
        now=now,
    )


@pytest.mark.slow
def test_e5_a_payment_marked_failed_over_rest_is_acted_on_by_a_live_worker_without_beat(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, pens = open_shop(), open_shop("pens")
    make = factories.make_settings
    make(pens.store, StoreSettings(auto_cancel=AutoCancelSettings(failed="off")))
    with own_queue(layout, monkeypatch), celery_worker() as worker:
        orders = []
        for one in (shop, pens):
            customer = one.customer()
            one.give_credits(customer, "100.00")
            orders.append(one.order(customer, apply_credits="60.00")["id"])
        wait_for("ready.", worker)
        for one, order in zip((pens, shop), reversed(orders), strict=True):
            assert one.send("PATCH", f"/orders/{order}/", {"payment_status": "failed"}).status_code == 200
        wait_for("orders.auto_cancel: cancelled=1 failed=0", worker)
    mine, theirs = (Order.unscoped.get(pk=int(order)) for order in orders)
    assert (mine.status, mine.credits_reverted) == ("cancelled", 60)
    assert mine.cancelled_at is not None
    assert mine.payment_changed_at is not None
    assert mine.cancelled_at - mine.payment_changed_at < timedelta(seconds=10)
    assert (theirs.status, theirs.credits_reverted) == ("pending", 0)


@pytest.mark.slow
def test_e5_redis_stopped_and_started_loses_nothing(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    customer = factories.make_customer(factories.make_store())
    factories.grant("credits", customer, "100")
    before, during, after = (factories.make_order(customer, credits="10") for _ in range(3))
    with own_queue(layout, monkeypatch) as valkey, celery_worker() as worker:
        wait_for("ready.", worker)
        failing(before, timezone.now())
        wait_for("orders.auto_cancel: cancelled=1 failed=0", worker)
        valkey.stop()
        failing(during, timezone.now())
        assert "The broker is away" in caplog.text
        valkey.start()
        failing(after, timezone.now())
        wait_for("orders.auto_cancel: cancelled=2 failed=0", worker)
    assert set(Order.unscoped.values_list("status", "credits_reverted")) == {("cancelled", Decimal(10))}
