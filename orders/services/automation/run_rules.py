"""Carrying out the spent-revert rules on orders that changed from outside (N2-N6).

The state of an order is the queue: ``rules_due_at`` says when it is to be looked at (0013).
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, prefetch_related_objects

from loyalty.core.clock import Clock, ticking
from loyalty.jobs.problems import by_halves, set_aside, solved
from loyalty.journal.record import Happening, record
from loyalty.ledger.planner import ExpiredRule
from loyalty.store_settings.sections import StoreSettings, settings_of
from loyalty.stores.actors import Act, Actor, Trigger
from orders.kinds import KINDS, applied
from orders.models import Order, Problem
from orders.services.reverts.apply import RULES, Details, Work, apply_works
from orders.services.reverts.choices import ResolvedChoice
from orders.services.reverts.plans import OrderPlan, UsedByKind, load_used, plan_order
from orders.services.rules.decide import evaluate, worth_a_look
from orders.services.rules.schedule import JOB
from orders.services.rules.trace import decision_entry

ACTOR: Final = Actor.rule("spent_revert")
# As large as a batch of automatic cancelling, for the same reasons.
BATCH: Final = 400

# What the rules, a plan, its writing and its letter look at.
_NEEDED: Final = (
    "store",
    "number",
    "external_id",
    "platform",
    "customer_id",
    "currency",
    "status",
    "payment_status",
    "total",
    "refunded_total",
    "is_test",
    "tag_keys",
    "cancelled_by",
    "rules_due_at",
    "rules_news",
    "version",
    *(f"{kind}_{fact}" for kind in KINDS for fact in ("applied", "reverted", "decision")),
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rules say about one order, under the settings that governed."""

    plan: OrderPlan
    trigger: Trigger
    settings: StoreSettings


def evaluate_rules(now: datetime) -> dict[str, int]:
    """Look at every order that is due at ``now``; answers of how many orders value returned, and of how many not.

    May run in several workers at once and be killed at any moment: a batch is one transaction, its orders are claimed
    with SKIP LOCKED and read again under the lock, and settings, skip tags and expiries count as they are then (N3).
    """
    counts = {"returned": 0, "skipped": 0, "failed": 0}
    clock = ticking(now)
    had: set[int] = set()
    while True:
        stores, is_full = evaluate_batch(clock, counts, had)
        # A store that has had its turn waits for the others, however much it has.
        if is_full or (stores and had):
            had |= stores
        elif had:
            had.clear()
        else:
            return counts


@transaction.atomic
def evaluate_batch(clock: Clock, counts: dict[str, int], had: AbstractSet[int]) -> tuple[set[int], bool]:
    """Look at the next orders that are due, of stores that have not had their turn.

    Adds to ``counts``; answers whose orders these were, and whether there may be more.
    """
    orders, failed_before = _claim(clock(), had)
    # Read under the locks: what lapsed while they were waited for is not valid any more.
    now = clock()
    if orders:
        counts["failed"] += by_halves(
            Problem, orders, lambda part: _evaluate(part, failed_before, now, counts), job=JOB, now=now
        )
    return {order.store_id for order in orders}, len(orders) == BATCH


def _claim(now: datetime, had: AbstractSet[int]) -> tuple[list[Order], set[int]]:
    """The next orders that are due, and the ids of those among them that failed before."""
    due = Order.unscoped.filter(~set_aside(Problem, JOB, now), rules_due_at__lte=now).exclude(store__in=had)
    failed_before = Exists(Problem.unscoped.filter(order=OuterRef("pk"), job=JOB))
    due = due.annotate(failed_before=failed_before).order_by("rules_due_at", "pk")
    locked = due.select_related("store").select_for_update(of=("self",), no_key=True, skip_locked=True)
    orders = list(locked.only(*_NEEDED)[:BATCH])
    return orders, {order.pk for order in orders if order.failed_before}


def _evaluate(orders: Sequence[Order], failed_before: AbstractSet[int], now: datetime, counts: dict[str, int]) -> None:
    settings = settings_of({order.store_id for order in orders})
    used = load_used([order.pk for order in orders])
    judged = [_judge(order, settings[order.store_id], used, now) for order in orders]
    returning = [one for one in judged if one.plan.returns_anything]
    skipping = [one for one in judged if not one.plan.returns_anything]
    for trigger in RULES:
        _give_back([one for one in returning if one.trigger is trigger], now)
    _leave(skipping, now)
    if again := [order for order in orders if order.pk in failed_before]:
        solved(Problem, again, job=JOB)
    # Counted last: what is rolled back was not done.
    counts["returned"] += len(returning)
    counts["skipped"] += len(skipping)


def _judge(order: Order, settings: StoreSettings, used: UsedByKind, now: datetime) -> Judged:
    said = evaluate(order, settings.spent_revert)
    targets = {kind: verdict.target for kind, verdict in said.verdicts.items() if verdict.target is not None}
    plan = plan_order(
        order,
        ResolvedChoice({kind: said.verdicts[kind].decision for kind in KINDS}, targets=targets),
        used,
        store=order.store,
        rule=ExpiredRule(settings.auto_cancel.expired_lots.rules),
        now=now,
        matched={kind: said.verdicts[kind].matched for kind in KINDS},
    )
    return Judged(plan, said.trigger, settings)


def _give_back(judged: Sequence[Judged], now: datetime) -> None:
    told = [one.plan.order for one in judged if one.settings.notify.on_automatic]
    prefetch_related_objects(told, "customer")
    apply_works([(one.plan, _work(one, now)) for one in judged])


def _work(judged: Judged, now: datetime) -> Work:
    details = Details(notify_customer=judged.settings.notify.on_automatic)
    return Work(judged.plan.order.store, judged.settings, details, Act(ACTOR, judged.trigger, now), cancels=False)


def _leave(judged: Sequence[Judged], now: datetime) -> None:
    """Nothing returns: the orders stay as they are, with a trace of why (N6)."""
    if judged:
        record([trace for one in judged for trace in _traces(one)], actor=ACTOR, now=now)
        looked_at = [one.plan.order.pk for one in judged]
        Order.unscoped.filter(pk__in=looked_at).update(rules_due_at=None, rules_news=None)


def _traces(judged: Judged) -> list[Happening]:
    """One entry for each kind that was used; for an order that used nothing, for each that would have returned."""
    plan, order, rules = judged.plan, judged.plan.order, judged.settings.spent_revert
    if not worth_a_look(order, rules, repeated=False):
        return []
    used = [kind for kind in KINDS if applied(order, kind)] or [kind for kind in KINDS if kind in rules.kinds]
    return [
        decision_entry(
            order,
            kind,
            plan.kinds[kind],
            matched=plan.matched[kind],
            trigger=judged.trigger,
            settings_version=judged.settings.version,
        )
        for kind in used
    ]
