"""What automatic cancelling would have done over the last days: a look back that writes nothing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Q, QuerySet

from loyalty.core.days import end_of_day, local_day
from loyalty.core.tags import tag_key
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount, Decision, KindChoice, KindPlan, Outcome, UsedLot, plan_kind
from loyalty.store_settings.sections import AutoCancelSettings, StoreSettings, current_settings
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Store
from orders.kinds import KINDS, currency_of
from orders.models import Order, PaymentStatus, light
from orders.services.automation.cancel_unpaid import Rule, rules_of
from orders.services.automation.expire_payments import patience
from orders.services.backtests.cancel_history import Strike, strike
from orders.services.backtests.histories import read_histories, used_then

BATCH: Final = 500
MOST_DAYS: Final = 365
PER_PAGE: Final = 50
TRIGGERS: Final = (Trigger.PAYMENT_EXPIRED, Trigger.PAYMENT_FAILED)


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
    """Orders that one trigger would have cancelled: how many, their totals by currency, and what they had used."""

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
    """One order that would have been cancelled, and what of each kind."""

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


def backtest(*, store: Store, auto_cancel: AutoCancelSettings, days: int, now: datetime, first: int = 0) -> Backtest:
    """What ``auto_cancel`` would have done to the store's orders in the last ``days`` local days, today included.

    Nothing is written; memory is bounded by the days and a page of :data:`PER_PAGE` orders that begins at ``first``.
    An order counts once, on the day of the first moment at which the settings would have cancelled it, if that moment
    is in those days; its lots are judged at that moment by the planner that the jobs use, with what the ledger says
    was out then.

    Assumed, because nothing recorded says otherwise: the order's due time, tags and total were what they are now; the
    store's skip tags are those saved now; the cancel came at the very moment it was due; an order is known from when
    it arrived here; one on hold is left alone. What automatic cancelling really did to an order is as if it were not,
    and so are decisions people took after that moment. A payment that our own window set to Expired is judged by the
    window that is tried, and a declined card that no other followed by the grace that is tried (E10).
    """
    return _Run(store, replace(current_settings(store), auto_cancel=auto_cancel), days, now, first).result()


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


class _Run:
    """One look back: what it asks for, and what it has counted so far."""

    def __init__(self, store: Store, settings: StoreSettings, days: int, now: datetime, first: int) -> None:
        self.store, self.settings, self.now = store, settings, now
        self.counted = Counted(store, TRIGGERS, days, now, first)
        self.begin = self.counted.begin
        self.rules = {rule.trigger: rule for rule in rules_of(store, settings)}
        self.skip_tags = {tag_key(tag) for tag in settings.spent_revert.skip_tags}

    def result(self) -> Backtest:
        for orders in newest_first(self._candidates()) if self.rules else ():
            for line in self._judge(orders):
                self.counted.add(line)
        return self.counted.result()

    def _candidates(self) -> "QuerySet[Order]":
        """Orders whose moment may lie in those days; the rest is told by their history."""
        auto = self.settings.auto_cancel
        since = self.begin - patience(auto)
        changed, arrived = Q(payment_changed_at__gte=since), Q(created_at__gte=since)
        due = Q(payment_due_at__gte=self.begin)
        if auto.payment_window is not None:
            due |= Q(payment_due_at__isnull=True, placed_at__gte=self.begin - auto.payment_window)
        waiting = Q(payment_status__in=(PaymentStatus.PENDING, PaymentStatus.EXPIRED, PaymentStatus.FAILED))
        mine = Order.objects.for_store(self.store).filter(is_test=False, arrived_late=False, held_at__isnull=True)
        return mine.filter(changed | (waiting & (arrived | due | Q(attempt_failed_at__gte=since))))

    def _judge(self, orders: Sequence[Order]) -> Iterator[Line]:
        histories = read_histories(orders)
        found = {pk: strike(history, self.settings.auto_cancel, now=self.now) for pk, history in histories.items()}
        strikes = {pk: one for pk, one in found.items() if one is not None and one.at >= self.begin}
        moments = {pk: one.at for pk, one in strikes.items()}
        used = {kind: used_then(kind, moments) for kind in KINDS}
        for order in orders:
            if order.pk in strikes:
                mine = {kind: used[kind].get(order.pk, []) for kind in KINDS}
                yield self._line(order, strikes[order.pk], mine)

    def _line(self, order: Order, one: Strike, used: Mapping[Kind, Sequence[UsedLot]]) -> Line:
        rule = self.rules[one.trigger]
        choice = KindChoice(self._decision(rule, order))
        plans = {kind: plan_kind(used[kind], choice, rule=rule.expired_lots, now=one.at) for kind in KINDS}
        return Line(order, one, {kind: sums_of(plan) for kind, plan in plans.items() if plan.used})

    def _decision(self, rule: Rule, order: Order) -> Decision:
        if rule.mode == "cancel":
            return Decision.DEFER
        return Decision.SKIP if self.skip_tags & set(order.tag_keys) else Decision.RETURN


def sums_of(plan: KindPlan) -> Sums:
    """What a plan returns, and what it does not because of what."""
    lost = {outcome: _amount(plan, outcome) for outcome in (Outcome.EXPIRED, Outcome.BLOCKED)}
    expired, blocked = lost[Outcome.EXPIRED], lost[Outcome.BLOCKED]
    return Sums(plan.returns, expired, blocked, plan.remains - expired - blocked)


def _amount(plan: KindPlan, outcome: Outcome) -> Amount:
    return sum((lot.amount for lot in plan.lots if lot.outcome is outcome), start=0)
