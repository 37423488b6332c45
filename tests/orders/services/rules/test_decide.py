"""The pure rules: what triggers, who wins, how much is to be back (N1-N5)."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.tags import tag_key
from loyalty.ledger.planner import Amount, Decision
from loyalty.store_settings.sections import SpentRevertSettings
from loyalty.stores.actors import Trigger
from orders.models import Order, OrderStatus, PaymentStatus
from orders.services.rules.decide import Evaluation, Facts, News, evaluate, facts_of, match, news, target

RULES = SpentRevertSettings(
    enabled=True,
    statuses=("cancelled", "refunded", "partially_refunded"),
    tags=("Refunded-Order",),
    skip_tags=("keep",),
)
TAGS = st.sampled_from(["vip", "refunded-order", "keep", "other"])


def facts(**values: Any) -> Facts:
    base: dict[str, Any] = {"status": "confirmed", "payment_status": "paid", "refunded_total": 0, "total": 100}
    said = base | {"tags": ()} | values
    return Facts(
        said["status"],
        said["payment_status"],
        Decimal(said["refunded_total"]),
        Decimal(said["total"]),
        frozenset(tag_key(tag) for tag in said["tags"]),
    )


def order(**values: Any) -> Order:
    tags = values.pop("tags", ())
    base = {
        "status": "confirmed",
        "payment_status": "paid",
        "currency": "USD",
        "total": Decimal(100),
        "refunded_total": Decimal(0),
        "credits_applied": Decimal(50),
        "points_applied": 100,
        "tag_keys": [tag_key(tag) for tag in tags],
    }
    return Order(**(base | values))


def decisions(said: Evaluation) -> dict[str, str]:
    return {kind: verdict.decision.value for kind, verdict in said.verdicts.items()}


@pytest.mark.parametrize(
    ("said", "trigger", "value", "share"),
    [
        ({"status": "cancelled"}, Trigger.RULE_STATUS, "cancelled", False),
        ({"payment_status": "refunded"}, Trigger.RULE_STATUS, "refunded", False),
        ({"payment_status": "partially_refunded"}, Trigger.RULE_STATUS, "partially_refunded", True),
        ({"tags": [" REFUNDED-order "]}, Trigger.RULE_TAG, "Refunded-Order", False),
        (
            {"tags": ["refunded-order"], "payment_status": "partially_refunded"},
            Trigger.RULE_TAG,
            "Refunded-Order",
            False,
        ),
        ({"tags": ["refunded-order"], "status": "cancelled"}, Trigger.RULE_STATUS, "cancelled", False),
        ({"status": "cancelled", "payment_status": "partially_refunded"}, Trigger.RULE_STATUS, "cancelled", False),
    ],
)
def test_n2_the_trigger_that_returns_most_is_named(
    said: dict[str, Any], trigger: Trigger, value: str, share: bool
) -> None:
    found = match(facts(**said), RULES)
    assert found is not None
    assert (found.trigger, found.matched.value, found.share) == (trigger, value, share)


@pytest.mark.parametrize("tags", [["refunded order"], ["refunded-orders"], ["refunded"], ["vip"], []])
def test_n1_n3_without_a_match_nothing_triggers(tags: list[str]) -> None:
    assert match(facts(tags=tags, payment_status="failed"), RULES) is None
    assert match(facts(status="cancelled", tags=["refunded-order"]), SpentRevertSettings(statuses=(), tags=())) is None


@pytest.mark.parametrize(
    ("used", "refunded", "total", "currency", "share"),
    [
        (Decimal(50), "33.33", "100", "USD", "16.66"),
        (Decimal(50), "500", "100", "USD", "50"),
        (Decimal(50), "100", "0", "USD", "0"),
        (Decimal(1000), "333", "1000", "JPY", "333"),
        (Decimal(1000), "1", "3", "KWD", "333.333"),
        (Decimal("0.01"), "99.99", "100", "USD", "0"),
        (100, "33.99", "100", "", "33"),
        (3, "2", "3", "", "2"),
    ],
)
def test_n5_the_share_is_cut_to_the_unit(used: Amount, refunded: str, total: str, currency: str, share: str) -> None:
    assert target(used, facts(refunded_total=refunded, total=total), currency) == Decimal(share)


AMOUNT = st.decimals(0, 10_000, places=2)


@given(used=AMOUNT, total=AMOUNT, refunds=st.tuples(AMOUNT, AMOUNT))
def test_n5_the_share_grows_with_the_refund_and_stays_within_what_was_used(
    used: Decimal, total: Decimal, refunds: tuple[Decimal, Decimal]
) -> None:
    less, more = (target(used, facts(refunded_total=refund, total=total), "USD") for refund in sorted(refunds))
    assert 0 <= less <= more <= used
    assert Decimal(more) == round(Decimal(more), 2)
    if total:
        exact = used * min(max(refunds), total) / total
        assert exact - Decimal("0.0101") < more <= exact + Decimal("0.0001")
        assert target(used, facts(refunded_total=total, total=total), "USD") == used


ORDERS = st.builds(
    order,
    status=st.sampled_from(OrderStatus.values),
    payment_status=st.sampled_from(PaymentStatus.values),
    refunded_total=st.decimals(0, 200, places=2),
    tags=st.lists(TAGS, max_size=3),
    credits_decision=st.sampled_from(["", "deferred", "declined", "dismissed", "expired_left"]),
    points_decision=st.sampled_from(["", "deferred", "declined", "dismissed", "expired_left"]),
    rules_news=st.none()
    | st.builds(
        lambda statuses, tags, more: News(frozenset(statuses), frozenset(tags), more).to_json(),
        st.lists(st.sampled_from(["cancelled", "refunded"])),
        st.lists(TAGS),
        st.booleans(),
    ),
)
SETTINGS = st.builds(
    SpentRevertSettings,
    enabled=st.booleans(),
    statuses=st.lists(st.sampled_from(RULES.statuses), unique=True).map(tuple),
    tags=st.lists(TAGS, unique=True).map(tuple),
    skip_tags=st.lists(TAGS, unique=True).map(tuple),
    kinds=st.lists(st.sampled_from(["credits", "points"]), unique=True).map(tuple),
)


@given(one=ORDERS, rules=SETTINGS)
def test_n1_n4_value_returns_only_where_everything_allows_it(one: Order, rules: SpentRevertSettings) -> None:
    said = evaluate(one, rules)
    now = facts_of(one)
    for kind, verdict in said.verdicts.items():
        if verdict.decision is Decision.RETURN:
            decided = one.credits_decision if kind == "credits" else one.points_decision
            assert rules.enabled
            assert kind in rules.kinds
            assert decided not in ("declined", "dismissed")
            assert not now.tag_keys & set(rules.skip_tags)
            assert now.statuses & set(rules.statuses) or now.tag_keys & set(rules.tags)
            assert decided != "deferred" or News.from_json(one.rules_news).lifts(rules)
            assert (verdict.target is not None) == (verdict.matched.value == "partially_refunded")
    assert said.matches == (match(now, rules) is not None)


@given(one=ORDERS, rules=SETTINGS)
def test_n1_switched_off_nothing_returns_and_every_kind_says_so(one: Order, rules: SpentRevertSettings) -> None:
    off = SpentRevertSettings(enabled=False, statuses=rules.statuses, tags=rules.tags)
    assert set(decisions(evaluate(one, off)).values()) == {"off"}


def test_n4_people_win_over_a_skip_tag_and_the_skip_tag_over_what_is_new() -> None:
    fresh = News(frozenset({"cancelled"})).to_json()
    one = order(status="cancelled", tags=["keep"], credits_decision="declined", rules_news=fresh)
    assert decisions(evaluate(one, RULES)) == {"credits": "decline", "points": "skip"}


def test_n5_a_share_of_nothing_triggers_nothing_but_what_is_back_is_said() -> None:
    nothing = order(payment_status="partially_refunded", points_reverted=5)
    assert decisions(evaluate(nothing, RULES)) == {"credits": "idle", "points": "return"}


def test_n4_news_is_what_entered_and_adds_up() -> None:
    before = facts(tags=["vip"], refunded_total=10)
    same = news(before, before)
    assert same == News()
    first = news(before, facts(tags=["vip", "New"], refunded_total=5, status="cancelled"))
    assert first == News(frozenset({"cancelled"}), frozenset({"new"}))
    both = first | news(before, facts(refunded_total=11))
    assert (both.refunded, both.tags) == (True, frozenset({"new"}))
    assert News.from_json(both.to_json()) == both
    assert news(None, before) == News(tags=frozenset({"vip"}), refunded=True)
