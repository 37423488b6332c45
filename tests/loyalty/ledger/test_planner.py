"""What comes back, lot by lot; what is drawn, in which order (L3, M2-M4, E3, F2 and the worked examples)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.days import end_of_day
from loyalty.ledger.planner import (
    GIVES_BACK,
    Amount,
    Decision,
    Draw,
    ExpiredRule,
    KindChoice,
    KindPlan,
    OpenLot,
    Outcome,
    TooLittle,
    UsedLot,
    draw,
    plan_kind,
)

TAIPEI = ZoneInfo("Asia/Taipei")
RETURN_VALID = KindChoice(Decision.RETURN)


def until(*day: int) -> datetime:
    return end_of_day(date(*day), TAIPEI)


def at(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=TAIPEI)  # type: ignore[arg-type, misc]


def used(number: int, amount: Amount | str, expires_at: datetime | None, returned: Amount = 0) -> UsedLot:
    value = Decimal(amount) if isinstance(amount, str) else amount
    return UsedLot(number, 1, 1, 100 + number, value, returned, expires_at, "grant", "USD")


def outcomes(plan: KindPlan) -> list[tuple[Outcome, Amount, datetime | None]]:
    return [(lot.outcome, lot.amount, lot.expires_at) for lot in plan.lots]


X1_LOTS = [used(1, "10.00", until(2026, 1, 1)), used(2, "5.00", until(2026, 3, 20))]
X1_NOW = at(2026, 1, 5, 12)
VALID_ONLY, ALL_OR_NOTHING = ExpiredRule.VALID_ONLY, ExpiredRule.ALL_OR_NOTHING


def test_x1_the_valid_part_returns_to_its_lot_under_its_own_date() -> None:
    plan = plan_kind(X1_LOTS, RETURN_VALID, rule=VALID_ONLY, now=X1_NOW)
    assert outcomes(plan) == [
        (Outcome.EXPIRED, Decimal(10), until(2026, 1, 1)),
        (Outcome.RETURNED, Decimal(5), until(2026, 3, 20)),
    ]
    assert (plan.used, plan.returns, plan.remains, plan.skip_code) == (Decimal(15), Decimal(5), Decimal(10), None)


def test_x2_the_extended_part_returns_under_the_new_date() -> None:
    choice = KindChoice(Decision.RETURN, extend_all=until(2026, 2, 4))
    plan = plan_kind(X1_LOTS, choice, rule=VALID_ONLY, now=X1_NOW)
    assert outcomes(plan) == [
        (Outcome.EXTENDED, Decimal(10), until(2026, 2, 4)),
        (Outcome.RETURNED, Decimal(5), until(2026, 3, 20)),
    ]
    assert plan.remains == 0


def test_x3_nothing_returns_when_all_has_expired_and_x2_can_still_be_done() -> None:
    lots = [X1_LOTS[0], used(2, "5.00", until(2026, 1, 4))]
    plan = plan_kind(lots, RETURN_VALID, rule=VALID_ONLY, now=X1_NOW)
    assert (plan.returns, plan.remains, plan.skip_code) == (0, Decimal(15), "expired")
    later = plan_kind(lots, KindChoice(Decision.RETURN, until(2026, 2, 4)), rule=VALID_ONLY, now=X1_NOW)
    assert later.returns == Decimal(15)


def test_x4_e3_one_expired_lot_holds_back_its_kind_and_not_the_other() -> None:
    now = at(2021, 1, 3, 8)
    credit = plan_kind(
        [used(1, "50.00", until(2021, 1, 1)), used(2, "50.00", None)], RETURN_VALID, rule=ALL_OR_NOTHING, now=now
    )
    points = plan_kind([used(3, 100, until(2022, 1, 1))], RETURN_VALID, rule=ALL_OR_NOTHING, now=now)
    assert [lot.outcome for lot in credit.lots] == [Outcome.EXPIRED, Outcome.BLOCKED]
    assert (credit.returns, credit.skip_code) == (0, "blocked")
    assert outcomes(points) == [(Outcome.RETURNED, 100, until(2022, 1, 1))]


X5_LOTS = [used(1, "50.00", until(2026, 9, 15)), used(2, "50.00", None)]


def test_x5_f2_exactly_the_valid_lots_return() -> None:
    plan = plan_kind(X5_LOTS, RETURN_VALID, rule=VALID_ONLY, now=at(2026, 9, 16))
    assert (plan.returns, plan.used) == (Decimal(50), Decimal(100))


def test_x6_all_returns_on_the_last_day_at_23_59() -> None:
    plan = plan_kind(X5_LOTS, RETURN_VALID, rule=VALID_ONLY, now=at(2026, 9, 15, 23, 59))
    assert plan.returns == Decimal(100)


def test_x13_only_what_was_spent_is_extended() -> None:
    plan = plan_kind(
        [used(1, "60.00", until(2026, 1, 1))],
        KindChoice(Decision.RETURN, until(2026, 2, 4)),
        rule=VALID_ONLY,
        now=X1_NOW,
    )
    assert outcomes(plan) == [(Outcome.EXTENDED, Decimal(60), until(2026, 2, 4))]


def test_m3_one_allocations_own_date_wins_over_that_of_its_kind() -> None:
    lots = [used(1, 1, until(2026, 1, 1)), used(2, 2, until(2026, 1, 2))]
    choice = KindChoice(Decision.RETURN, until(2026, 2, 4), {2: until(2026, 5, 5)})
    plan = plan_kind(lots, choice, rule=VALID_ONLY, now=X1_NOW)
    assert [lot.expires_at for lot in plan.lots] == [until(2026, 2, 4), until(2026, 5, 5)]


def test_m4_extending_does_not_touch_a_valid_lot() -> None:
    plan = plan_kind([X1_LOTS[1]], KindChoice(Decision.RETURN, until(2026, 12, 31)), rule=VALID_ONLY, now=X1_NOW)
    assert outcomes(plan) == [(Outcome.RETURNED, Decimal(5), until(2026, 3, 20))]


@pytest.mark.parametrize(
    ("choice", "code"), [(KindChoice(Decision.DECLINE), "declined"), (KindChoice(Decision.DEFER), "not_selected")]
)
def test_m2_a_kind_that_is_not_ticked_decides_on_no_lot(choice: KindChoice, code: str) -> None:
    plan = plan_kind(X1_LOTS, choice, rule=VALID_ONLY, now=X1_NOW)
    assert (plan.lots, plan.returns, plan.remains, plan.skip_code) == ((), 0, Decimal(15), code)


def test_m8_what_is_back_already_does_not_come_twice() -> None:
    back = [replace(lot, returned=lot.amount) for lot in X1_LOTS]
    plan = plan_kind(back, RETURN_VALID, rule=VALID_ONLY, now=X1_NOW)
    assert {lot.outcome for lot in plan.lots} == {Outcome.ALREADY_RETURNED}
    assert (plan.returns, plan.skip_code) == (0, "already_reverted")
    assert plan_kind([], RETURN_VALID, rule=VALID_ONLY, now=X1_NOW).skip_code == "not_applied"


@st.composite
def used_lots(drawing: st.DrawFn) -> list[UsedLot]:
    sizes = drawing(
        st.lists(st.tuples(st.integers(1, 99), st.integers(0, 99), st.integers(-3, 3) | st.none()), max_size=6)
    )
    return [
        used(number, amount, None if days is None else X1_NOW + timedelta(days=days), min(returned, amount))
        for number, (amount, returned, days) in enumerate(sizes)
    ]


CHOICES = st.builds(
    KindChoice,
    st.sampled_from(Decision),
    st.none() | st.just(X1_NOW + timedelta(days=9)),
    st.dictionaries(st.integers(0, 5), st.just(X1_NOW + timedelta(days=4))),
)


@given(lots=used_lots(), choice=CHOICES, rule=st.sampled_from(ExpiredRule))
def test_m3_every_plan_adds_up(lots: list[UsedLot], choice: KindChoice, rule: ExpiredRule) -> None:
    plan = plan_kind(lots, choice, rule=rule, now=X1_NOW)
    assert plan.returns + plan.remains + plan.already == plan.used == sum(lot.amount for lot in lots)
    for lot in plan.lots:
        assert lot.outcome not in GIVES_BACK or lot.amount == lot.used.outstanding > 0
        assert lot.outcome not in GIVES_BACK or lot.expires_at is None or lot.expires_at > X1_NOW
        assert lot.outcome is not Outcome.RETURNED or lot.expires_at == lot.used.expires_at
    if choice.decision is not Decision.RETURN:
        assert not plan.returns
    assert (plan.skip_code is None) == bool(plan.returns)


@given(lots=used_lots(), choice=CHOICES)
def test_e3_all_or_nothing_is_all_or_nothing(lots: list[UsedLot], choice: KindChoice) -> None:
    plan = plan_kind(lots, choice, rule=ALL_OR_NOTHING, now=X1_NOW)
    assert plan.returns in {0, plan.used - plan.already}


@given(lots=used_lots(), choice=CHOICES, rule=st.sampled_from(ExpiredRule))
def test_m7_the_same_again_returns_nothing(lots: list[UsedLot], choice: KindChoice, rule: ExpiredRule) -> None:
    plan = plan_kind(lots, choice, rule=rule, now=X1_NOW)
    back = {lot.used.allocation_id for lot in plan.lots if lot.outcome in GIVES_BACK}
    after = [replace(lot, returned=lot.amount) if lot.allocation_id in back else lot for lot in lots]
    assert plan_kind(after, choice, rule=VALID_ONLY, now=X1_NOW).returns == 0 or rule is ALL_OR_NOTHING


N5_LOTS = [used(1, "10.00", until(2026, 1, 1)), used(2, "20.00", until(2026, 3, 20)), used(3, "30.00", None)]


def with_target(amount: str, lots: list[UsedLot] = N5_LOTS, rule: ExpiredRule = VALID_ONLY) -> KindPlan:
    return plan_kind(lots, KindChoice(Decision.RETURN, target=Decimal(amount)), rule=rule, now=X1_NOW)


@pytest.mark.parametrize(
    ("target", "asked", "returns", "code"),
    [
        ("25.00", {3: 25}, 25, None),
        ("30.00", {3: 30}, 30, None),
        ("45.00", {2: 15, 3: 30}, 45, None),
        ("55.00", {1: 5, 2: 20, 3: 30}, 50, "expired"),
        ("60.00", {1: 10, 2: 20, 3: 30}, 50, "expired"),
        ("0.00", {}, 0, "already_reverted"),
    ],
)
def test_n5_a_target_is_asked_of_the_last_lots_first(
    target: str, asked: dict[int, int], returns: int, code: str | None
) -> None:
    plan = with_target(target)
    assert {lot.used.allocation_id: lot.amount for lot in plan.lots} == asked
    assert (plan.returns, plan.remains, plan.code) == (returns, 60 - returns, code)


def test_n5_what_is_back_already_counts_whoever_gave_it() -> None:
    back = [N5_LOTS[0], replace(N5_LOTS[1], returned=Decimal(20)), N5_LOTS[2]]
    plan = with_target("25.00", back)
    assert outcomes(plan) == [
        (Outcome.ALREADY_RETURNED, Decimal(20), until(2026, 3, 20)),
        (Outcome.RETURNED, Decimal(5), None),
    ]
    assert with_target("15.00", back).code == "already_reverted"


def test_n5_an_expired_lots_share_is_not_taken_from_another() -> None:
    lots = [used(1, "10.00", None), used(2, "10.00", until(2026, 1, 1))]
    plan = with_target("15.00", lots)
    assert [(lot.outcome, lot.amount) for lot in plan.lots] == [(Outcome.RETURNED, 5), (Outcome.EXPIRED, 10)]
    again = [replace(lots[0], returned=Decimal(5)), lots[1]]
    assert with_target("15.00", again).returns == 0
    assert with_target("20.00", again).returns == 5


def test_n5_e3_one_expired_lot_blocks_also_what_the_target_does_not_ask_of_it() -> None:
    plan = with_target("25.00", rule=ALL_OR_NOTHING)
    assert (plan.returns, plan.code) == (0, "blocked")
    assert [(lot.used.allocation_id, lot.outcome) for lot in plan.lots] == [(3, Outcome.BLOCKED)]


@pytest.mark.parametrize(
    ("decision", "code"),
    [
        (Decision.SKIP, "skip_tag"),
        (Decision.LEAVE, "not_selected"),
        (Decision.IDLE, "no_trigger"),
        (Decision.OFF, "rules_disabled"),
    ],
)
def test_n6_automation_says_why_it_returns_nothing(decision: Decision, code: str) -> None:
    plan = plan_kind(X1_LOTS, KindChoice(decision), rule=VALID_ONLY, now=X1_NOW)
    assert (plan.lots, plan.returns, plan.code) == ((), 0, code)


@given(
    lots=used_lots(), targets=st.lists(st.integers(0, 600), min_size=1, max_size=4), rule=st.sampled_from(ExpiredRule)
)
def test_n5_growing_targets_come_to_the_same_as_the_last_one_and_never_to_more(
    lots: list[UsedLot], targets: list[int], rule: ExpiredRule
) -> None:
    total, before = sum(lot.amount for lot in lots), sum(lot.returned for lot in lots)
    step = lots
    for target in sorted(targets):
        plan = plan_kind(step, KindChoice(Decision.RETURN, target=min(target, total)), rule=rule, now=X1_NOW)
        given_back = {lot.used.allocation_id: lot.amount for lot in plan.lots if lot.outcome in GIVES_BACK}
        step = [replace(lot, returned=lot.returned + given_back.get(lot.allocation_id, 0)) for lot in step]
        assert all(0 <= lot.returned <= lot.amount for lot in step)
        assert sum(lot.returned for lot in step) <= max(min(target, total), before)
        assert plan.returns + plan.remains + plan.already == plan.used
        assert (plan.skip_code is None) == bool(plan.returns)
    at_once = plan_kind(lots, KindChoice(Decision.RETURN, target=min(max(targets), total)), rule=rule, now=X1_NOW)
    assert sum(lot.returned for lot in step) - before == at_once.returns


def test_l3_soonest_expiry_first_then_granted_then_id_never_last() -> None:
    early, late = at(2026, 1, 1), at(2026, 1, 2)
    lots = [
        OpenLot(5, 1, None, early),
        OpenLot(4, 1, until(2026, 3, 1), late),
        OpenLot(3, 1, until(2026, 3, 1), early),
        OpenLot(2, 1, until(2026, 3, 1), early),
        OpenLot(1, 1, until(2026, 2, 1), late),
        OpenLot(6, 1, None, late),
    ]
    assert [taken.lot_id for taken in draw(lots, 6)] == [1, 2, 3, 4, 5, 6]


def test_l3_takes_all_or_nothing() -> None:
    lots = [OpenLot(1, Decimal(3), None, X1_NOW), OpenLot(2, Decimal(4), None, X1_NOW)]
    assert draw(lots, Decimal(5)) == [Draw(1, Decimal(3)), Draw(2, Decimal(2))]
    with pytest.raises(TooLittle, match="There is 7"):
        draw(lots, Decimal(8))


@given(sizes=st.lists(st.integers(1, 50), max_size=8), amount=st.integers(1, 400))
def test_l3_draws_add_up_and_stay_within_their_lots(sizes: list[int], amount: int) -> None:
    lots = [OpenLot(number, size, None, datetime(2026, 1, 1, tzinfo=UTC)) for number, size in enumerate(sizes)]
    if amount > sum(sizes):
        with pytest.raises(TooLittle):
            draw(lots, amount)
        return
    draws = draw(lots, amount)
    assert sum(taken.amount for taken in draws) == amount
    assert all(0 < taken.amount <= sizes[taken.lot_id] for taken in draws)
    assert all(taken.amount == sizes[taken.lot_id] for taken in draws[:-1])
