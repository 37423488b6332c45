"""Bringing cancelled orders back and deducting again (M9, M10, N4, X10), and payments that come too late (E6)."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from credits.models import CreditAllocation, CreditMovement
from loyalty.core.errors import NotFound, VersionConflict
from loyalty.jobs.periodic import run_job
from loyalty.journal.models import JournalEntry
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount, InsufficientBalance
from loyalty.store_settings.sections import AutoCancelSettings, StoreSettings
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Customer, Store
from orders.models import Completeness, Order, OrderStatus, PersonsDecision, Revert, RevertStatus
from orders.services.intake.change import change_order
from orders.services.reverts.apply import CancelResult, Details
from orders.services.reverts.cancel import cancel_order
from orders.services.reverts.choices import CancelChoice, Extension
from orders.services.reverts.reinstate import (
    Deduct,
    NotPaidAfterCancellation,
    ReinstateResult,
    mark_for_refund,
    reinstate,
)
from tests import factories
from tests.books import find_faults
from tests.factories import ACTOR, NOW

pytestmark = pytest.mark.django_db

BOTH = CancelChoice(returns={"credits": True, "points": True})
NEITHER = CancelChoice(returns={"credits": False, "points": False})
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def customer(store: Store) -> Customer:
    return factories.make_customer(store)


@pytest.fixture
def order(customer: Customer) -> Order:
    """15.00 and 100 points, of lots that do not expire; cancelled, and both kinds returned."""
    factories.grant("credits", customer, "15")
    factories.grant("points", customer, 100)
    return factories.cancel(factories.make_order(customer, credits="15", points=100))


def by_staff(now: datetime = LATER) -> Act:
    return Act(ACTOR, Trigger.ADMIN, now)


def bring_back(order: Order, deduct: str = "none", **values: Any) -> ReinstateResult:
    facts: dict[str, Any] = {"status": "confirmed", "act": by_staff()}
    return reinstate(store=order.store, order_id=order.pk, deduct=Deduct(deduct), **(facts | values))


def cancel(order: Order, choice: CancelChoice = BOTH, **values: Any) -> CancelResult:
    facts = {"details": Details(), "token": None, "act": by_staff()} | values
    return cancel_order(store=order.store, order_id=order.pk, choice=choice, **facts)


def has(order: Order, kind: Kind = "credits", now: Any = LATER) -> Amount:
    assert order.customer is not None
    return factories.balance(kind, order.customer, now=now)


def fresh(order: Order) -> Order:
    found: Order = Order.objects.for_store(order.store).get(pk=order.pk)
    return found


def sound(order: Order) -> None:
    assert find_faults(order.store) == []


def pay_late(order: Order, paid: str = "paid") -> Order:
    change_order(store=order.store, order_id=order.pk, values={"payment_status": "failed"}, actor=ACTOR, now=NOW)
    run_job("orders.auto_cancel", NOW)
    values = {"payment_status": paid}
    return change_order(store=order.store, order_id=order.pk, values=values, actor=ACTOR, now=LATER)


@pytest.mark.parametrize("status", ["pending", "confirmed", "completed"])
def test_m10_an_order_comes_back_and_nothing_is_taken_by_itself(order: Order, status: str) -> None:
    result = bring_back(order, status=status)

    assert (result.reinstated_now, dict(result.deducted)) == (True, {})
    assert (has(order), has(order, "points")) == (15, 100)
    back = fresh(order)
    assert (back.status, back.cancelled_at, back.cancelled_by, back.cancel_reason) == (status, None, "", "")
    assert (back.reinstated_at, back.version) == (LATER, order.version + 1)
    assert (back.credits_reverted, back.credit_revert_status) == (15, RevertStatus.REVERTED)
    sound(order)


def test_x10_nothing_returns_by_a_second_cancel(order: Order) -> None:
    bring_back(order)

    second = cancel(order)

    assert (list(second.reverts), {skip.code for skip in second.skipped}) == ([], {"already_reverted"})
    assert (has(order), has(order, "points")) == (15, 100)
    assert fresh(order).completeness == Completeness.FULL
    sound(order)


def test_x10_after_deduct_again_and_a_cancel_it_returns_once_more_and_once_only(order: Order) -> None:
    bring_back(order)

    again = bring_back(order, "all")

    assert (again.reinstated_now, dict(again.deducted)) == (False, {"credits": 15, "points": 100})
    assert (has(order), has(order, "points")) == (0, 0)
    row = fresh(order)
    assert (row.credits_applied, row.credits_reverted, row.points_reverted) == (15, 0, 0)
    assert (row.credit_revert_status, row.completeness, row.status) == (None, None, "confirmed")
    for _ in range(2):
        cancel(order)
        assert (has(order), has(order, "points")) == (15, 100)
    row = fresh(order)
    assert (row.credits_reverted, row.credit_revert_status, row.completeness) == (15, "reverted", "full")
    last = Revert.unscoped.filter(order=order, kind="credits").latest("pk")
    assert (last.amount, last.applied, last.completeness) == (15, 15, "full")
    sound(order)


def test_m10_again_and_again(order: Order) -> None:
    for round_number in (1, 2, 3):
        bring_back(order, "all")
        assert (has(order), has(order, "points")) == (0, 0)
        assert set(CreditAllocation.unscoped.values_list("deduction", flat=True)) == set(range(round_number + 1))
        cancel(order)
        assert (has(order), has(order, "points")) == (15, 100)
    assert Revert.unscoped.filter(order=order).count() == 8
    sound(order)


def test_m10_a_deduction_draws_on_any_valid_lots_the_one_that_expires_first_before_others(
    order: Order, customer: Customer
) -> None:
    soon = factories.grant("credits", customer, "4", until=date(2026, 1, 10), now=NOW)
    factories.grant("credits", customer, "9", until=date(2026, 1, 5), now=NOW)
    tomorrow = NOW + timedelta(days=1)

    bring_back(order, "all", act=by_staff(tomorrow))

    drawn = CreditAllocation.unscoped.filter(order=order, deduction=1).order_by("pk")
    assert [(row.lot_id == soon.pk, row.amount) for row in drawn] == [(True, 4), (False, 11)]
    spends = CreditMovement.unscoped.filter(order=order, type="spend").order_by("pk")
    assert [row.balance_after for row in spends][-2:] == [15, 4]
    sound(order)


def test_m10_all_without_the_balance_is_an_error_and_the_order_stays_cancelled(
    order: Order, customer: Customer
) -> None:
    factories.make_order(customer, credits="10", now=NOW)

    with pytest.raises(InsufficientBalance) as refused:
        bring_back(order, "all")

    assert [error.pointer for error in refused.value.errors] == ["/deduct"]
    assert (has(order), has(order, "points")) == (5, 100)
    row = fresh(order)
    assert (row.status, row.version, row.points_reverted) == (OrderStatus.CANCELLED, order.version, 100)
    sound(order)


def test_m10_all_is_all_of_both_kinds_or_nothing(order: Order, customer: Customer) -> None:
    factories.make_order(customer, points=1, now=NOW)

    with pytest.raises(InsufficientBalance, match="100 points: the balance is 99 points"):
        bring_back(order, "all")

    assert (has(order), has(order, "points")) == (15, 99)
    assert fresh(order).credits_reverted == 15
    sound(order)


def test_m10_what_is_available_and_later_the_rest(order: Order, customer: Customer) -> None:
    factories.make_order(customer, credits="10", points=100, now=NOW)

    first = bring_back(order, "available")
    assert dict(first.deducted) == {"credits": 5}
    row = fresh(order)
    assert (row.credits_reverted, row.points_reverted, row.completeness) == (10, 100, "partial")
    factories.grant("credits", customer, "50", now=LATER)
    second = bring_back(order, "available")
    assert (second.reinstated_now, dict(second.deducted)) == (False, {"credits": 10})
    third = bring_back(order, "available")
    assert (dict(third.deducted), third.order.version) == ({}, second.order.version)
    cancel(order)
    assert (has(order), fresh(order).credits_reverted) == (55, 15)
    sound(order)


def test_m10_credits_of_another_currency_are_not_taken(order: Order, customer: Customer) -> None:
    factories.make_order(customer, credits="15", now=NOW)
    factories.grant("credits", customer, "99", currency="EUR", now=NOW)

    assert dict(bring_back(order, "available").deducted) == {"points": 100}
    sound(order)


def test_m10_nothing_with_the_customer_and_nothing_is_taken(customer: Customer) -> None:
    factories.grant("credits", customer, "30")
    order = factories.make_order(customer, credits="15")
    cancel(order, NEITHER, act=by_staff(NOW))

    result = bring_back(order, "all")

    assert (result.reinstated_now, dict(result.deducted), has(order)) == (True, {}, 15)
    # The person's word about what is not back stands: nothing was spent anew.
    assert fresh(order).credits_decision == PersonsDecision.DECLINED
    sound(order)


def test_m10_an_order_that_was_never_cancelled_stays_as_it_is(customer: Customer) -> None:
    factories.grant("credits", customer, "15")
    order = factories.make_order(customer, credits="15")

    result = bring_back(order, "all")

    assert (result.reinstated_now, result.order.status, result.order.version) == (False, "pending", order.version)
    assert not JournalEntry.unscoped.filter(order=order, event="order.reinstated").exists()


def test_n4_a_new_spend_starts_fresh(customer: Customer) -> None:
    factories.grant("credits", customer, "10", until=date(2026, 1, 1))
    factories.grant("credits", customer, "5", until=date(2026, 3, 20))
    order = factories.cancel(factories.make_order(customer, credits="15"))
    assert order.credits_decision == PersonsDecision.EXPIRED_LEFT

    bring_back(order, "all")

    row = fresh(order)
    assert (row.credits_decision, row.credits_reverted, row.needs_revert) == ("", 0, False)
    cancel(order, CancelChoice())
    assert (fresh(order).credits_decision, fresh(order).needs_revert) == ("deferred", True)
    cancel(order)
    assert (fresh(order).credits_reverted, fresh(order).credits_decision) == (5, "expired_left")
    assert has(order) == 5
    sound(order)


def test_m10_what_was_deducted_again_and_expired_meanwhile_can_be_extended(customer: Customer) -> None:
    factories.grant("credits", customer, "15", until=date(2026, 1, 6))
    order = factories.cancel(factories.make_order(customer, credits="15"))
    bring_back(order, "all")
    later = NOW + timedelta(days=5)

    cancel(order, BOTH, act=by_staff(later))
    assert (has(order, now=later), fresh(order).credit_revert_status) == (0, RevertStatus.NOT_REVERTED)
    extend = CancelChoice(returns={"credits": True}, extend={"credits": Extension(days=30)})
    done = cancel(order, extend, act=by_staff(later))

    assert [made.revert.amount for made in done.reverts] == [15]
    assert (has(order, now=later), fresh(order).completeness) == (15, "full")
    sound(order)


def test_h2_the_timeline_says_what_happened(order: Order) -> None:
    bring_back(order, "available", act=Act(ACTOR, Trigger.API, LATER))

    entries = JournalEntry.unscoped.filter(order=order).order_by("-pk")[:2]
    assert [(entry.event, entry.data) for entry in reversed(entries)] == [
        (
            "order.reinstated",
            {
                "status": "confirmed", "trigger": "api", "deducts": True,
                "with_customer": {"credits": "0.00", "points": 0},
            },
        ),
        ("order.deducted_again", {"credits": "15.00", "points": 100, "currency": "USD", "trigger": "api"}),
    ]  # fmt: skip


def test_t1_another_stores_order_is_unknown(order: Order) -> None:
    other = factories.make_store()
    facts: dict[str, Any] = {"store": other, "order_id": order.pk, "actor": ACTOR, "now": LATER}
    with pytest.raises(NotFound):
        reinstate(
            store=other,
            order_id=order.pk,
            status="confirmed",
            deduct=Deduct.ALL,
            act=by_staff(),
        )
    with pytest.raises(NotFound):
        mark_for_refund(**facts)
    assert fresh(order).status == OrderStatus.CANCELLED


def test_an_old_version_is_refused(order: Order) -> None:
    with pytest.raises(VersionConflict):
        bring_back(order, "all", version=order.version - 1)
    assert bring_back(order, "all", version=order.version).reinstated_now


@pytest.mark.parametrize("how", ["failed", "expired"])
def test_an_order_brought_back_unpaid_is_not_cancelled_again_until_its_payment_changes(
    customer: Customer, how: str
) -> None:
    factories.grant("credits", customer, "15")
    order = factories.make_order(customer, credits="15")
    settings = StoreSettings(auto_cancel=AutoCancelSettings(expired="cancel_and_revert"))
    factories.make_settings(customer.store, settings)
    change: dict[str, Any] = {"store": order.store, "order_id": order.pk, "actor": ACTOR}
    change_order(values={"payment_status": how}, now=NOW, **change)
    assert run_job("orders.auto_cancel", NOW) == {"cancelled": 1, "failed": 0}

    bring_back(order, "all")
    assert run_job("orders.auto_cancel", LATER + timedelta(days=1)) == {"cancelled": 0, "failed": 0}
    assert fresh(order).status == "confirmed"

    change_order(values={"payment_status": "pending"}, now=LATER + timedelta(days=1), **change)
    change_order(values={"payment_status": how}, now=LATER + timedelta(days=2), **change)
    assert run_job("orders.auto_cancel", LATER + timedelta(days=2)) == {"cancelled": 1, "failed": 0}
    assert (fresh(order).credits_reverted, has(order)) == (15, 15)
    sound(order)


@pytest.mark.parametrize("paid", ["paid", "partially_refunded"])
def test_e6_a_payment_after_an_automatic_cancel_waits_for_staff(customer: Customer, paid: str) -> None:
    factories.grant("credits", customer, "15")
    order = pay_late(factories.make_order(customer, credits="15"), paid)

    assert (order.status, order.cancelled_by, order.credits_reverted) == ("cancelled", "payment_failed", 15)
    assert order.paid_after_cancellation is True
    waiting = Order.objects.for_store(order.store).filter(paid_after_cancellation=True)
    assert list(waiting) == [order]
    bring_back(order, "all")
    assert not waiting.all().exists()
    assert (fresh(order).payment_status, has(order)) == (paid, 0)
    sound(order)


def test_e6_marked_for_refund_it_leaves_the_list_and_stays_cancelled(customer: Customer) -> None:
    order = pay_late(factories.make_order(customer))
    facts: dict[str, Any] = {"store": order.store, "order_id": order.pk, "actor": ACTOR, "now": LATER}

    marked = mark_for_refund(**facts)
    again = mark_for_refund(**facts)

    assert (marked.paid_after_cancellation, marked.status, marked.refund_marked_at) == (False, "cancelled", LATER)
    assert again.version == marked.version
    assert JournalEntry.unscoped.filter(order=order, event="order.marked_for_refund").count() == 1
    assert bring_back(order).order.refund_marked_at is None


def test_e6_only_what_was_paid_too_late_is_marked(order: Order) -> None:
    with pytest.raises(NotPaidAfterCancellation):
        mark_for_refund(store=order.store, order_id=order.pk, actor=ACTOR, now=LATER)
    values = {"payment_status": "paid"}
    paid = change_order(store=order.store, order_id=order.pk, values=values, actor=ACTOR, now=LATER)
    # Cancelled by a person: a payment that arrives then is their business already.
    assert paid.paid_after_cancellation is False


def test_e6_a_refund_takes_it_off_the_list(customer: Customer) -> None:
    order = pay_late(factories.make_order(customer))
    values = {"payment_status": "refunded", "refunded_total": Decimal(1000)}
    done = change_order(store=order.store, order_id=order.pk, values=values, actor=ACTOR, now=LATER)
    assert done.paid_after_cancellation is False
