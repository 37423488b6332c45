"""Earned points are taken back from whoever got them, whoever the order belongs to now (C2)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.ledger.adjust import Adjustment
from loyalty.ledger.earned import receivers, shared
from loyalty.store_settings.sections import EarnedPointsSettings, EarningSettings, StoreSettings, current_settings
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Customer, Store
from orders.models import Order
from orders.services.earned_points.award import award_for_order
from orders.services.intake.change import change_order
from orders.services.reverts.choices import CancelChoice
from orders.services.reverts.plans import preview
from points.ledger import POINTS
from tests import factories
from tests.books import find_faults
from tests.factories import ACTOR, NOW

pytestmark = pytest.mark.django_db


class Moved:
    """An order of 100.00 for which Ana earned 100 points, and which is Ben's by now."""

    def __init__(self, *, may_owe: bool = False) -> None:
        self.store: Store = factories.make_store()
        factories.make_settings(
            self.store,
            StoreSettings(
                earning=EarningSettings(points_per_unit=Decimal(1), on_status="paid"),
                earned_points=EarnedPointsSettings(claw_back=True, allow_negative=may_owe),
            ),
        )
        self.ana, self.ben = (factories.make_customer(self.store) for _ in range(2))
        self.order = factories.make_order(self.ana, total=Decimal(100), payment_status="paid")
        factories.grant("points", self.ben, 500)
        Order.unscoped.filter(pk=self.order.pk).update(customer=self.ben)
        self.order.refresh_from_db()

    def pay(self, status: str) -> Order:
        values = {"payment_status": status}
        return change_order(store=self.store, order_id=self.order.pk, values=values, actor=ACTOR, now=NOW)

    def points(self, *customers: Customer) -> list[int]:
        available = POINTS.available([customer.pk for customer in customers], now=NOW)
        assert find_faults(self.store) == []
        return [int(available.get((customer.pk, ""), 0)) for customer in customers]


def test_c2_points_are_taken_back_from_whoever_got_them_and_given_again_to_him() -> None:
    moved = Moved()
    assert moved.points(moved.ana, moved.ben) == [100, 500]
    moved.pay("refunded")
    assert moved.points(moved.ana, moved.ben) == [0, 500]
    assert moved.pay("paid").points_taken_back == 0
    assert moved.points(moved.ana, moved.ben) == [100, 500]


def test_c2_a_shortfall_is_his_debt() -> None:
    moved = Moved(may_owe=True)
    factories.make_order(moved.ana, points=60)
    moved.pay("refunded")
    assert moved.points(moved.ana, moved.ben) == [-60, 500]


def test_c2_the_preview_takes_nothing_from_the_present_customer() -> None:
    moved = Moved()
    factories.make_order(moved.ana, points=60)
    settings = current_settings(moved.store)
    shown = preview(moved.order, CancelChoice(), store=moved.store, settings=settings, now=NOW)
    assert (shown.earned.takes, shown.earned.dropped, shown.balance_after["points"]) == (40, 60, 500)
    factories.cancel(moved.order)
    assert moved.points(moved.ana, moved.ben) == [0, 500]


def test_c2_each_of_two_who_got_some_loses_his_own_and_gets_it_again() -> None:
    moved = Moved()
    award_for_order(
        store=moved.store, order_id=moved.order.pk, customer_id=moved.ben.pk, adjustment=Adjustment(50, "Extra"),
        act=Act(ACTOR, Trigger.ADMIN, NOW))  # fmt: skip
    assert moved.points(moved.ana, moved.ben) == [100, 550]
    moved.pay("refunded")
    assert moved.points(moved.ana, moved.ben) == [0, 500]
    moved.pay("paid")
    assert moved.points(moved.ana, moved.ben) == [100, 550]
    people = receivers(POINTS, [moved.order.pk])[moved.order.pk]
    assert {who.customer_id: (who.has, who.taken) for who in people} == {
        moved.ana.pk: (100, 0),
        moved.ben.pk: (50, 0),
    }


@given(
    amount=st.integers(0, 1000),
    parts=st.lists(st.integers(-5, 300), min_size=1, max_size=5).map(lambda values: list(enumerate(values, start=1))),
)
def test_c2_sharing_gives_everything_away_and_nobody_more_than_his_part_while_others_have_theirs(
    amount: int, parts: list[tuple[int, int]]
) -> None:
    shares = shared(amount, parts)
    assert sum(shares.values()) == amount
    if amount <= sum(max(0, most) for _, most in parts):
        assert all(shares.get(customer, 0) <= max(0, most) for customer, most in parts)
