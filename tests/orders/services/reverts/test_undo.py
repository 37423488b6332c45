"""Undoing a return (M11): when it can be done, what it writes, and what comes of it."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from credits.models import CreditAllocation, CreditLot, CreditMovement
from loyalty.core.errors import NotFound
from loyalty.journal.models import JournalEntry
from loyalty.ledger.adjust import Adjustment, adjust
from loyalty.notices.deliver import deliver_notices
from loyalty.notices.models import Notice
from loyalty.store_settings.sections import AutoCancelSettings, LimitSettings, StoreSettings
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Customer, Store
from orders.kinds import LEDGERS
from orders.models import Order, Revert, RevertUndo
from orders.services.automation.cancel_unpaid import auto_cancel
from orders.services.intake.change import change_order
from orders.services.reverts.apply import CancelResult, Details
from orders.services.reverts.cancel import cancel_order
from orders.services.reverts.choices import CancelChoice, Extension
from orders.services.reverts.reinstate import Deduct, reinstate
from orders.services.reverts.undo import UndoNotPossible, UndoResult, WhyNot, undo_revert, undo_reverts, undos_of
from tests import factories
from tests.books import find_faults
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def by_staff(now: datetime) -> Act:
    return Act(factories.ACTOR, Trigger.ADMIN, now)


@pytest.fixture
def ana(store: Store) -> Customer:
    return factories.make_customer(store)


def returned(customer: Customer, *, until: date | None = None, **details: Any) -> CancelResult:
    """15 credits of one lot and 100 points, cancelled and returned."""
    factories.grant("credits", customer, "15", until=until)
    factories.grant("points", customer, 100)
    order = factories.make_order(customer, credits="15", points=100)
    return cancel(order, details=Details(**details))


def cancel(order: Order, *, details: Details | None = None, now: Any = NOW, **extend: Extension) -> CancelResult:
    choice = CancelChoice(returns={"credits": True, "points": True}, extend=extend)  # type: ignore[arg-type]
    facts: dict[str, Any] = {"store": order.store, "order_id": order.pk, "choice": choice, "token": None}
    return cancel_order(**facts, details=details or Details(), act=by_staff(now))


def undo(revert: Revert, *, now: Any = NOW, reason: str = "") -> UndoResult:
    return undo_revert(store=revert.store, revert_id=revert.pk, reason=reason, act=by_staff(now))


def credits_of(result: CancelResult) -> Revert:
    return next(made.revert for made in result.reverts if made.kind == "credits")


def why_not(revert: Revert, *, now: Any = NOW) -> tuple[WhyNot, str]:
    before = (CreditMovement.unscoped.count(), JournalEntry.unscoped.count())
    with pytest.raises(UndoNotPossible) as refused:
        undo(revert, now=now)
    assert (CreditMovement.unscoped.count(), JournalEntry.unscoped.count()) == before
    return refused.value.reason, str(refused.value)


def balance(customer: Customer, *, now: Any = NOW) -> Any:
    return factories.balance("credits", customer, now=now), factories.balance("points", customer, now=now)


def test_m11_undo_takes_the_value_out_of_its_lot_and_leaves_the_kind_declined(store: Store, ana: Customer) -> None:
    revert = credits_of(returned(ana))

    done = undo(revert, reason="wrong order")

    assert balance(ana) == (0, 100)
    order = Order.unscoped.get(pk=revert.order_id)
    assert (order.credits_reverted, order.credits_decision, order.credit_revert_status) == (
        0,
        "declined",
        "not_reverted",
    )
    assert (order.points_reverted, order.points_decision, order.points_revert_status) == (100, "", "reverted")
    assert not order.needs_revert
    assert (done.order.credit_revert_status, done.order.version) == ("not_reverted", order.version)
    allocation = CreditAllocation.unscoped.get()
    assert (allocation.amount, allocation.returned) == (15, 0)
    assert find_faults(store) == []


def test_m11_the_movements_are_opposite_and_linked_both_ways(store: Store, ana: Customer) -> None:
    revert = credits_of(returned(ana))
    done = undo(revert, reason="wrong order")

    given, taken = CreditMovement.unscoped.filter(revert=revert).order_by("id")
    assert [(row.type, row.amount, row.balance_after) for row in (given, taken)] == [
        ("revert", 15, 15),
        ("undo", -15, 0),
    ]
    assert (given.lot_id, given.allocation_id, given.order_id) == (taken.lot_id, taken.allocation_id, taken.order_id)
    assert (taken.trigger, taken.remark.reason) == ("admin", "wrong order")
    assert undos_of([revert]) == {revert.pk: done.undo}
    assert done.undo.revert == revert
    entry = JournalEntry.unscoped.get(event="order.revert_undone")
    assert (entry.data["revert"], entry.data["amount"]) == (str(revert.pk), "15.00")


def test_m11_an_undo_is_never_changed_or_deleted(ana: Customer) -> None:
    row = undo(credits_of(returned(ana))).undo
    for write in (RevertUndo.unscoped.filter(pk=row.pk).update, RevertUndo.unscoped.filter(pk=row.pk).delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            write(**({"actor": "user:1"} if write.__name__ == "update" else {}))


def test_m11_once_only(store: Store, ana: Customer) -> None:
    revert = credits_of(returned(ana))
    factories.grant("credits", ana, "50")
    undo(revert)

    reason, words = why_not(revert)

    assert reason is WhyNot.UNDONE
    assert words.startswith("This return was undone already, on Jan 5, 2026")
    assert balance(ana) == (50, 100)


def test_m11_people_return_it_again_and_that_return_can_be_undone_too(store: Store, ana: Customer) -> None:
    first = returned(ana)
    undo(credits_of(first))

    second = cancel(first.order)

    assert [(made.kind, made.revert.amount) for made in second.reverts] == [("credits", 15)]
    assert balance(ana) == (15, 100)
    assert why_not(credits_of(first))[0] is WhyNot.UNDONE
    undo(credits_of(second))
    assert balance(ana) == (0, 100)
    assert find_faults(store) == []


def test_m11_not_after_the_stores_hours(store: Store, ana: Customer) -> None:
    revert = credits_of(returned(ana))
    factories.make_settings(store, StoreSettings(limits=LimitSettings(undo_hours=2)))

    reason, words = why_not(revert, now=NOW + timedelta(hours=2))

    assert reason is WhyNot.TOO_LATE
    assert words.startswith("A return can be undone for 2 hours; this one was made on Jan 5, 2026")
    undo(revert, now=NOW + timedelta(hours=2, microseconds=-1))


def test_m11_no_hours_no_undo(store: Store, ana: Customer) -> None:
    factories.make_settings(store, StoreSettings(limits=LimitSettings(undo_hours=0)))
    assert why_not(credits_of(returned(ana)))[1] == "This store’s settings say that a return can never be undone."


def test_m11_not_once_a_part_is_spent(store: Store, ana: Customer) -> None:
    revert = credits_of(returned(ana))
    factories.make_order(ana, credits="1", now=NOW)
    lot = CreditLot.unscoped.get()

    assert why_not(revert) == (
        WhyNot.SPENT,
        f"15.00 USD came back to lot #{lot.pk}, which now holds 14.00 USD: the customer has used what came back.",
    )
    assert balance(ana) == (14, 100)


def test_m11_other_value_in_the_same_lot_counts(store: Store, ana: Customer) -> None:
    factories.grant("credits", ana, "20")
    revert = credits_of(cancel(factories.make_order(ana, credits="15")))
    factories.make_order(ana, credits="5", now=NOW)

    undo(revert)

    assert balance(ana) == (0, 0)
    assert find_faults(store) == []


def test_m11_not_once_a_lot_has_expired_to_the_very_instant(store: Store, ana: Customer) -> None:
    revert = credits_of(returned(ana, until=date(2026, 1, 5)))
    midnight = NOW.replace(hour=16)

    reason, words = why_not(revert, now=midnight)

    assert (reason, words.endswith("which expired on Jan 5, 2026.")) == (WhyNot.EXPIRED, True)
    undo(revert, now=midnight - timedelta(microseconds=1))


def test_m11_an_extended_return_is_taken_out_of_its_new_lot_and_can_be_extended_again(
    store: Store, ana: Customer
) -> None:
    factories.grant("credits", ana, "10", until=date(2026, 1, 1))
    order = factories.make_order(ana, credits="10")
    revert = credits_of(cancel(order, credits=Extension(days=30)))

    undo(revert)

    old, new = CreditLot.unscoped.order_by("id")
    assert (old.remaining, new.extended_from, new.granted, new.remaining) == (0, old, 10, 0)
    again = cancel(order, credits=Extension(days=5))
    assert credits_of(again).amount == 10
    assert balance(ana) == (10, 0)
    assert find_faults(store) == []


def test_m11_a_lot_of_two_parts_of_the_order_is_counted_whole(store: Store, ana: Customer) -> None:
    """A *Deduct again* can draw on the lot of the first spend: both parts come back to it in one return."""
    factories.grant("credits", ana, "30")
    order = factories.make_order(ana, credits="15")
    cancel(order)
    reinstate(store=store, order_id=order.pk, status="confirmed", deduct=Deduct.ALL, act=by_staff(NOW))
    revert = credits_of(cancel(order, now=NOW + timedelta(minutes=1)))
    factories.make_order(ana, credits="16", now=NOW)

    assert why_not(revert, now=NOW + timedelta(minutes=2))[0] is WhyNot.SPENT


def test_m10_m11_what_was_deducted_again_is_not_taken_a_second_time(store: Store, ana: Customer) -> None:
    first = returned(ana)
    factories.grant("credits", ana, "50")
    reinstate(store=store, order_id=first.order.pk, status="confirmed", deduct=Deduct.AVAILABLE, act=by_staff(NOW))

    assert why_not(credits_of(first))[0] is WhyNot.DEDUCTED_AGAIN

    second = cancel(first.order)
    assert why_not(credits_of(first))[0] is WhyNot.DEDUCTED_AGAIN
    undo(credits_of(second))
    assert find_faults(store) == []


def test_m11_an_order_that_came_back_without_a_deduction_can_be_undone(store: Store, ana: Customer) -> None:
    first = returned(ana)
    reinstate(store=store, order_id=first.order.pk, status="confirmed", deduct=Deduct.NONE, act=by_staff(NOW))

    undo(credits_of(first))

    order = Order.unscoped.get(pk=first.order.pk)
    assert (order.status, order.credits_reverted, order.credit_revert_status) == ("confirmed", 0, None)
    assert find_faults(store) == []


def test_m11_both_kinds_at_once_or_neither(store: Store, ana: Customer) -> None:
    result = returned(ana)
    ids = [made.revert.pk for made in result.reverts]
    taking = {"act": Act(factories.ACTOR, Trigger.ADMIN, NOW)}
    spent = Adjustment(-1, "Used in the shop")
    adjust(LEDGERS["points"], store=store, customer_id=ana.pk, adjustment=spent, **taking)

    with pytest.raises(UndoNotPossible):
        undo_reverts(store=store, order_id=result.order.pk, revert_ids=ids, act=by_staff(NOW))
    assert balance(ana) == (15, 99)

    undo_reverts(store=store, order_id=result.order.pk, revert_ids=ids[:1], act=by_staff(NOW))
    assert balance(ana) == (0, 99)
    assert find_faults(store) == []


def test_m11_h3_the_message_that_has_not_gone_out_is_withdrawn(ana: Customer, mailoutbox: list[Any]) -> None:
    result = returned(ana, notify_customer=True)

    done = undo(credits_of(result))

    assert done.withdrawn
    notice = Notice.unscoped.get()
    assert (notice.status, notice.next_attempt_at) == ("withdrawn", None)
    deliver_notices(NOW + timedelta(hours=1))
    assert mailoutbox == []
    assert JournalEntry.unscoped.filter(event="notice.withdrawn").count() == 1


def test_m11_h3_a_message_that_went_out_or_is_of_another_day_stays(ana: Customer, mailoutbox: list[Any]) -> None:
    result = returned(ana, notify_customer=True)
    deliver_notices(NOW)
    undo(credits_of(result))
    again = cancel(result.order, details=Details(notify_customer=True), now=NOW + timedelta(minutes=1))

    points = next(made.revert for made in result.reverts if made.kind == "points")
    assert not undo(points).withdrawn

    assert [notice.status for notice in Notice.unscoped.order_by("id")] == ["sent", "queued"]
    assert undo(credits_of(again), now=NOW + timedelta(minutes=2)).withdrawn
    assert len(mailoutbox) == 1


def test_n4_automation_does_not_return_what_was_undone(store: Store, ana: Customer) -> None:
    failed = StoreSettings(auto_cancel=AutoCancelSettings(failed="cancel_and_revert"))
    factories.make_settings(store, failed)
    result = returned(ana)
    undo(credits_of(result))
    later = NOW + timedelta(minutes=1)
    reinstate(store=store, order_id=result.order.pk, status="pending", deduct=Deduct.NONE, act=by_staff(later))
    changes = {"payment_status": "failed"}
    later += timedelta(minutes=1)
    change_order(store=store, order_id=result.order.pk, values=changes, actor=factories.ACTOR, now=later)

    assert auto_cancel(later) == {"cancelled": 1, "failed": 0}

    order = Order.unscoped.get(pk=result.order.pk)
    assert (order.status, order.credits_reverted, order.credits_decision) == ("cancelled", 0, "declined")
    assert balance(ana) == (0, 100)


def test_t1_another_stores_revert_is_unknown(ana: Customer) -> None:
    revert = credits_of(returned(ana))
    with pytest.raises(NotFound):
        undo_revert(store=factories.make_store(), revert_id=revert.pk, act=by_staff(NOW))


def test_h5_check_ledger_finds_an_undo_without_movements_and_movements_without_an_undo(
    store: Store, ana: Customer
) -> None:
    result = returned(ana)
    for made in result.reverts[:1]:
        RevertUndo.unscoped.create(
            store=store,
            revert=made.revert,
            order=result.order,
            actor="user:1",
            trigger="admin",
            created_at=NOW,
        )
    points = next(made.revert for made in result.reverts if made.kind == "points")
    LEDGERS["points"].undo_returns(
        LEDGERS["points"].returned_by([points.pk])[points.pk], remark_id=None, act=Act(factories.ACTOR, "admin", NOW)
    )

    faults = [fault for fault in find_faults(store) if "were taken back" in str(fault)]

    assert len(faults) == 2
    assert "got 15.000 of store credits" in str(faults[0])
    assert "100 were taken back, and it was not undone." in str(faults[1])


def test_money_is_exact_to_the_currencys_unit(store: Store, ana: Customer) -> None:
    factories.grant("credits", ana, "0.10")
    factories.grant("credits", ana, "0.20")
    revert = credits_of(cancel(factories.make_order(ana, credits="0.30")))
    undo(revert)
    assert [row.remaining for row in CreditLot.unscoped.order_by("id")] == [Decimal(0), Decimal(0)]
