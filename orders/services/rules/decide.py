"""The spent-revert rules: what triggers, who wins, how much is to be back (N1-N5). Pure: no queries and no clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import floor
from typing import Any, Final, Protocol

from loyalty.core.money import unit_of
from loyalty.core.tags import first_match, tag_key
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount, Decision
from loyalty.store_settings.sections import SpentRevertSettings
from loyalty.stores.actors import Trigger
from orders.kinds import KINDS, applied, currency_of, decision, reverted
from orders.models import FINAL_DECISIONS, Order, OrderStatus, PaymentStatus, PersonsDecision
from orders.services.rules.trace import BY_PERSON, TEST_ORDER, Matched, MatchedBy


class TriggerStatus(StrEnum):
    """The statuses that a store may choose as triggers (N1), those that return everything first."""

    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    PARTIALLY_REFUNDED = "partially_refunded"


_WHOLE: Final = (TriggerStatus.CANCELLED, TriggerStatus.REFUNDED)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at on an order (N2); ``tag_keys`` are its tags as they are compared (N3)."""

    status: str
    payment_status: str
    refunded_total: Decimal
    total: Decimal
    tag_keys: frozenset[str]

    @property
    def statuses(self) -> frozenset[TriggerStatus]:
        """The trigger statuses that the order is in."""
        held = {
            TriggerStatus.CANCELLED: self.status == OrderStatus.CANCELLED,
            TriggerStatus.REFUNDED: self.payment_status == PaymentStatus.REFUNDED,
            TriggerStatus.PARTIALLY_REFUNDED: self.payment_status == PaymentStatus.PARTIALLY_REFUNDED,
        }
        return frozenset(status for status, holds in held.items() if holds)

    @property
    def fell_through(self) -> bool:
        """Whether the order is in a status that concerns all of it: cancelled, or refunded in full (O3)."""
        return not self.statuses.isdisjoint(_WHOLE)


def facts_of(order: Order) -> Facts:
    """The order's facts as they are now."""
    return Facts(
        order.status, order.payment_status, order.refunded_total, order.total, frozenset(map(str, order.tag_keys))
    )


@dataclass(frozen=True, slots=True)
class News:
    """What changes from outside brought since the rules last looked, or since somebody left a kind for later (N4)."""

    statuses: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    refunded: bool = False

    def __or__(self, other: "News") -> "News":
        return News(self.statuses | other.statuses, self.tags | other.tags, self.refunded or other.refunded)

    def to_json(self) -> dict[str, Any]:
        """The form that is stored on the order."""
        return {"statuses": sorted(self.statuses), "tags": sorted(self.tags), "refunded": self.refunded}

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> "News":
        """The inverse of :meth:`to_json`; None is no news."""
        if data is None:
            return cls()
        return cls(frozenset(data["statuses"]), frozenset(data["tags"]), data["refunded"])

    def lifts(self, rules: SpentRevertSettings) -> bool:
        """Whether a deferred kind may be returned: a trigger entered newly, or more was refunded (N4)."""
        tags = {tag_key(tag) for tag in rules.tags}
        return self.refunded or bool(self.statuses & set(rules.statuses)) or bool(self.tags & tags)


def news(before: Facts | None, after: Facts) -> News:
    """What a change brought; ``before`` is None for an order that has just arrived."""
    if before is None:
        return News(after.statuses, after.tag_keys, after.refunded_total > 0)
    return News(
        after.statuses - before.statuses,
        after.tag_keys - before.tag_keys,
        after.refunded_total > before.refunded_total,
    )


@dataclass(frozen=True, slots=True)
class Match:
    """What triggers on an order: the trigger, the fact behind it, and whether it returns only a share (N5)."""

    trigger: Trigger
    matched: Matched
    share: bool = False


class Triggers(Protocol):
    """What a store chose as triggers, and what it exempts: of the spent-revert rules, or of taking points back (C1)."""

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses that trigger."""

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that trigger."""

    @property
    def skip_tags(self) -> tuple[str, ...]:
        """The tags that exempt an order."""


def match(facts: Facts, rules: Triggers) -> Match | None:
    """What triggers: a status that returns everything, else a tag, else a partial refund; None for nothing (N2)."""
    statuses = [status for status in TriggerStatus if status in rules.statuses and status in facts.statuses]
    if statuses and statuses[0] in _WHOLE:
        return Match(Trigger.RULE_STATUS, Matched(MatchedBy.STATUS, statuses[0].value))
    tag = first_match(rules.tags, facts.tag_keys)
    if tag is not None:
        return Match(Trigger.RULE_TAG, Matched(MatchedBy.TAG, tag))
    if statuses:
        return Match(Trigger.RULE_STATUS, Matched(MatchedBy.STATUS, statuses[0].value), share=True)
    return None


def share_refunded(facts: Facts) -> Fraction:
    """Which part of the order's total was refunded, at most all of it; none of an order that cost nothing (N5)."""
    if not facts.total:
        return Fraction(0)
    return Fraction(min(facts.refunded_total, facts.total)) / Fraction(facts.total)


def target(used: Amount, facts: Facts, currency: str) -> Amount:
    """The share of ``used`` that a partial refund returns in all, in units of ``currency``; points are whole (N5).

    Nothing for an order that cost nothing.
    """
    share = Fraction(used) * share_refunded(facts)
    if not currency:
        return floor(share)
    unit = unit_of(currency)
    return floor(share / Fraction(unit)) * unit


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say about one kind, and which fact decided; ``target`` as in KindChoice."""

    decision: Decision
    matched: Matched
    target: Amount | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the rules say about one order; ``matches`` says whether anything triggered."""

    trigger: Trigger
    matches: bool
    verdicts: Mapping[Kind, Verdict] = field(default_factory=dict)


def evaluate(order: Order, rules: SpentRevertSettings) -> Evaluation:
    """What the rules say about ``order`` as it is, kind by kind (N2-N5).

    Orders that were split from one another are judged each by itself: what an order used stands on that order alone,
    so each returns its own, and what was spent once returns once (N8). Of a test order nothing returns (E10).
    """
    facts, brought = facts_of(order), News.from_json(order.rules_news)
    found = match(facts, rules)
    if order.is_test:
        verdict = Verdict(Decision.IDLE, TEST_ORDER)
        return Evaluation(Trigger.RULE_STATUS, matches=False, verdicts=dict.fromkeys(KINDS, verdict))
    if found is None:
        by_tag = bool(brought.tags) and not brought.statuses
        verdict = _off() if not rules.enabled else Verdict(Decision.IDLE, Matched())
        trigger = Trigger.RULE_TAG if by_tag else Trigger.RULE_STATUS
        return Evaluation(trigger, matches=False, verdicts=dict.fromkeys(KINDS, verdict))
    verdicts = {kind: _verdict(order, kind, found, facts, brought, rules) for kind in KINDS}
    return Evaluation(found.trigger, matches=True, verdicts=verdicts)


def _off() -> Verdict:
    return Verdict(Decision.OFF, Matched(MatchedBy.SETTING, "spent_revert.enabled"))


def _verdict(
    order: Order, kind: Kind, found: Match, facts: Facts, brought: News, rules: SpentRevertSettings
) -> Verdict:
    """People first, then the switch, a skip tag, and what was left for later (N1, N3, N4)."""
    decided = decision(order, kind)
    if not rules.enabled:
        return _off()
    if decided in FINAL_DECISIONS:
        return Verdict(Decision.DECLINE, BY_PERSON)
    if kind not in rules.kinds:
        return Verdict(Decision.LEAVE, Matched(MatchedBy.SETTING, "spent_revert.kinds"))
    if skip_tag := first_match(rules.skip_tags, facts.tag_keys):
        return Verdict(Decision.SKIP, Matched(MatchedBy.SKIP_TAG, skip_tag))
    if decided == PersonsDecision.DEFERRED and not brought.lifts(rules):
        return Verdict(Decision.LEAVE, _who_deferred(order))
    return _returning(order, kind, found, facts)


def _who_deferred(order: Order) -> Matched:
    """A person, or the setting that only cancels."""
    if order.cancelled_by in (Trigger.PAYMENT_EXPIRED, Trigger.PAYMENT_FAILED):
        return Matched(MatchedBy.SETTING, f"auto_cancel.{order.cancelled_by.removeprefix('payment_')}")
    return BY_PERSON


def _returning(order: Order, kind: Kind, found: Match, facts: Facts) -> Verdict:
    if not found.share:
        return Verdict(Decision.RETURN, found.matched)
    share = target(applied(order, kind), facts, currency_of(order, kind))
    if not share and not reverted(order, kind):
        # A partial refund of nothing, or of less than a unit's worth, gives no reason to return anything.
        return Verdict(Decision.IDLE, found.matched)
    return Verdict(Decision.RETURN, found.matched, share)


def worth_a_look(order: Order, rules: SpentRevertSettings, *, repeated: bool) -> bool:
    """Whether evaluating the rules could return something or has something to say (N6).

    An order that used nothing and matches nothing leaves no trace, and neither does a change that matches nothing while
    the rules are off, unless the order fell through. A state that is only ``repeated`` is answered where it would
    have returned something.
    """
    used = any(applied(order, kind) for kind in KINDS)
    matches = match(facts_of(order), rules) is not None
    if repeated or not used:
        return rules.enabled and matches and (used or not repeated)
    return rules.enabled or matches or order.fell_through
