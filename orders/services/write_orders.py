"""Writing many orders at once, in one statement however many they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from loyalty.database.bulk import array
from loyalty.database.prepared import Answer, ask, when_answered
from orders.models import Order, OrderStatus
from orders.models.order import GENERATED


@dataclass(frozen=True, slots=True)
class OrderChange:
    """What a cancel or return changes on one order: what came back, what was decided, whether it is cancelled now.

    ``evaluated``: the rules have looked at it. ``deferred``: a kind is left for later by this, so that only what comes
    from outside after it counts as new (N4).
    """

    order: Order
    credits: Decimal
    points: int
    credits_decision: str
    points_decision: str
    cancels: bool
    evaluated: bool = False
    deferred: bool = False

    @property
    def forgets_news(self) -> bool:
        """Whether what came from outside before counts no longer."""
        return self.evaluated or self.deferred


_WRITE: Final = """
UPDATE orders_order SET
    credits_reverted = credits_reverted + change.credits,
    points_reverted = points_reverted + change.points,
    credits_decision = change.credits_decision,
    points_decision = change.points_decision,
    status = CASE WHEN change.cancels THEN 'cancelled' ELSE status END,
    cancelled_at = CASE WHEN change.cancels THEN %(now)s ELSE cancelled_at END,
    cancelled_by = CASE WHEN change.cancels THEN %(trigger)s ELSE cancelled_by END,
    cancel_reason = CASE WHEN change.cancels THEN %(reason)s ELSE cancel_reason END,
    rules_due_at = CASE WHEN change.evaluated THEN NULL ELSE rules_due_at END,
    rules_news = CASE WHEN change.forgets_news THEN NULL ELSE rules_news END,
    version = version + 1,
    updated_at = %(now)s
FROM unnest(%(ids)s::bigint[], %(credits)s::numeric[], %(points)s::bigint[], %(credits_decision)s::text[],
    %(points_decision)s::text[], %(cancels)s::boolean[], %(evaluated)s::boolean[], %(forgets_news)s::boolean[])
    AS change (id, credits, points, credits_decision, points_decision, cancels, evaluated, forgets_news)
WHERE orders_order.id = change.id
RETURNING orders_order.id, {answered}
""".replace("{answered}", ", ".join(f"orders_order.{column}" for column in GENERATED))


def write_changes(changes: Sequence[OrderChange], *, trigger: str, reason: str, now: datetime) -> None:
    """Write ``changes`` and bring their order objects up to date; callers hold the orders' locks.

    What the database derives is known once it has answered (:func:`~loyalty.database.prepared.together`).
    """
    written = ask(
        _WRITE,
        {
            "now": now,
            "trigger": trigger,
            "reason": reason,
            "ids": array(change.order.pk for change in changes),
            "credits": array(change.credits for change in changes),
            "points": array(change.points for change in changes),
            "credits_decision": array(change.credits_decision for change in changes),
            "points_decision": array(change.points_decision for change in changes),
            "cancels": array(change.cancels for change in changes),
            "evaluated": array(change.evaluated for change in changes),
            "forgets_news": array(change.forgets_news for change in changes),
        },
    )
    for change in changes:
        _bring_up_to_date(change, trigger, reason, now)
    when_answered(lambda: _take_over_derived(changes, written))


def _take_over_derived(changes: Sequence[OrderChange], written: Answer) -> None:
    derived = {row[0]: row[1:] for row in written.rows()}
    for change in changes:
        change.order.__dict__.update(zip(GENERATED, derived[change.order.pk], strict=True))


def _bring_up_to_date(change: OrderChange, trigger: str, reason: str, now: datetime) -> None:
    order = change.order
    if change.cancels:
        order.status, order.cancelled_at = OrderStatus.CANCELLED.value, now
        order.cancelled_by, order.cancel_reason = trigger, reason
    order.credits_reverted += change.credits
    order.points_reverted += change.points
    order.credits_decision, order.points_decision = change.credits_decision, change.points_decision
    if change.evaluated:
        order.rules_due_at = None
    if change.forgets_news:
        order.rules_news = None
    order.version += 1
    order.updated_at = now
