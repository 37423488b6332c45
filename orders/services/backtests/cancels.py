"""What automatic cancelling would have done over the last days: a look back that writes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from django.db.models import Q, QuerySet

from loyalty.core.tags import tag_key
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Decision, KindChoice, UsedLot, plan_kind
from loyalty.store_settings.sections import AutoCancelSettings, StoreSettings, current_settings
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Store
from orders.kinds import KINDS
from orders.models import Order, PaymentStatus
from orders.services.automation.cancel_unpaid import Rule, rules_of
from orders.services.automation.expire_payments import patience
from orders.services.backtests.cancel_history import Strike, strike
from orders.services.backtests.histories import read_histories, used_then
from orders.services.backtests.tally import Backtest, Counted, Line, newest_first, sums_of

TRIGGERS: Final = (Trigger.PAYMENT_EXPIRED, Trigger.PAYMENT_FAILED)


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
