"""Writing many orders at once, in one statement however many they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import connection

from orders.models import Order


@dataclass(frozen=True, slots=True)
class OrderChange:
    """What a cancel or return changes on one order: what came back, what was decided, whether it is cancelled now."""

    order: Order
    credits: Decimal
    points: int
    credits_decision: str
    points_decision: str
    cancels: bool


# Read back after the write: what the database generates, and what the statement computes.
_ANSWERED: Final = (
    "status",
    "cancelled_at",
    "cancelled_by",
    "cancel_reason",
    "credits_reverted",
    "points_reverted",
    "credits_decision",
    "points_decision",
    "credit_revert_status",
    "points_revert_status",
    "completeness",
    "needs_revert",
    "version",
    "updated_at",
)

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
    version = version + 1,
    updated_at = %(now)s
FROM unnest(%(ids)s::bigint[], %(credits)s::numeric[], %(points)s::bigint[], %(credits_decision)s::text[],
    %(points_decision)s::text[], %(cancels)s::boolean[])
    AS change (id, credits, points, credits_decision, points_decision, cancels)
WHERE orders_order.id = change.id
RETURNING orders_order.id, {answered}
""".replace("{answered}", ", ".join(f"orders_order.{column}" for column in _ANSWERED))


def write_changes(changes: Sequence[OrderChange], *, trigger: str, reason: str, now: datetime) -> None:
    """Write ``changes`` and bring their order objects up to date; callers hold the orders' locks."""
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "now": now,
                "trigger": trigger,
                "reason": reason,
                "ids": [change.order.pk for change in changes],
                "credits": [change.credits for change in changes],
                "points": [change.points for change in changes],
                "credits_decision": [change.credits_decision for change in changes],
                "points_decision": [change.points_decision for change in changes],
                "cancels": [change.cancels for change in changes],
            },
        )
        answered = {row[0]: row[1:] for row in cursor.fetchall()}
    for change in changes:
        for column, value in zip(_ANSWERED, answered[change.order.pk], strict=True):
            setattr(change.order, column, value)
