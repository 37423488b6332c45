"""What spent-revert rules would have returned over the last days: a look back that writes nothing (N1)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.db.models import Q

from loyalty.journal.models import JournalEntry
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import ExpiredRule, KindChoice, UsedLot, plan_kind
from loyalty.store_settings.sections import SpentRevertSettings, current_settings
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Store
from orders.kinds import KINDS
from orders.models import Order
from orders.services.backtests.histories import lots_then
from orders.services.backtests.rules_history import Reached, reached
from orders.services.backtests.tally import Backtest, Counted, Line, newest_first, sums_of
from orders.services.rules.trace import Matched

TRIGGERS: Final = (Trigger.RULE_STATUS, Trigger.RULE_TAG)


@dataclass(frozen=True, slots=True)
class RulesLine(Line):
    """One order that the rules would have dealt with; ``matched`` says by kind which fact decided."""

    matched: Mapping[Kind, Matched]


def rules_backtest(
    *,
    store: Store,
    rules: SpentRevertSettings,
    days: int,
    now: datetime,
    expired_lots: ExpiredRule | None = None,
    first: int = 0,
) -> Backtest:
    """What ``rules``, as if they had been on, would have returned in the last ``days`` local days, today included.

    Nothing is written; memory is bounded by the days and a page of orders that begins at ``first``. The journal tells
    how each order was when something outside changed it, the ledger what was not back then, and the rules and the
    planner of the job judge it at that moment, after the delay that is tried. ``expired_lots`` is the saved rule
    unless given (E4).

    An order counts once: when everything would have returned, else at its last partial refund, else when a trigger
    matched first and nothing would have. Assumed: what these rules really returned is as if it were not; orders that
    used nothing, and orders of a test gateway, are left out; so are changes that no journal tells of.
    """
    if expired_lots is None:
        expired_lots = ExpiredRule(current_settings(store).auto_cancel.expired_lots.rules)
    counted = Counted(store, TRIGGERS, days, now, first)
    tried = replace(rules, enabled=True)
    used = Q(credits_applied__gt=0) | Q(points_applied__gt=0)
    changed = Order.objects.for_store(store).filter(used, updated_at__gte=counted.begin, is_test=False)
    for orders in newest_first(changed):
        for line in _judge(orders, tried, expired_lots, since=counted.begin, now=now):
            counted.add(line)
    return counted.result()


def _judge(
    orders: Sequence[Order], rules: SpentRevertSettings, expired_lots: ExpiredRule, *, since: datetime, now: datetime
) -> Iterator[RulesLine]:
    entries = _entries(orders)
    found = {order.pk: reached(order, entries[order.pk], rules, since=since, now=now) for order in orders}
    hits = {pk: one for pk, one in found.items() if one is not None}
    moments = {pk: one.strike.at for pk, one in hits.items()}
    lots = {kind: lots_then(kind, moments, without=TRIGGERS) for kind in KINDS}
    for order in orders:
        if order.pk in hits:
            mine = {kind: lots[kind].get(order.pk, []) for kind in KINDS}
            if any(lot.outstanding for used in mine.values() for lot in used):
                yield _line(order, hits[order.pk], mine, expired_lots)


def _entries(orders: Sequence[Order]) -> Mapping[int, list[JournalEntry]]:
    by_order: dict[int, list[JournalEntry]] = defaultdict(list)
    told = JournalEntry.unscoped.filter(order__in=[order.pk for order in orders]).order_by("id")
    for entry in told.only("order_id", "event", "actor", "data", "created_at"):
        by_order[entry.order_id or 0].append(entry)
    return by_order


def _line(order: Order, hit: Reached, used: Mapping[Kind, Sequence[UsedLot]], expired_lots: ExpiredRule) -> RulesLine:
    sums = {}
    for kind, verdict in hit.said.verdicts.items():
        choice = KindChoice(verdict.decision, target=verdict.target)
        plan = plan_kind(used[kind], choice, rule=expired_lots, now=hit.strike.at)
        if plan.used:
            sums[kind] = sums_of(plan)
    matched = {kind: verdict.matched for kind, verdict in hit.said.verdicts.items()}
    return RulesLine(order, hit.strike, sums, matched)
