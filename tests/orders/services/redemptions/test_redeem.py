"""Rewards, and points exchanged for a code or for credits (R1, R2)."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from credits.models import CreditLot, CreditMovement
from loyalty.core.days import end_of_day
from loyalty.core.errors import FieldError, Invalid, NotFound
from loyalty.journal.models import JournalEntry
from loyalty.ledger.planner import InsufficientBalance
from loyalty.outbox.models import Message
from loyalty.stores.models import Customer, Store
from orders.models import Redemption, Reward
from orders.services.redemptions.redeem import LimitReached, RewardInactive, usable
from orders.services.redemptions.rewards import RewardTerms, change_reward
from points.models import PointAllocation, PointMovement
from tests import factories
from tests.books import find_faults
from tests.factories import ACTOR, BEFORE, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(store: Store) -> Customer:
    customer = factories.make_customer(store)
    factories.grant("points", customer, 700)
    factories.grant("points", customer, 300, until=date(2026, 1, 31))
    return customer


def test_r2_redeeming_spends_points_by_l3_and_issues_a_code(customer: Customer, store: Store) -> None:
    redemption = factories.make_redemption(customer, factories.make_reward(store, valid_days=30))
    assert re.fullmatch(r"[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){3}", redemption.code or "")
    assert (redemption.state, redemption.platform_state, redemption.credit_lot_id) == ("claimed", None, None)
    allocations = PointAllocation.unscoped.order_by("id").values_list("redemption", "amount")
    assert list(allocations) == [(redemption.pk, 300), (redemption.pk, 200)]
    assert factories.balance("points", customer, now=NOW) == 500
    assert set(PointMovement.unscoped.filter(type="spend").values_list("redemption", flat=True)) == {redemption.pk}
    assert find_faults(None) == []


def test_r2_without_a_platform_the_code_is_usable_at_once_until_its_last_day(customer: Customer, store: Store) -> None:
    redemption = factories.make_redemption(customer, factories.make_reward(store, valid_days=30))
    assert redemption.expires_at == end_of_day(date(2026, 1, 19), store.tz)
    assert usable(redemption, redemption.expires_at - timedelta(microseconds=1))
    assert not usable(redemption, redemption.expires_at)
    assert not Message.unscoped.exists()


def test_r2_a_code_without_days_is_valid_for_ever(customer: Customer, store: Store) -> None:
    redemption = factories.make_redemption(customer, factories.make_reward(store))
    assert redemption.expires_at is None
    assert usable(redemption, datetime(2200, 1, 1, tzinfo=UTC))


def test_r2_codes_differ(customer: Customer, store: Store) -> None:
    reward = factories.make_reward(store, points=10)
    codes = {factories.make_redemption(customer, reward).code for _ in range(50)}
    assert len(codes) == 50


def test_r2_a_reward_of_credits_grants_a_lot(customer: Customer, store: Store) -> None:
    reward = factories.make_reward(store, type="credits", value=Decimal(10), valid_days=90)
    redemption = factories.make_redemption(customer, reward)
    lot = CreditLot.unscoped.get()
    assert (redemption.code, redemption.credit_lot_id) == (None, lot.pk)
    assert (lot.granted, lot.currency, lot.origin, lot.expires_at) == (10, "USD", "reward", redemption.expires_at)
    assert CreditMovement.unscoped.get().redemption_id == redemption.pk
    assert factories.balance("credits", customer, now=NOW) == 10
    assert find_faults(None) == []


def test_r2_too_few_points_write_nothing(customer: Customer, store: Store) -> None:
    reward = factories.make_reward(store, points=1001)
    with pytest.raises(InsufficientBalance) as caught:
        factories.make_redemption(customer, reward)
    assert caught.value.errors[0].pointer == "/reward"
    assert not Redemption.unscoped.exists()


def test_r1_a_limit_holds_and_a_reversal_frees_it(customer: Customer, store: Store) -> None:
    reward = factories.make_reward(store, points=10, limit_per_customer=2)
    first = factories.make_redemption(customer, reward)
    factories.make_redemption(customer, reward)
    with pytest.raises(LimitReached, match="2 times"):
        factories.make_redemption(customer, reward)
    factories.reverse(first)
    factories.make_redemption(customer, reward, now=NOW)
    other = factories.make_customer(store)
    factories.grant("points", other, 10)
    factories.make_redemption(other, reward)


def test_r1_what_is_offered_no_more_cannot_be_redeemed(customer: Customer, store: Store) -> None:
    reward = factories.make_reward(store, active=False)
    with pytest.raises(RewardInactive):
        factories.make_redemption(customer, reward)


def test_t1_foreign_customers_and_rewards_are_unknown(customer: Customer, store: Store) -> None:
    other = factories.make_store()
    reward, foreign = factories.make_reward(store), factories.make_reward(other)
    with pytest.raises(Invalid) as caught:
        factories.make_redemption(customer, foreign)
    assert [(error.pointer, error.code) for error in caught.value.errors] == [("/reward", "not-found")]
    stranger = factories.make_customer(other)
    stranger.store = store
    with pytest.raises(Invalid) as caught:
        factories.make_redemption(stranger, reward)
    assert [(error.pointer, error.code) for error in caught.value.errors] == [("/customer", "not-found")]


def test_r2_a_redemption_keeps_the_terms_of_its_moment(customer: Customer, store: Store) -> None:
    reward = factories.make_reward(store)
    redemption = factories.make_redemption(customer, reward)
    changed = RewardTerms("Six off", 600, "fixed", Decimal(6))
    change_reward(store=store, reward_id=reward.pk, terms=changed, actor=ACTOR, now=NOW)
    redemption.refresh_from_db()
    assert (redemption.reward_name, redemption.points, redemption.value) == ("Five off", 500, 5)


def test_r2_redeeming_and_changing_rewards_are_recorded(customer: Customer, store: Store) -> None:
    reward = factories.make_reward(store)
    redemption = factories.make_redemption(customer, reward)
    same = RewardTerms("Five off", 500, "fixed", Decimal(5))
    change_reward(store=store, reward_id=reward.pk, terms=same, actor=ACTOR, now=NOW)
    off = RewardTerms("Five off", 500, "fixed", Decimal(5), active=False)
    change_reward(store=store, reward_id=reward.pk, terms=off, actor=ACTOR, now=NOW)
    entries = JournalEntry.unscoped.filter(event__regex="^(reward|redemption)").order_by("id")
    assert [(entry.event, entry.redemption_id) for entry in entries] == [
        ("reward.created", None),
        ("redemption.created", redemption.pk),
        ("reward.changed", None),
    ]
    assert entries[2].data["terms"] == {"active": False}


@pytest.mark.parametrize(
    ("terms", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"points": 0}, "/points"),
        ({"value": Decimal(0)}, "/value"),
        ({"value": Decimal("5.001")}, "/value"),
        ({"type": "percentage", "value": Decimal("100.5")}, "/value"),
        ({"type": "percentage", "value": Decimal("10.125")}, "/value"),
        ({"type": "percentage", "value": Decimal(10), "currency": "USD"}, "/currency"),
        ({"currency": "XQX"}, "/currency"),
        ({"valid_days": 0}, "/valid_days"),
        ({"valid_days": 100_000}, "/valid_days"),
        ({"limit_per_customer": 0}, "/limit_per_customer"),
    ],
)
def test_r1_terms_that_cannot_be_are_refused(store: Store, terms: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        factories.make_reward(store, **terms)
    errors: tuple[FieldError, ...] = caught.value.errors
    assert [error.pointer for error in errors] == [pointer]
    assert not Reward.unscoped.exists()


def test_t1_a_foreign_reward_cannot_be_changed(store: Store) -> None:
    reward = factories.make_reward(factories.make_store())
    with pytest.raises(NotFound):
        change_reward(
            store=store, reward_id=reward.pk, terms=RewardTerms("X", 1, "fixed", Decimal(1)), actor=ACTOR, now=BEFORE
        )
