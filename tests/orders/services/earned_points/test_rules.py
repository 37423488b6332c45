"""How many points an order earns and keeps: the pure rules (C1)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.tags import tag_key
from loyalty.store_settings.sections import EarnedPointsSettings, EarningSettings
from orders.models import Order
from orders.services.earned_points.rules import (
    HISTORY,
    Earned,
    Forfeit,
    Settling,
    earns,
    forfeited,
    seen_in_time,
    settling,
)
from orders.services.rules.decide import facts_of

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


TAKING = EarnedPointsSettings(claw_back=True)
TAGGED = replace(TAKING, statuses=(), tags=("Échange",))
CANCELLED = {"status": "cancelled"}
PART: dict[str, object] = {"payment_status": "partially_refunded", "refunded_total": Decimal("10.00")}


@pytest.mark.parametrize(
    ("facts", "points"),
    [
        ({}, 0),
        (CANCELLED, 100),
        ({"payment_status": "refunded", "refunded_total": Decimal(0)}, 100),
        (PART, 25),
        (PART | {"refunded_total": Decimal("13.33")}, 33),
        (PART | {"refunded_total": Decimal("99.00")}, 100),
        (PART | {"total": Decimal(0)}, 0),
    ],
)
def test_c1_what_the_customer_does_not_keep_by_the_preset_rules(facts: dict[str, object], points: int) -> None:
    found = forfeited(facts_of(order(**facts)), 100, TAKING)
    assert (found.due, found.most) == (points, points)


@pytest.mark.parametrize(
    ("facts", "rules", "due", "most", "by"),
    [
        # Nothing that was chosen is so: nothing is taken, and what was taken before the choice changed stays taken.
        (CANCELLED, replace(TAKING, statuses=("refunded",)), 0, 100, None),
        (PART, replace(TAKING, statuses=("cancelled",)), 0, 25, None),
        (CANCELLED, EarnedPointsSettings(), 0, 100, "status"),
        # Of an order that is cancelled as well, the refunded part alone was chosen.
        (PART | CANCELLED, replace(TAKING, statuses=("partially_refunded",)), 25, 100, "status"),
        # A tag takes everything, whatever the status; N7 says which tags are the same.
        ({"tag_keys": [tag_key("E\u0301CHANGE")]}, TAGGED, 100, 100, "tag"),
        (PART | {"tag_keys": [tag_key("échange")]}, replace(TAGGED, statuses=TAKING.statuses), 100, 100, "tag"),
        ({"tag_keys": [tag_key("échange-2")]}, TAGGED, 0, 0, None),
        # A skip tag beats them all, and gives again what was taken before it came.
        (CANCELLED | {"tag_keys": ["keep"]}, replace(TAKING, skip_tags=("KEEP",)), 0, 0, "skip_tag"),
        ({"tag_keys": ["keep", tag_key("échange")]}, replace(TAGGED, skip_tags=("keep",)), 0, 0, "skip_tag"),
    ],
)
def test_c1_n1_n3_statuses_tags_and_skip_tags_of_its_own(
    facts: dict[str, object], rules: EarnedPointsSettings, due: int, most: int, by: str | None
) -> None:
    found = forfeited(facts_of(order(**facts)), 100, rules)
    assert (found.due, found.most, found.matched.by) == (due, most, by)


@given(awarded=POINTS, taken=POINTS, dropped=POINTS, due=POINTS, most=POINTS)
def test_c1_settling_moves_towards_what_the_order_says(
    awarded: int, taken: int, dropped: int, due: int, most: int
) -> None:
    taken = min(taken, awarded)
    dropped, most = min(dropped, awarded - taken), min(most, awarded)
    due = min(due, most)

    settles = settling(Earned(awarded, taken, dropped), Forfeit(due, most))

    assert settles.take == 0 or (settles.give, settles.forget) == (0, 0)
    assert taken - settles.give + dropped - settles.forget + settles.take == max(due, min(most, taken + dropped))
    assert 0 <= settles.forget <= dropped
    assert not settles.give or settles.forget == dropped


@given(awarded=POINTS, status=st.sampled_from(["confirmed", "cancelled"]))
def test_c1_a_store_that_takes_nothing_back(awarded: int, status: str) -> None:
    found = forfeited(facts_of(order(status=status)), awarded, EarnedPointsSettings())
    assert settling(Earned(awarded), found) == Settling()
