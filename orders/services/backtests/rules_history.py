"""What spent-revert rules would have said of an order in the past (N2-N5). Pure: an order and its journal in."""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from loyalty.core.tags import tag_key
from loyalty.journal.models import JournalEntry
from loyalty.journal.record import Event
from loyalty.ledger.planner import Decision
from loyalty.store_settings.sections import SpentRevertSettings
from loyalty.stores.actors import ActorType, Trigger
from orders.kinds import KINDS, applied
from orders.models import Order, OrderStatus, PersonsDecision
from orders.services.backtests.cancel_history import Strike
from orders.services.rules.decide import Evaluation, News, evaluate, facts_of, news
from orders.services.rules.trace import PERSONS

_HANDS: Final = (Trigger.ADMIN, Trigger.API, Trigger.BULK)
_INSIDE: Final = (ActorType.USER, ActorType.JOB, ActorType.RULE)
_LOOKED_AT: Final = ("status", "payment_status", "refunded_total", "tags")
# What the order used is told when it becomes known, which may be long after it came (O5, R7).
_USES: Final = (Event.ORDER_SPENT, Event.ORDER_USED_CODE)
# Decisions of people, by the code that their trace carries.
_DECIDED: Final = {
    "declined": PersonsDecision.DECLINED,
    "not_selected": PersonsDecision.DEFERRED,
    "expired": PersonsDecision.EXPIRED_LEFT,
}


@dataclass(frozen=True, slots=True)
class Reached:
    """The moment at which the rules would have dealt with an order: what they would have said, of the order then."""

    strike: Strike
    said: Evaluation
    order: Order

    @property
    def used_anything(self) -> bool:
        """Whether the order was known to have used anything; otherwise nothing would have happened (N2)."""
        return any(applied(self.order, kind) for kind in KINDS)


def reached(
    order: Order, entries: Sequence[JournalEntry], rules: SpentRevertSettings, *, since: datetime, now: datetime
) -> Reached | None:
    """When ``rules``, as if they were on, would have dealt with ``order`` from ``since`` to ``now``, or None.

    ``entries`` are the order's journal, oldest first. Where several changes would have triggered, the first that
    returns everything counts, else the last share of a partial refund, else the first that returns nothing.
    """
    found: Reached | None = None
    for one in _looks(order, entries, rules, now):
        if one.strike.at < since or not one.said.matches or not one.used_anything:
            continue
        verdicts = [verdict for verdict in one.said.verdicts.values() if verdict.decision is Decision.RETURN]
        if any(verdict.target is None for verdict in verdicts):
            return one
        if verdicts or found is None:
            found = one
    return found


def _looks(
    order: Order, entries: Sequence[JournalEntry], rules: SpentRevertSettings, now: datetime
) -> Iterator[Reached]:
    """Every evaluation that the order's changes from outside would have led to, oldest first."""
    states = _states(order, entries)
    delay = timedelta(minutes=rules.delay_minutes)
    brought, due = News(), None
    for number, (entry, then) in enumerate(states):
        if due is not None and due <= entry.created_at:
            yield _look(states[number - 1][1], brought, rules, due)
            brought, due = News(), None
        if _is_outside(entry):
            before = states[number - 1][1] if number else None
            brought |= news(facts_of(before) if before is not None else None, facts_of(then))
            due = entry.created_at + delay
        elif _defers(entry):
            brought = News()
    if due is not None and due <= now:
        yield _look(states[-1][1], brought, rules, due)


def _look(then: Order, brought: News, rules: SpentRevertSettings, at: datetime) -> Reached:
    then.rules_news = brought.to_json()
    said = evaluate(then, rules)
    return Reached(Strike(said.trigger, at), said, then)


def _states(order: Order, entries: Sequence[JournalEntry]) -> list[tuple[JournalEntry, Order]]:
    """The order as it was after each entry: what it is now, with the changes taken back from the newest on."""
    then = copy(order)
    states: list[tuple[JournalEntry, Order]] = []
    for entry in reversed(entries):
        states.append((entry, copy(then)))
        _take_back(then, entry)
    states.reverse()
    _decide(states)
    return states


def _take_back(then: Order, entry: JournalEntry) -> None:
    if entry.event == Event.ORDER_CANCELLED:
        then.status, then.cancelled_by = OrderStatus.CONFIRMED.value, ""
    elif entry.event == Event.ORDER_REINSTATED:
        then.status = OrderStatus.CANCELLED.value
    elif entry.event in _USES:
        then.credits_applied -= Decimal(str(entry.data.get("credits", 0)))
        then.points_applied -= int(entry.data.get("points", 0))
    elif entry.event == Event.ORDER_UPDATED:
        for name in ("status", "payment_status"):
            setattr(then, name, _before(entry.data, name, getattr(then, name)))
        then.refunded_total = Decimal(str(_before(entry.data, "refunded_total", then.refunded_total)))
        then.total = Decimal(str(_before(entry.data, "total", then.total)))
        then.tags = _before(entry.data, "tags", then.tags)
        then.tag_keys = [tag_key(tag) for tag in then.tags]


def _before(data: Mapping[str, Any], name: str, value: Any) -> Any:
    change = data.get(name)
    return change["from"] if isinstance(change, Mapping) and "from" in change else value


def _decide(states: Sequence[tuple[JournalEntry, Order]]) -> None:
    """Put beside each state what people had decided by then (N4)."""
    decided = dict.fromkeys(KINDS, "")
    for entry, then in states:
        if entry.event == Event.DEDUCTED_AGAIN:
            decided = {kind: "" if kind in entry.data else decided[kind] for kind in KINDS}
        elif _is_decision(entry):
            decided[entry.data["kind"]] = _DECIDED[entry.data["code"]].value
        then.credits_decision, then.points_decision = decided["credits"], decided["points"]


def _is_decision(entry: JournalEntry) -> bool:
    data = entry.data
    by_hand = data.get("trigger") in _HANDS or data.get("code") == "not_selected"
    return entry.event in (Event.REVERT_SKIPPED, *PERSONS) and by_hand and data.get("code") in _DECIDED


def _defers(entry: JournalEntry) -> bool:
    return _is_decision(entry) and entry.data["code"] == "not_selected"


def _is_outside(entry: JournalEntry) -> bool:
    """Whether the entry is one that the rules look at; an order, and what it used, always come from outside."""
    if entry.event == Event.ORDER_CREATED or entry.event in _USES:
        return True
    changes = entry.event == Event.ORDER_UPDATED and any(name in entry.data for name in _LOOKED_AT)
    return changes and entry.actor.partition(":")[0] not in _INSIDE
