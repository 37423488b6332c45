"""Cancelling orders whose payment expired or failed, by each store's rules (E2-E9, F1, F2).

The state of an order is the queue: a sweep finds what is due by query, so nothing depends on a message arriving.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet, prefetch_related_objects

from loyalty.core.clock import Clock, ticking
from loyalty.core.tags import first_match
from loyalty.database.named_stores import in_stores
from loyalty.jobs.problems import by_halves, set_aside, solved
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Decision, ExpiredRule
from loyalty.store_settings.sections import AutoCancel, StoreSettings, settings_of
from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.stores.models import Store
from orders.kinds import KINDS, decision
from orders.models import FINAL_DECISIONS, Order, PaymentStatus, Problem, cancellable
from orders.services.automation.claim_unpaid import claim_unpaid, waiting_statuses
from orders.services.reverts.apply import Details, Work, apply_works
from orders.services.reverts.choices import ResolvedChoice
from orders.services.reverts.plans import OrderPlan, UsedByKind, load_used, plan_order
from orders.services.rules.trace import BY_PERSON, Matched, MatchedBy

JOB: Final = "orders.auto_cancel"
# Large enough that a batch costs little more than its rows, small enough to hold locks for well under a second.
BATCH: Final = 400


@dataclass(frozen=True)
class Rule:
    """What one store does with one payment status."""

    store: Store
    settings: StoreSettings
    payment_status: PaymentStatus
    mode: AutoCancel
    trigger: Trigger
    expired_lots: ExpiredRule
    grace: timedelta = timedelta()

    @cached_property
    def matched(self) -> Matched:
        """That the store's setting decided."""
        return Matched(MatchedBy.SETTING, f"auto_cancel.{self.payment_status}")


def auto_cancel(now: datetime) -> dict[str, int]:
    """Cancel every order that is due at ``now``, in batches; answers how many, and how many not (E7).

    May run in several workers at once and be killed at any moment (E8): a batch is one transaction, its orders are
    claimed with SKIP LOCKED and read again under the lock (E6).
    """
    counts = {"cancelled": 0, "failed": 0}
    clock = ticking(now)
    queues = [_Queue(rules) for rules in _alike(_rules())]
    while queues:
        queues = [queue for queue in queues if queue.go_on(clock, counts)]
    return counts


@dataclass(slots=True)
class _Queue:
    """What is due by rules that are alike. A store that has had its turn waits for the others, however much it has."""

    rules: list[Rule]
    had: set[int] = field(default_factory=set)

    def go_on(self, clock: Clock, counts: dict[str, int]) -> bool:
        """Cancel the next batch; False when nothing is due any more."""
        waiting = [rule for rule in self.rules if rule.store.pk not in self.had]
        if waiting and (stores := cancel_batch(waiting, clock, counts)):
            self.had |= stores
            return True
        had_somebody, self.had = bool(self.had), set()
        return had_somebody


def due_orders(rule: Rule, now: datetime) -> "QuerySet[Order]":
    """The orders this rule would cancel at ``now``, without those that are set aside after an error."""
    return _due([rule], now)


def _due(rules: Sequence[Rule], now: datetime) -> "QuerySet[Order]":
    """As :func:`due_orders`, for rules of several stores that are alike."""
    stores = [rule.store.pk for rule in rules]
    ripe = Q(payment_changed_at__isnull=True) | Q(payment_changed_at__lte=now - rules[0].grace)
    orders = Order.unscoped.filter(cancellable(payment_status=rules[0].payment_status), ripe, store__in=stores)
    return orders.filter(~set_aside(Problem, JOB, now))


def due_by_store_rules(now: datetime) -> "Iterator[QuerySet[Order]]":
    """All that is due at ``now``, for whoever watches; to be asked while every store is named."""
    for rules in _alike(_rules()):
        yield _due(rules, now).order_by()


def rules_of(store: Store, settings: StoreSettings) -> list[Rule]:
    """What the store does with expired and with failed payments, leaving out what it has switched off (E2, F1)."""
    auto = settings.auto_cancel
    expired = Rule(
        store,
        settings,
        PaymentStatus.EXPIRED,
        auto.expired,
        Trigger.PAYMENT_EXPIRED,
        ExpiredRule(auto.expired_lots.payment_expired),
    )
    failed = Rule(
        store,
        settings,
        PaymentStatus.FAILED,
        auto.failed,
        Trigger.PAYMENT_FAILED,
        ExpiredRule(auto.expired_lots.payment_failed),
        timedelta(minutes=auto.failed_grace_minutes),
    )
    return [rule for rule in (expired, failed) if rule.mode != "off"]


def _rules() -> Iterator[Rule]:
    """The rules by which an order may be waiting."""
    waiting = waiting_statuses()
    settings = settings_of({store_id for store_id, _ in waiting})
    stores = Store.objects.in_bulk(
        {store_id for store_id, status in waiting if settings[store_id].auto_cancel.mode(status) != "off"}
    )
    for store in stores.values():
        yield from (rule for rule in rules_of(store, settings[store.pk]) if (store.pk, rule.payment_status) in waiting)


def _alike(rules: Iterable[Rule]) -> list[list[Rule]]:
    """The rules of all stores, those together that find their orders by the same payment status and grace."""
    alike: dict[tuple[str, timedelta], list[Rule]] = defaultdict(list)
    for rule in rules:
        alike[rule.payment_status, rule.grace].append(rule)
    return list(alike.values())


@transaction.atomic
def cancel_batch(rules: Sequence[Rule], clock: Clock, counts: dict[str, int], *, size: int = 0) -> set[int]:
    """Cancel the next orders that are due by these rules, one a store, with one payment status and grace.

    As many as ``size`` says, else as a batch has. Adds to ``counts`` and answers whose orders it looked at: none when
    nothing is due.
    """
    by_store, now, alike = {rule.store.pk: rule for rule in rules}, clock(), rules[0]
    ripe_since, size = now - alike.grace, size or BATCH
    orders = claim_unpaid(by_store, alike.payment_status, changed_by=ripe_since, job=JOB, now=now, size=size)
    # Read under the locks: what lapsed while they were waited for is not valid any more.
    now = clock()
    if orders:
        told = [order for order in orders if by_store[order.store_id].settings.notify.on_automatic]
        with in_stores(order.store_id for order in told):
            prefetch_related_objects(told, "customer")
        failed = by_halves(Problem, orders, lambda part: _cancel(part, by_store, now), job=JOB, now=now)
        counts["failed"] += failed
        counts["cancelled"] += len(orders) - failed
    return {order.store_id for order in orders}


def _cancel(orders: Sequence[Order], rules: Mapping[int, Rule], now: datetime) -> None:
    used = load_used([order.pk for order in orders])
    works = {store_id: _work(rules[store_id], now) for store_id in {order.store_id for order in orders}}
    apply_works([(_plan(order, rules[order.store_id], used, now), works[order.store_id]) for order in orders])
    solved(Problem, orders, job=JOB)


def _work(rule: Rule, now: datetime) -> Work:
    details = Details(notify_customer=rule.settings.notify.on_automatic)
    return Work(rule.store, rule.settings, details, Act(Actor.job(JOB), rule.trigger, now), cancels=True)


def _plan(order: Order, rule: Rule, used: UsedByKind, now: datetime) -> OrderPlan:
    decisions = {kind: _decision(order, kind, rule) for kind in KINDS}
    return plan_order(
        order,
        ResolvedChoice({kind: decision for kind, (decision, _) in decisions.items()}),
        used,
        store=rule.store,
        rule=rule.expired_lots,
        now=now,
        matched={kind: matched for kind, (_, matched) in decisions.items()},
    )


def _decision(order: Order, kind: Kind, rule: Rule) -> tuple[Decision, Matched]:
    if decision(order, kind) in FINAL_DECISIONS:
        return Decision.DECLINE, BY_PERSON
    if rule.mode == "cancel":
        return Decision.DEFER, rule.matched
    skip_tag = first_match(rule.settings.spent_revert.skip_tags, order.tag_keys)
    return (
        (Decision.RETURN, rule.matched) if skip_tag is None else (Decision.SKIP, Matched(MatchedBy.SKIP_TAG, skip_tag))
    )
