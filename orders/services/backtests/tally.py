"""What a look back counts: orders day by day and by what reached them, and one page of them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import QuerySet

from loyalty.core.days import end_of_day, local_day
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount, KindPlan, Outcome
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Store
from orders.kinds import currency_of
from orders.models import Order, light
from orders.services.backtests.cancel_history import Strike

BATCH: Final = 500
MOST_DAYS: Final = 365
PER_PAGE: Final = 50


@dataclass(slots=True)
class Sums:
    """Amounts of one kind and currency: what comes back, and what does not because of what.

    ``expired`` lots, lots ``blocked`` by an expired one (E3), and what is ``left`` because the rule only cancels or a
    skip tag is on the order.
    """

    returned: Amount = 0
    expired: Amount = 0
    blocked: Amount = 0
    left: Amount = 0

    @property
    def not_returned(self) -> Amount:
        """All that does not come back."""
        return self.expired + self.blocked + self.left

    def add(self, other: "Sums") -> None:
        """Add ``other``."""
        self.returned += other.returned
        self.expired += other.expired
        self.blocked += other.blocked
        self.left += other.left


@dataclass(slots=True)
class Tally:
    """Orders that one trigger would have reached: how many, their totals by currency, and what they had used."""

    orders: int = 0
    value: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    kinds: dict[tuple[Kind, str], Sums] = field(default_factory=lambda: defaultdict(Sums))

    def add(self, other: "Tally") -> None:
        """Add ``other``."""
        self.orders += other.orders
        for currency, total in other.value.items():
            self.value[currency] += total
        for key, sums in other.kinds.items():
            self.kinds[key].add(sums)


ByTrigger = Mapping[Trigger, Tally]


@dataclass(frozen=True, slots=True)
class Line:
    """One order that would have been reached, and what of each kind."""

    order: Order
    strike: Strike
    sums: Mapping[Kind, Sums]


@dataclass(frozen=True, slots=True)
class Backtest:
    """What would have happened: per local day (every day, oldest first), and one page of the orders, newest first."""

    days: Mapping[date, ByTrigger]
    totals: ByTrigger
    lines: Sequence[Line]
    more: bool


def new_tallies(triggers: Iterable[Trigger]) -> dict[Trigger, Tally]:
    """A tally for each trigger, with nothing in it."""
    return {trigger: Tally() for trigger in triggers}


class Counted:
    """What a look back has found so far, day by day and one page of orders."""

    def __init__(self, store: Store, triggers: Sequence[Trigger], days: int, now: datetime, first: int) -> None:
        self.store, self.triggers, self.first = store, triggers, first
        today = local_day(now, store.tz)
        self.days = {today - timedelta(days=back): new_tallies(triggers) for back in reversed(range(days))}
        self.begin = end_of_day(today - timedelta(days=days), store.tz)
        self.lines: list[Line] = []
        self.seen = 0

    def add(self, line: Line) -> None:
        """Count one order on the day on which it would have been reached."""
        order, tally = line.order, self.days[local_day(line.strike.at, self.store.tz)][line.strike.trigger]
        tally.orders += 1
        tally.value[order.currency] += order.total
        for kind, sums in line.sums.items():
            tally.kinds[kind, currency_of(order, kind)].add(sums)
        if self.first <= self.seen < self.first + PER_PAGE:
            self.lines.append(line)
        self.seen += 1

    def result(self) -> Backtest:
        """All that was counted."""
        totals = new_tallies(self.triggers)
        for tallies in self.days.values():
            for trigger, tally in tallies.items():
                totals[trigger].add(tally)
        return Backtest(self.days, totals, self.lines, self.seen > self.first + PER_PAGE)


def newest_first(orders: "QuerySet[Order]") -> Iterator[list[Order]]:
    """The orders with their customers in batches of bounded size."""
    orders = light(orders).select_related("customer").order_by("-pk")
    rest = orders
    while batch := list(rest[:BATCH]):
        yield batch
        rest = orders.filter(pk__lt=batch[-1].pk)


def sums_of(plan: KindPlan) -> Sums:
    """What a plan returns, and what it does not because of what."""
    lost = {outcome: _amount(plan, outcome) for outcome in (Outcome.EXPIRED, Outcome.BLOCKED)}
    expired, blocked = lost[Outcome.EXPIRED], lost[Outcome.BLOCKED]
    return Sums(plan.returns, expired, blocked, plan.remains - expired - blocked)


def _amount(plan: KindPlan, outcome: Outcome) -> Amount:
    return sum((lot.amount for lot in plan.lots if lot.outcome is outcome), start=0)
