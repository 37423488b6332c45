"""Bringing orders back at the same moment on several connections: nothing is taken twice (M10, L3)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from loyalty.ledger.planner import InsufficientBalance
from loyalty.stores.models import Customer
from orders.models import Order
from orders.services.reverts.apply import CancelResult
from orders.services.reverts.reinstate import Deduct, ReinstateResult
from tests import factories
from tests.books import find_faults
from tests.races.racing import ROUNDS, in_turn, together
from tests.races.spending import left, spending

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


def reinstating(order: Order, deduct: Deduct = Deduct.ALL) -> Callable[[], ReinstateResult]:
    return partial(factories.bring_back, order, deduct)


def cancelling(order: Order) -> Callable[[], CancelResult]:
    return partial(factories.cancel_and_return, order)


def returned(customer: Customer) -> Order:
    """An order that used 10 credits and 10 points, which are back."""
    return factories.cancel(factories.make_order(customer, credits="10", points=10))


def test_m10_eight_callers_reinstate_one_order_and_it_is_deducted_once(customer: Customer) -> None:
    purse = 10 * len(ROUNDS)
    factories.grant("credits", customer, str(purse))
    factories.grant("points", customer, purse)
    for number in range(1, len(ROUNDS) + 1):
        order = returned(customer)
        done = together(*[reinstating(order)] * 8)
        assert sum(isinstance(result, ReinstateResult) and result.reinstated_now for result in done) == 1
        assert sum(isinstance(result, ReinstateResult) and bool(result.deducted) for result in done) == 1
        assert left(customer) == purse - 10 * number
    assert find_faults(customer.store) == []


def test_m10_reinstate_and_spend_of_the_same_balance_at_once(customer: Customer) -> None:
    for number in ROUNDS:
        other = factories.make_customer(customer.store)
        factories.grant("credits", other, "10")
        factories.grant("points", other, 10)
        order = returned(other)
        calls: list[Callable[[], Any]] = [reinstating(order), spending(other, 6, f"spend-{number}")]
        back, spent = together(*calls)
        assert isinstance(back, InsufficientBalance) != isinstance(spent, InsufficientBalance)
        assert left(other) == (4 if isinstance(back, InsufficientBalance) else 0)
        status = Order.unscoped.get(pk=order.pk).status
        assert status == ("cancelled" if isinstance(back, InsufficientBalance) else "confirmed")
    assert find_faults(customer.store) == []


def test_m10_what_is_available_is_read_once_a_spend_is_committed(customer: Customer) -> None:
    factories.grant("credits", customer, "10")
    factories.grant("points", customer, 10)
    order = returned(customer)

    back = in_turn(spending(customer, 6, "spend"), reinstating(order, Deduct.AVAILABLE))

    assert isinstance(back, ReinstateResult)
    assert dict(back.deducted) == {"credits": 4, "points": 10}
    assert left(customer) == 0
    assert find_faults(customer.store) == []


def test_m9_reinstates_and_cancels_at_once_leave_everything_with_one_side(customer: Customer) -> None:
    factories.grant("credits", customer, "10")
    factories.grant("points", customer, 10)
    order = returned(customer)
    for _ in ROUNDS:
        calls: list[Callable[[], Any]] = [reinstating(order), cancelling(order)] * 4
        together(*calls)
        row = Order.unscoped.get(pk=order.pk)
        assert left(customer) == row.credits_reverted == (10 if row.status == "cancelled" else 0)
    assert find_faults(customer.store) == []
