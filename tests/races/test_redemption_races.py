"""Redeeming and reversing at the same moment as each other, and as an order that uses the code (R2-R4)."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest
from django.db import transaction

from loyalty.core.errors import DomainError
from loyalty.notices.models import Notice
from loyalty.stores.models import Customer
from orders.models import CodeUse, Order, Redemption, Reward
from orders.services.codes.uses import flagged_uses
from orders.services.redemptions.redeem import LimitReached
from orders.services.redemptions.reverse import CodeUsed, Reversed
from orders.services.reverts.dismiss import NothingLeft
from tests import factories
from tests.books import find_faults
from tests.factories import NOW
from tests.orders.services.redemptions.test_reverse import order_with
from tests.races.racing import ROUNDS, in_turn, together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer() -> Customer:
    customer = factories.make_customer(factories.make_store())
    factories.grant("points", customer, 500 * len(ROUNDS))
    return customer


@pytest.fixture
def reward(customer: Customer) -> Reward:
    return factories.make_reward(customer.store)


def test_r3_parallel_reversals_return_the_points_once(customer: Customer, reward: Reward) -> None:
    for _ in ROUNDS:
        before = factories.balance("points", customer, now=NOW)
        redemption = factories.make_redemption(customer, reward)
        done = together(*[partial(factories.reverse, redemption, notify_customer=True)] * 2)
        plans = [one.plan for one in done if isinstance(one, Reversed)]
        assert len(plans) == 2
        assert sum(plan is not None for plan in plans) == 1
        assert factories.balance("points", customer, now=NOW) == before
    assert Notice.unscoped.count() == len(ROUNDS)
    assert find_faults(None) == []


def test_r3_a_reversal_against_an_order_with_the_code_has_one_winner_or_a_flag(
    customer: Customer, reward: Reward
) -> None:
    for number in ROUNDS:
        redemption = factories.make_redemption(customer, reward)
        reversal = partial(factories.reverse, redemption)
        arrival = partial(order_with, customer.store, redemption.code or "", number=str(number))
        outcome, _ = together(reversal, arrival)
        fresh = Redemption.unscoped.get(pk=redemption.pk)
        use = CodeUse.unscoped.get(redemption=redemption)
        if isinstance(outcome, DomainError):
            assert isinstance(outcome, CodeUsed)
            assert (fresh.state, use.outcome) == ("used", "used")
            assert fresh.points_returned == 0
            factories.reverse(redemption, force=True, reason="next round")
        else:
            assert (fresh.state, use.outcome) == ("reversed", "after_return")
            assert flagged_uses(customer.store).filter(redemption=redemption).exists()
    assert find_faults(None) == []


def test_r3_an_order_that_waits_for_the_reversal_is_flagged(customer: Customer, reward: Reward) -> None:
    redemption = factories.make_redemption(customer, reward)
    in_turn(partial(factories.reverse, redemption), partial(order_with, customer.store, redemption.code or ""))
    assert CodeUse.unscoped.get().outcome == "after_return"


def test_r3_a_reversal_that_waits_for_the_order_is_refused(customer: Customer, reward: Reward) -> None:
    redemption = factories.make_redemption(customer, reward)
    refused = in_turn(
        partial(order_with, customer.store, redemption.code or ""), partial(factories.reverse, redemption)
    )
    assert isinstance(refused, CodeUsed)


def test_r7_two_orders_with_one_code_at_once_use_its_points_once(customer: Customer, reward: Reward) -> None:
    for number in ROUNDS:
        redemption = factories.make_redemption(customer, reward)
        arrivals = [
            partial(order_with, customer.store, redemption.code or "", number=f"{number}-{which}") for which in "ab"
        ]
        orders = [one for one in together(*arrivals) if isinstance(one, Order)]
        assert sorted(order.points_applied for order in orders) == [0, 500]
        assert flagged_uses(customer.store).filter(redemption=redemption).count() == 1
    assert find_faults(None) == []


def test_r7_an_order_is_cancelled_while_its_code_is_reversed_by_force(customer: Customer, reward: Reward) -> None:
    for number in ROUNDS:
        redemption = factories.make_redemption(customer, reward)
        before = factories.balance("points", customer, now=NOW)
        order = order_with(customer.store, redemption.code or "", number=str(number))
        calls: list[Callable[[], object]] = [
            partial(factories.cancel, order),
            partial(factories.reverse, redemption, force=True, reason="Both at once"),
        ]
        together(*calls)
        assert factories.balance("points", customer, now=NOW) == before + 500
    assert find_faults(None) == []


def test_r7_o7_a_cancel_waits_while_whose_code_it_was_is_merged(customer: Customer, reward: Reward) -> None:
    redemption = factories.make_redemption(customer, reward)
    kept, buyer = (factories.make_customer(customer.store) for _ in range(2))
    order = factories.make_order(buyer, codes=[redemption.code])
    assert isinstance(in_turn(partial(factories.merge, customer, kept), partial(factories.cancel, order)), Order)
    assert factories.balance("points", kept, now=NOW) == 500 * len(ROUNDS)


def test_r7_o7_an_order_comes_with_a_code_while_whose_it_was_is_merged(customer: Customer, reward: Reward) -> None:
    redemption = factories.make_redemption(customer, reward)
    kept = factories.make_customer(customer.store)
    order = in_turn(
        partial(factories.merge, customer, kept), partial(order_with, customer.store, redemption.code or "")
    )
    assert isinstance(order, Order)
    assert (order.customer_id, order.points_applied) == (kept.pk, 500)
    assert find_faults(None) == []


def test_r1_the_last_one_is_redeemed_once(customer: Customer) -> None:
    once = factories.make_reward(customer.store, points=10, limit_per_customer=1)
    for _ in ROUNDS:
        made = together(*[partial(factories.make_redemption, customer, once)] * 2)
        assert sorted(isinstance(one, LimitReached) for one in made) == [False, True]
        (won,) = [one for one in made if isinstance(one, Redemption)]
        factories.reverse(won)
    assert find_faults(None) == []


def test_r4_spending_credits_against_the_reversal_that_takes_them_back(customer: Customer) -> None:
    ten = factories.make_reward(customer.store, type="credits", value=Decimal(10))
    for _ in ROUNDS:
        redemption = factories.make_redemption(customer, ten)
        spending = partial(factories.make_order, customer, credits="10")
        reversal = partial(factories.reverse, redemption)
        order, reversed_or_not = together(spending, reversal)
        # Whoever was first had all of it, and the other one nothing.
        assert isinstance(order, DomainError) is not isinstance(reversed_or_not, NothingLeft)
    with transaction.atomic():
        assert find_faults(None) == []
