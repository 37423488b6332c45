"""Bulk cancels under fire: workers at once, cancels and payments in between, killed workers (B1, E8)."""

import random
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pytest
from django.utils import timezone

from benchmarks.data import generate
from loyalty.stores.models import Remark, Store
from orders.models import BulkCancel, BulkItem, Order, OrderStatus
from orders.services.bulk_cancels import run
from orders.services.bulk_cancels.run import bulk_cancel, carry_out, choose, confirm, stop
from orders.services.intake.change import change_order
from orders.services.reverts.apply import Details
from tests import factories
from tests.books import find_faults
from tests.database import as_owner
from tests.races.killing import KILLS, end_state, killed_job, rows
from tests.races.racing import ROUNDS, in_turn, together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

NOW: Final = factories.NOW


def confirmed(store: Store, now: Any = NOW) -> BulkCancel:
    """A confirmed bulk cancel of every order of the store that is not cancelled."""
    orders = Order.objects.for_store(store).exclude(status=OrderStatus.CANCELLED)
    bulk = choose(store=store, orders=orders, filters="", actor=factories.ACTOR, now=now)
    return confirm(
        store=store,
        bulk_id=bulk.pk,
        details=Details(),
        leave_paid=False,
        leave_completed=True,
        actor=factories.ACTOR,
        now=now,
    )


def shop(orders: int) -> Store:
    store = factories.make_store()
    customer = factories.make_customer(store)
    factories.grant("credits", customer, "100000")
    for _ in range(orders):
        factories.make_order(customer, credits="1")
    return store


def test_b1_workers_at_once_do_the_work_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 5)
    bulks = [confirmed(shop(30)), confirmed(shop(20))]
    done: list[Any] = together(*[partial(bulk_cancel, NOW)] * 3)
    bulk_cancel(NOW)
    assert sum(counts["cancelled"] for counts in done) == 50
    assert set(Order.unscoped.values_list("status", "version")) == {("cancelled", 3)}
    assert [BulkCancel.unscoped.get(pk=bulk.pk).cancelled for bulk in bulks] == [30, 20]


def test_b1_a_page_sent_eight_times_at_once_cancels_once() -> None:
    for _ in ROUNDS:
        store = shop(3)
        orders = Order.objects.for_store(store)
        bulk = choose(store=store, orders=orders, filters="", actor=factories.ACTOR, now=NOW)

        def sending(store: Store, bulk_id: int) -> BulkCancel:
            sent = confirm(
                store=store,
                bulk_id=bulk_id,
                details=Details(reason="fraud"),
                leave_paid=False,
                leave_completed=False,
                actor=factories.ACTOR,
                now=NOW,
            )
            return carry_out(sent, NOW)

        together(*[partial(sending, store, bulk.pk)] * 8)
        bulk.refresh_from_db()
        assert (bulk.state, bulk.cancelled) == ("done", 3)
        assert set(orders.values_list("status", "version")) == {("cancelled", 3)}
        # One typed at the confirmation, one with the orders.
        assert Remark.objects.for_store(store).filter(reason="fraud").count() == 2


def cancelling(order: Order) -> Callable[[], Any]:
    return partial(factories.cancel_and_return, order)


def test_b1_single_cancels_and_the_job_at_once_return_once() -> None:
    for _ in ROUNDS:
        store = shop(4)
        bulk = confirmed(store)
        orders = list(Order.objects.for_store(store).order_by("-pk"))
        calls: list[Callable[[], Any]] = [partial(bulk_cancel, NOW), *map(cancelling, orders)]
        together(*calls)
        bulk.refresh_from_db()
        assert (bulk.state, bulk.cancelled + bulk.skipped) == ("done", 4)
        assert set(Order.objects.for_store(store).values_list("status", "credits_reverted")) == {("cancelled", 1)}
        assert find_faults(store) == []


def test_e6_a_payment_that_is_being_written_wins() -> None:
    store = shop(2)
    bulk = confirmed(store)
    order = Order.objects.for_store(store).order_by("pk")[0]
    paying = partial(
        change_order,
        store=store,
        order_id=order.pk,
        values={"payment_status": "paid"},
        actor=factories.ACTOR,
        now=NOW,
    )
    in_turn(paying, partial(bulk_cancel, NOW))
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("pending", "paid")
    assert BulkItem.unscoped.get(bulk=bulk, order=order).code == "changed_meanwhile"


def test_b1_stopping_waits_for_the_batch_and_ends_it() -> None:
    bulk = confirmed(shop(4))
    stopping = partial(stop, store=bulk.store, bulk_id=bulk.pk, actor=factories.ACTOR, now=NOW)
    counts = {"cancelled": 0, "skipped": 0, "failed": 0}
    first = partial(run.run_batch, bulk.pk, lambda: NOW, counts)
    answer: Any = in_turn(first, stopping)
    # The batch was the last one: there is nothing to stop.
    assert (answer.state, answer.cancelled) == ("done", 4)


def has_cancelled(enough: int) -> bool:
    """Whether the bulk cancels have looked at so many orders."""
    return BulkItem.unscoped.filter(outcome="cancelled").count() >= enough


def state_after() -> list[Any]:
    return [
        *end_state(),
        rows(BulkCancel, "store", "state", "total", "cancelled", "skipped", "failed"),
        rows(BulkItem, "order", "outcome", "code"),
    ]


def world(now: Any) -> int:
    """The same data and the same two bulk cancels each time; answers how many orders they have."""
    with as_owner():
        generate(600, stores=3, now=now)
    largest = list(Store.objects.order_by("pk")[:2])
    return sum(confirmed(store, now).total for store in largest)


@pytest.mark.slow
def test_e8_a_killed_job_is_finished_by_the_next_one_as_if_nothing_had_been() -> None:
    chance = random.Random(2026)
    now = timezone.now()
    waiting = world(now)
    bulk_cancel(now)
    undisturbed = state_after()
    killed = 0
    for _ in KILLS:
        world(now)
        enough = chance.randrange(waiting * 9 // 10)
        killed_job("orders.bulk_cancel", partial(has_cancelled, enough), chance.uniform(0, 0.05))
        killed += BulkCancel.unscoped.filter(state="open").exists()
        bulk_cancel(timezone.now())
        assert state_after() == undisturbed
        assert find_faults(None) == []
    assert killed
