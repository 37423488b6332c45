"""Undoing, dismissing and the queue at the same moment on several connections (M11, B2)."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from loyalty.notices.deliver import deliver_notices
from loyalty.notices.models import Notice
from loyalty.outbox.deliver import deliver_outbox
from loyalty.outbox.models import Message
from loyalty.stores.actors import Actor, ActorType
from loyalty.stores.models import Customer, Store
from orders.models import Look, Order, Revert, RevertUndo
from orders.services.reverts.apply import CancelResult, Details
from orders.services.reverts.cancel import cancel_many
from orders.services.reverts.dismiss import dismiss_revert
from orders.services.reverts.queue import hand_out
from orders.services.reverts.undo import UndoNotPossible, UndoResult, WhyNot, undo_revert
from tests import factories
from tests.books import find_faults
from tests.races.racing import ROUNDS, in_turn, together
from tests.races.spending import WHO, left, spending

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

Calls = list[Callable[[], Any]]


def undoing(revert: Revert) -> Callable[[], UndoResult]:
    return partial(undo_revert, store=revert.store, revert_id=revert.pk, **WHO)


def cancelling(order: Order, *, notify: bool = False) -> Callable[[], CancelResult]:
    return partial(factories.cancel_choosing, order, factories.BOTH, notify_customer=notify)


def dismissing(order: Order) -> Callable[[], Order]:
    return partial(dismiss_revert, store=order.store, order_id=order.pk, reason="Settled", **WHO)


def returned(customer: Customer) -> Revert:
    """10 credits of a lot of their own, returned."""
    factories.grant("credits", customer, "10")
    order = factories.make_order(customer, credits="10")
    return cancelling(order)().reverts[0].revert


def test_m11_eight_callers_undo_one_return_and_it_is_undone_once(customer: Customer) -> None:
    factories.grant("credits", customer, "1000")
    for _ in ROUNDS:
        before = left(customer)
        revert = returned(customer)
        done = together(*[undoing(revert)] * 8)
        assert sum(isinstance(result, UndoResult) for result in done) == 1
        refused = [result.reason for result in done if isinstance(result, UndoNotPossible)]
        assert refused == [WhyNot.UNDONE] * 7
        assert left(customer) == before
    assert find_faults(customer.store) == []


def test_m11_undo_and_spend_of_the_same_value_at_once(customer: Customer) -> None:
    for number in ROUNDS:
        ana = factories.make_customer(customer.store)
        revert = returned(ana)
        calls: Calls = [undoing(revert), spending(ana, 6, f"spend-{number}")]
        undone, spent = together(*calls)
        assert isinstance(undone, UndoResult) != isinstance(spent, tuple)
        assert left(ana) == (0 if isinstance(undone, UndoResult) else 4)
        status = Order.unscoped.get(pk=revert.order_id).credit_revert_status
        assert status == ("not_reverted" if isinstance(undone, UndoResult) else "reverted")
    assert find_faults(customer.store) == []


def test_m11_an_undo_waits_for_a_spend_and_then_sees_it(customer: Customer) -> None:
    revert = returned(customer)
    refused = in_turn(spending(customer, 6, "spend"), undoing(revert))
    assert isinstance(refused, UndoNotPossible)
    assert refused.reason is WhyNot.SPENT


def test_m11_eight_undos_and_cancels_at_once_leave_everything_with_one_side(customer: Customer) -> None:
    first = returned(customer)
    order = Order.unscoped.select_related("store", "customer").get(pk=first.order_id)
    for _ in ROUNDS:
        newest = Revert.objects.for_store(customer.store).select_related("store").order_by("-id")[0]
        calls: Calls = [undoing(newest), cancelling(order), undoing(newest), cancelling(order)] * 2
        together(*calls)
        row = Order.unscoped.get(pk=order.pk)
        assert left(customer) == row.credits_reverted
        assert row.credits_reverted == 10 * (Revert.unscoped.count() - RevertUndo.unscoped.count())
        cancelling(order)()
    assert find_faults(customer.store) == []


def test_m11_undo_cancel_and_spend_by_eight_callers(customer: Customer) -> None:
    for number in ROUNDS:
        ana = factories.make_customer(customer.store)
        revert = returned(ana)
        order = Order.unscoped.select_related("store", "customer").get(pk=revert.order_id)
        calls: Calls = [undoing(revert), cancelling(order)] * 3
        together(*calls, spending(ana, 6, f"a-{number}"), spending(ana, 6, f"b-{number}"))
        row = Order.unscoped.get(pk=order.pk)
        spent = Order.unscoped.filter(customer=ana, number__endswith=f"-{number}").exclude(pk=order.pk).count()
        assert spent <= 1
        assert left(ana) + 6 * spent == row.credits_reverted
    assert find_faults(customer.store) == []


def test_b2_dismiss_and_return_at_once(customer: Customer) -> None:
    for _ in ROUNDS:
        factories.grant("credits", customer, "10")
        order = factories.make_order(customer, credits="10")
        cancel_many(
            store=order.store, order_ids=[order.pk], details=Details(), actor=factories.ACTOR, now=factories.NOW
        )
        before = left(customer)
        calls: Calls = [dismissing(order), cancelling(order)] * 4
        together(*calls)
        row = Order.unscoped.get(pk=order.pk)
        assert (row.credits_reverted, row.credits_decision, row.needs_revert) == (10, "", False)
        assert left(customer) == before + 10
    assert find_faults(customer.store) == []


def test_m11_h3_a_message_that_is_being_sent_is_not_withdrawn(customer: Customer, mailoutbox: list[Any]) -> None:
    factories.grant("credits", customer, "10")
    order = factories.make_order(customer, credits="10")
    revert = cancelling(order, notify=True)().reverts[0].revert

    with transaction.atomic():
        deliver_notices(factories.NOW)
        # Nobody waits for the mail server: undoing is done before its answer is written down.
        (undone,) = together(undoing(revert))

    assert isinstance(undone, UndoResult)
    assert not undone.withdrawn
    assert (Notice.unscoped.get().status, len(mailoutbox)) == ("sent", 1)
    deliver_outbox(factories.NOW)
    assert (Notice.unscoped.get().status, Message.unscoped.get().status) == ("sent", "done")


def test_m11_h3_a_message_that_was_being_sent_and_failed_is_withdrawn_by_the_outbox(customer: Customer) -> None:
    factories.grant("credits", customer, "10")
    order = factories.make_order(customer, credits="10")
    revert = cancelling(order, notify=True)().reverts[0].revert

    with transaction.atomic():
        Notice.unscoped.select_for_update().get()
        together(undoing(revert))
        together(partial(deliver_outbox, factories.NOW))
        assert Message.unscoped.get().status == "queued"
    deliver_outbox(factories.NOW + timedelta(seconds=10))

    assert (Notice.unscoped.get().status, Message.unscoped.get().status) == ("withdrawn", "done")


def waiting_orders(store: Store, number: int) -> list[int]:
    customer = factories.make_customer(store)
    factories.grant("credits", customer, "1000")
    ids = [factories.make_order(customer, credits="1").pk for _ in range(number)]
    for minute, order_id in enumerate(ids):
        now = factories.NOW + timedelta(minutes=minute)
        cancel_many(store=store, order_ids=[order_id], details=Details(), actor=factories.ACTOR, now=now)
    return ids


def person(number: int) -> Actor:
    return Actor(ActorType.USER, str(number))


def test_b2_eight_people_who_ask_at_the_same_moment_get_different_orders(customer: Customer) -> None:
    store = customer.store
    ids = waiting_orders(store, 8)
    for round_number in ROUNDS:
        now = factories.NOW + timedelta(hours=1 + round_number)
        calls: Calls = [partial(hand_out, store, actor=person(number), now=now) for number in range(8)]
        handed = together(*calls)
        assert sorted(order.pk for order in handed if isinstance(order, Order)) == ids
    assert Look.unscoped.count() == 8


def test_b2_an_order_that_is_locked_is_passed_by(customer: Customer) -> None:
    oldest, second = waiting_orders(customer.store, 2)
    now = factories.NOW + timedelta(hours=1)

    def ask() -> Any:
        try:
            return hand_out(customer.store, actor=person(1), now=now)
        finally:
            connection.close()

    with transaction.atomic():
        list(Order.unscoped.filter(pk=oldest).select_for_update(no_key=True))
        handed = together(ask)
    assert [order.pk for order in handed if isinstance(order, Order)] == [second]
