"""Bulk cancels as work: chosen, confirmed, carried out in batches, stopped, taken up again (B1)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from loyalty.core.errors import Invalid, NotFound
from loyalty.jobs.periodic import run_job
from loyalty.journal.models import JobRun, JournalEntry
from loyalty.stores.actors import Actor
from loyalty.stores.models import Customer, Store
from orders.models import BulkCancel, BulkItem, Order
from orders.services.bulk_cancels import run
from orders.services.bulk_cancels.run import bulk_cancel, carry_out, choose, confirm, go_on, run_batch, stop
from orders.services.reverts.apply import Details
from tests import factories
from tests.books import find_faults

pytestmark = pytest.mark.django_db

NOW = factories.NOW
NOTHING = {"cancelled": 0, "skipped": 0, "failed": 0}
# The next version of such an order does not fit its column: writing it fails in the database.
LAST_VERSION = 2**31 - 1


@pytest.fixture
def customer(store: Store) -> Customer:
    customer = factories.make_customer(store)
    factories.grant("credits", customer, "1000")
    return customer


def orders_of(customer: Customer, number: int) -> list[Order]:
    return [factories.make_order(customer, credits="10") for _ in range(number)]


def chosen(store: Store, orders: list[Order]) -> BulkCancel:
    rows = Order.objects.for_store(store).filter(pk__in=[order.pk for order in orders])
    return choose(store=store, orders=rows, filters="tags=raid", actor=factories.ACTOR, now=NOW)


def confirmed(store: Store, orders: list[Order], **more: Any) -> BulkCancel:
    facts: dict[str, Any] = {"leave_paid": False, "leave_completed": False, "details": Details()}
    bulk = chosen(store, orders)
    return confirm(store=store, bulk_id=bulk.pk, actor=factories.ACTOR, now=NOW, **(facts | more))


def outcomes(bulk: BulkCancel) -> list[tuple[str, str]]:
    return list(BulkItem.unscoped.filter(bulk=bulk).order_by("pk").values_list("outcome", "code"))


def test_b1_nothing_happens_before_it_is_confirmed(store: Store, customer: Customer) -> None:
    bulk = chosen(store, orders_of(customer, 2))
    assert bulk_cancel(NOW) == NOTHING
    assert carry_out(bulk, NOW).state == "draft"
    assert go_on(store=store, bulk_id=bulk.pk).state == "draft"
    assert set(Order.unscoped.values_list("status", flat=True)) == {"pending"}


def test_b1_the_job_cancels_in_batches_and_counts(
    store: Store, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH", 2)
    bulk = confirmed(store, orders_of(customer, 5), details=Details(reason="fraud"))
    assert run_job("orders.bulk_cancel", NOW) == {"cancelled": 5, "skipped": 0, "failed": 0}
    bulk.refresh_from_db()
    assert (bulk.state, bulk.cancelled, bulk.waiting, bulk.finished_at) == ("done", 5, 0, NOW)
    assert set(Order.unscoped.values_list("status", "cancelled_by", "cancel_reason", "credits_decision")) == {
        ("cancelled", "bulk", "fraud", "deferred")
    }
    assert bulk_cancel(NOW) == NOTHING
    assert JobRun.objects.get(name="orders.bulk_cancel").error == ""
    assert find_faults(store) == []


def test_h1_whoever_confirmed_it_is_the_actor(store: Store, customer: Customer) -> None:
    (order,) = orders_of(customer, 1)
    user = Actor.user(factories.make_user())
    bulk = confirm(
        store=store,
        bulk_id=chosen(store, [order]).pk,
        details=Details(),
        leave_paid=False,
        leave_completed=False,
        actor=user,
        now=NOW,
    )
    carry_out(bulk, NOW)
    assert JournalEntry.unscoped.get(order=order, event="order.cancelled").actor == user.ref


def test_b1_several_bulk_cancels_go_on_side_by_side(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 2)
    pens = factories.make_customer(factories.make_store())
    bulks = [
        confirmed(customer.store, orders_of(customer, 3)),
        confirmed(pens.store, [factories.make_order(pens) for _ in range(5)]),
    ]
    assert bulk_cancel(NOW) == {"cancelled": 8, "skipped": 0, "failed": 0}
    assert [BulkCancel.unscoped.get(pk=bulk.pk).state for bulk in bulks] == ["done", "done"]


def test_e7_an_order_that_fails_does_not_stop_the_others_and_is_tried_again_when_asked(
    store: Store, customer: Customer
) -> None:
    orders = orders_of(customer, 7)
    Order.unscoped.filter(pk=orders[3].pk).update(version=LAST_VERSION)
    bulk = confirmed(store, orders)
    assert bulk_cancel(NOW) == {"cancelled": 6, "skipped": 0, "failed": 1}
    bulk.refresh_from_db()
    assert (bulk.state, bulk.cancelled, bulk.failed) == ("done", 6, 1)
    item = BulkItem.unscoped.get(order=orders[3])
    assert (item.outcome, item.code) == ("failed", "error")
    assert item.error == "A number is larger than can be kept (DataError 22003)."
    # Nobody asked: it is not tried again by itself.
    assert bulk_cancel(NOW) == NOTHING
    Order.unscoped.filter(pk=orders[3].pk).update(version=1)
    assert go_on(store=store, bulk_id=bulk.pk).state == "open"
    assert bulk_cancel(NOW) == {"cancelled": 1, "skipped": 0, "failed": 0}
    bulk.refresh_from_db()
    assert (bulk.state, bulk.cancelled, bulk.failed) == ("done", 7, 0)
    assert outcomes(bulk) == [("cancelled", "")] * 7


def test_b1_stopped_it_stays_stopped_until_somebody_carries_on(store: Store, customer: Customer) -> None:
    bulk = confirmed(store, orders_of(customer, 3))
    stopped = stop(store=store, bulk_id=bulk.pk, actor=factories.ACTOR, now=NOW)
    assert (stopped.state, stopped.stopped_by) == ("stopped", factories.ACTOR.ref)
    assert bulk_cancel(NOW) == NOTHING
    go_on(store=store, bulk_id=bulk.pk)
    assert bulk_cancel(NOW)["cancelled"] == 3
    assert stop(store=store, bulk_id=bulk.pk, actor=factories.ACTOR, now=NOW).state == "done"


def test_b1_confirmed_twice_is_confirmed_once(store: Store, customer: Customer) -> None:
    bulk = confirmed(store, orders_of(customer, 1))
    again = confirm(
        store=store,
        bulk_id=bulk.pk,
        details=Details(reason="other"),
        leave_paid=True,
        leave_completed=True,
        actor=Actor.job("another"),
        now=NOW + timedelta(hours=1),
    )
    assert (again.actor, again.remark_id, again.leave_paid) == (factories.ACTOR.ref, None, False)
    assert again.confirmed_at == NOW


def test_b1_a_long_one_wakes_the_worker_a_short_one_does_not(
    store: Store, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "AT_ONCE", 2)
    confirmed(store, orders_of(customer, 2))
    before = len(connection.run_on_commit)
    long = confirmed(store, orders_of(customer, 3))
    assert len(connection.run_on_commit) == before + 1
    assert carry_out(long, NOW).waiting == 3


def test_b1_no_order_and_too_many_orders_are_refused(
    store: Store, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "MOST", 1)
    for orders in ([], orders_of(customer, 2)):
        with pytest.raises(Invalid):
            chosen(store, orders)


def test_t1_orders_and_bulk_cancels_of_another_store_are_not_there(store: Store, customer: Customer) -> None:
    other = factories.make_store()
    with pytest.raises(Invalid):
        choose(store=other, orders=Order.objects.for_store(store), filters="", actor=factories.ACTOR, now=NOW)
    bulk = confirmed(store, orders_of(customer, 1))
    with pytest.raises(NotFound):
        stop(store=other, bulk_id=bulk.pk, actor=factories.ACTOR, now=NOW)
    with pytest.raises(NotFound):
        go_on(store=other, bulk_id=bulk.pk)


def test_t1_the_database_refuses_an_item_that_joins_two_stores(store: Store, customer: Customer) -> None:
    bulk = chosen(store, orders_of(customer, 1))
    foreign = factories.make_order(factories.make_customer(factories.make_store()))
    with pytest.raises(Exception, match="same_store"), transaction.atomic():
        BulkItem.unscoped.create(store=store, bulk=bulk, order=foreign, settled=False)


def test_what_nobody_confirmed_is_forgotten_after_a_day(store: Store, customer: Customer) -> None:
    orders = orders_of(customer, 1)
    draft, kept = chosen(store, orders), confirmed(store, orders)
    bulk_cancel(NOW + timedelta(hours=23))
    assert BulkCancel.unscoped.count() == 2
    bulk_cancel(NOW + timedelta(hours=25))
    assert list(BulkCancel.unscoped.values_list("pk", flat=True)) == [kept.pk]
    assert not BulkItem.unscoped.filter(bulk_id=draft.pk).exists()


def test_statements_are_the_same_for_one_and_forty_orders(store: Store, customer: Customer) -> None:
    counts = []
    for size in (1, 40):
        bulk = confirmed(store, orders_of(customer, size))
        with CaptureQueriesContext(connection) as queries:
            assert run_batch(bulk.pk, lambda: NOW, dict(NOTHING)) == size
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20
