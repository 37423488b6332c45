"""The ledger spends on redemptions as it does on orders, in one statement, and check_ledger proves it (R2-R4)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from credits.ledger import CREDITS
from credits.models import CreditLot, CreditMovement
from loyalty.ledger.ledger import Return
from loyalty.ledger.models import Origin
from loyalty.ledger.planner import Decision, Draw, ExpiredRule, KindChoice, plan_kind
from loyalty.ledger.posting import Cause, NewLot
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Customer
from orders.models import Redemption, Reward
from points.ledger import POINTS
from points.models import PointAllocation, PointMovement
from tests import factories
from tests.books import find_faults
from tests.database import as_owner
from tests.factories import ACTOR, BEFORE, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return factories.make_customer(factories.make_store("sound"))


def make_redemption(customer: Customer, points: int, **fields: Any) -> Redemption:
    """A redemption's row alone, for which nothing has been spent yet."""
    values = {"type": "fixed", "value": Decimal(5), "currency": "USD"}
    moments = {"created_at": BEFORE, "updated_at": BEFORE}
    reward = Reward.unscoped.create(store=customer.store, name="Five off", points=points, **values, **moments)
    values |= {"reward_name": reward.name, "points": points, "code": f"CODE{points}", "actor": ACTOR.ref} | moments
    redemption: Redemption = Redemption.unscoped.create(
        store=customer.store, customer=customer, reward=reward, **(values | fields)
    )
    return redemption


def redeem(redemption: Redemption) -> None:
    POINTS.spend(
        redemption.customer,
        redemption.points,
        currency="",
        cause=Cause(redemption_id=redemption.pk),
        act=Act(ACTOR, Trigger.API, BEFORE),
    )


def give_back(redemption: Redemption) -> None:
    plan = plan_kind(
        POINTS.redeemed_lots(redemption.pk), KindChoice(Decision.RETURN), rule=ExpiredRule.VALID_ONLY, now=NOW
    )
    returns = [Return(redemption.store_id, None, None, lot) for lot in plan.lots]
    POINTS.give_back(returns, act=Act(ACTOR, Trigger.API, NOW))
    back = {"state": "reversed", "reversed_at": NOW, "ended_at": NOW, "points_returned": plan.returns}
    Redemption.unscoped.filter(pk=redemption.pk).update(**back)


def test_r2_points_are_spent_on_a_redemption_in_one_statement(customer: Customer) -> None:
    late = factories.grant("points", customer, 400)
    soon = factories.grant("points", customer, 300, until=date(2026, 1, 31))
    redemption = make_redemption(customer, 500)
    with CaptureQueriesContext(connection) as queries:
        redeem(redemption)
    assert len(queries) == 3  # what there is, what is owed, and the write
    rows = PointAllocation.unscoped.order_by("id").values_list("order", "redemption", "lot", "amount", "returned")
    assert list(rows) == [(None, redemption.pk, soon.pk, 300, 0), (None, redemption.pk, late.pk, 200, 0)]
    spends = PointMovement.unscoped.filter(type="spend").order_by("id").select_related("allocation")
    assert [(row.redemption_id, row.order_id, row.allocation.amount) for row in spends] == [
        (redemption.pk, None, 300),
        (redemption.pk, None, 200),
    ]
    assert find_faults(None) == []


def test_r3_what_was_redeemed_returns_to_its_lots(customer: Customer) -> None:
    factories.grant("points", customer, 300, until=date(2026, 1, 4))
    factories.grant("points", customer, 400)
    redemption = make_redemption(customer, 500)
    redeem(redemption)
    give_back(redemption)
    assert factories.balance("points", customer, now=NOW) == 400
    back = PointMovement.unscoped.get(type="revert")
    assert (back.redemption_id, back.revert_id, back.amount) == (redemption.pk, None, 200)
    assert find_faults(None) == []


def test_r2_an_order_and_a_redemption_in_one_lot_are_kept_apart(customer: Customer) -> None:
    factories.grant("points", customer, 1000)
    order = factories.make_order(customer, points=100)
    first, second = make_redemption(customer, 200), make_redemption(customer, 300)
    redeem(first)
    redeem(second)
    give_back(first)
    assert [lot.amount for lot in POINTS.used_lots([order.pk])[order.pk]] == [100]
    assert [(lot.amount, lot.returned) for lot in POINTS.redeemed_lots(first.pk)] == [(200, 200)]
    assert [(lot.amount, lot.returned) for lot in POINTS.redeemed_lots(second.pk)] == [(300, 0)]
    assert find_faults(None) == []


def test_r4_what_a_reward_gave_is_taken_back_from_its_lot_alone(customer: Customer) -> None:
    factories.grant("credits", customer, "50", until=date(2026, 2, 1))
    factories.grant("points", customer, 500)
    credits = {"type": "credits", "value": Decimal(10), "currency": "USD", "code": None}
    new = NewLot(Origin.REWARD, None)
    lot = CREDITS.grant(
        customer, Decimal(10), currency="USD", new_lot=new, remark_id=None, act=Act(ACTOR, Trigger.API, BEFORE)
    )
    redemption = make_redemption(customer, 500, credit_lot_id=lot.lot_id, **credits)
    redeem(redemption)
    CREDITS.take_back(
        customer,
        [Draw(lot.lot_id, Decimal(4))],
        currency="USD",
        cause=Cause(redemption_id=redemption.pk),
        remark_id=None,
        act=Act(ACTOR, Trigger.API, NOW),
    )
    Redemption.unscoped.filter(pk=redemption.pk).update(
        state="reversed", reversed_at=NOW, ended_at=NOW, credits_taken=4
    )
    taken = CreditMovement.unscoped.get(type="claw_back")
    assert (taken.lot_id, taken.amount, taken.balance_after, taken.redemption_id) == (
        lot.lot_id,
        Decimal(-4),
        Decimal(56),
        redemption.pk,
    )
    assert find_faults(None) == []


def test_r2_an_allocation_names_an_order_or_a_redemption_and_not_both(customer: Customer) -> None:
    factories.grant("points", customer, 100)
    order = factories.make_order(customer, points=50)
    redemption = make_redemption(customer, 50)
    for cause in (Cause(order.pk, redemption.pk), Cause()):
        with pytest.raises(IntegrityError, match="order_or_redemption"), transaction.atomic():
            POINTS.spend(customer, 50, currency="", cause=cause, act=Act(ACTOR, Trigger.API, NOW))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"points": 400}, "400 points used and 0 returned, but its allocations used 300 and returned 0."),
        ({"points_returned": 1}, "300 points used and 1 returned, but its allocations used 300 and returned 0."),
        ({"credits_taken": 2}, "2.000 of its credits taken back, but the movements took 0."),
    ],
)
def test_h5_a_redemption_that_does_not_agree_is_named(
    customer: Customer, changes: dict[str, int], expected: str
) -> None:
    factories.grant("points", customer, 300)
    redemption = make_redemption(customer, 300)
    redeem(redemption)
    with as_owner():
        Redemption.unscoped.filter(pk=redemption.pk).update(state="reversed", reversed_at=NOW, ended_at=NOW, **changes)
    assert find_faults(None) == [f"store sound: redemption {redemption.pk}: {expected}"]


def test_h5_points_of_somebody_else_are_named(customer: Customer) -> None:
    factories.grant("points", customer, 300)
    redemption = make_redemption(customer, 300)
    redeem(redemption)
    other = factories.make_customer(customer.store)
    Redemption.unscoped.filter(pk=redemption.pk).update(customer=other)
    (fault,) = find_faults(None)
    assert f"took points from lot {POINTS.redeemed_lots(redemption.pk)[0].lot_id} of customer {customer.pk}" in fault


def test_h5_a_reward_lot_that_is_not_what_was_given_is_named(customer: Customer) -> None:
    factories.grant("points", customer, 300)
    lot = factories.grant("credits", customer, "10")
    assert isinstance(lot, CreditLot)
    redemption = make_redemption(customer, 300, type="credits", code=None, credit_lot=lot)
    redeem(redemption)
    (fault,) = find_faults(None)
    assert f"gave 5.000 USD to customer {customer.pk}, but its lot {lot.pk} is 10.000 USD" in fault
