"""How many points an order earns and keeps: the pure rules (C1)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.stores.preferences import EarningSettings
from orders.models import Order
from orders.services.earned import HISTORY, Earned, Settling, earns, forfeited, seen_in_time, settling

POINTS = st.integers(0, 10_000)


def order(**facts: object) -> Order:
    return Order(
        **{"currency": "USD", "total": Decimal("40.00"), "status": "confirmed", "payment_status": "paid"} | facts
    )


@pytest.mark.parametrize(
    ("facts", "rule", "points"),
    [
        ({}, EarningSettings(Decimal(1), "confirmed"), 40),
        ({"total": Decimal("39.99")}, EarningSettings(Decimal(1), "confirmed"), 39),
        ({"total": Decimal("39.99")}, EarningSettings(Decimal("0.1"), "paid"), 3),
        ({}, EarningSettings(Decimal(1), "completed"), 0),
        ({"status": "completed"}, EarningSettings(Decimal(1), "confirmed"), 40),
        ({"payment_status": "pending"}, EarningSettings(Decimal(1), "paid"), 0),
        ({"status": "cancelled"}, EarningSettings(Decimal(1), "paid"), 0),
        ({"status": "completed", "payment_status": "refunded"}, EarningSettings(Decimal(1), "completed"), 0),
        ({"currency": "EUR"}, EarningSettings(Decimal(1), "confirmed"), 0),
        ({"is_test": True}, EarningSettings(Decimal(1), "confirmed"), 0),
        ({}, EarningSettings(None, "confirmed"), 0),
    ],
)
def test_c1_what_an_order_earns(facts: dict[str, object], rule: EarningSettings, points: int) -> None:
    assert earns(order(**facts), rule, currency="USD") == points


SINCE = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("placed_at", "after", "since", "expected"),
    [
        (SINCE, timedelta(0), SINCE, True),
        (SINCE - TICK, timedelta(0), SINCE, False),
        (SINCE, HISTORY, SINCE, True),
        (SINCE, HISTORY + TICK, SINCE, False),
        (SINCE, timedelta(0), None, False),
    ],
)
def test_c2_an_order_earns_when_it_was_placed_under_the_rule_and_arrived_in_time(
    placed_at: datetime, after: timedelta, since: datetime | None, expected: bool
) -> None:
    assert seen_in_time(order(placed_at=placed_at, created_at=placed_at + after), since) is expected


@pytest.mark.parametrize(
    ("facts", "points"),
    [
        ({}, 0),
        ({"status": "cancelled"}, 100),
        ({"payment_status": "refunded", "refunded_total": Decimal(0)}, 100),
        ({"payment_status": "partially_refunded", "refunded_total": Decimal("10.00")}, 25),
        ({"payment_status": "partially_refunded", "refunded_total": Decimal("13.33")}, 33),
        ({"payment_status": "partially_refunded", "refunded_total": Decimal("99.00")}, 100),
        ({"payment_status": "partially_refunded", "total": Decimal(0)}, 0),
    ],
)
def test_c1_what_the_customer_does_not_keep(facts: dict[str, object], points: int) -> None:
    assert forfeited(order(**facts), 100) == points


@given(awarded=POINTS, taken=POINTS, dropped=POINTS, forfeits=POINTS)
def test_c1_settling_moves_towards_what_the_order_says(awarded: int, taken: int, dropped: int, forfeits: int) -> None:
    taken = min(taken, awarded)
    dropped, forfeits = min(dropped, awarded - taken), min(forfeits, awarded)

    due = settling(Earned(awarded, taken, dropped), forfeits=forfeits, claw_back=True)

    assert due.take == 0 or (due.give, due.forget) == (0, 0)
    assert taken - due.give + dropped - due.forget + due.take == forfeits
    assert 0 <= due.forget <= dropped
    assert not due.give or due.forget == dropped


@given(awarded=POINTS, forfeits=POINTS)
def test_c1_a_store_that_takes_nothing_back(awarded: int, forfeits: int) -> None:
    assert settling(Earned(awarded), forfeits=min(forfeits, awarded), claw_back=False) == Settling()
