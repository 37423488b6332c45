"""The queue of orders whose payment fell through: which stores have any, and the next ones of it, locked (E6).

Asked by every sweep, whether there is much to do or one order, so it is written out (ADR 0073).
"""

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Final

from django.db import connection

from loyalty.database.prepared import Columns, ask, in_words
from orders.kinds import KINDS
from orders.models import AUTO_CANCELLABLE, Order, PaymentStatus, cancellable

# What a plan, its writing and its letter look at.
_ORDER: Final = Columns(
    Order,
    "orders_order",
    only=(
        "id",
        "store_id",
        "number",
        "platform",
        "external_id",
        "customer_id",
        "currency",
        "status",
        "payment_status",
        "total",
        "refunded_total",
        "tag_keys",
        "version",
        "points_earned",
        "points_taken_back",
        "points_not_taken",
        *(f"{kind}_{fact}" for kind in KINDS for fact in ("applied", "reverted", "decision")),
    ),
)
# Each pair of store and status with one look into the index, however many orders it has.
_WAITING: Final = """
WITH RECURSIVE waiting AS (
    (SELECT store_id, payment_status FROM orders_order WHERE {waits} ORDER BY store_id, payment_status LIMIT 1)
    UNION ALL
    SELECT following.store_id, following.payment_status FROM waiting, LATERAL (
        SELECT store_id, payment_status FROM orders_order
        WHERE {waits} AND (store_id, payment_status) > (waiting.store_id, waiting.payment_status)
        ORDER BY store_id, payment_status LIMIT 1
    ) AS following
)
SELECT store_id, payment_status FROM waiting
"""
# Planned for its values: a plan for any number of stores sorts all that is due for each batch.
_CLAIM: Final = """
SELECT {columns} FROM orders_order
WHERE {waits} AND (payment_changed_at IS NULL OR payment_changed_at <= %s::timestamptz) AND store_id = ANY(%s::bigint[])
AND NOT EXISTS (
    SELECT FROM orders_problem AS problem
    WHERE problem.order_id = orders_order.id AND problem.job = %s AND problem.next_attempt_at > %s::timestamptz
)
ORDER BY store_id, id LIMIT %s
FOR NO KEY UPDATE OF orders_order SKIP LOCKED
"""


def waiting_statuses() -> set[tuple[int, PaymentStatus]]:
    """Which stores have orders that may be cancelled by themselves, and by which status. Asked of all stores."""
    return {(store_id, PaymentStatus(status)) for store_id, status in ask(_waiting()).rows()}


def claim_unpaid(
    store_ids: Collection[int], status: PaymentStatus, *, changed_by: datetime, job: str, now: datetime, size: int
) -> list[Order]:
    """The next ``size`` orders of these stores whose payment has had this status since ``changed_by``, locked.

    Without those that somebody else holds, and those that ``job`` has set aside after an error.
    """
    with connection.cursor() as cursor:
        cursor.execute(_claim(status), [changed_by, list(store_ids), job, now, size])
        return [_ORDER.read(row) for row in cursor.fetchall()]


@cache
def _waiting() -> str:
    return _WAITING.format(waits=in_words(Order, AUTO_CANCELLABLE))


@cache
def _claim(status: PaymentStatus) -> str:
    return _CLAIM.format(columns=_ORDER.sql, waits=in_words(Order, cancellable(payment_status=status)))
