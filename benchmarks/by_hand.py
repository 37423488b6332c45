"""The order list's page by hand: for each of its filters what somebody would write in SQL (O4)."""

from typing import Any, Final

from django.db import connection

from loyalty.core.clock import read_clock
from loyalty.stores.models import Store

PAGE: Final = 51
_DAY: Final = "%(value)s::date::timestamp AT TIME ZONE %(zone)s"
_NEXT_DAY: Final = "(%(value)s::date + 1)::timestamp AT TIME ZONE %(zone)s"
_TRIGGERS: Final = {
    "staff": ["admin", "bulk"],
    "automatic": ["payment_expired", "payment_failed"],
    "api": ["api"],
    "platform": ["platform"],
}
_CONDITIONS: Final = {
    "status": "status = %(value)s",
    "payment_status": "payment_status = %(value)s",
    "credit_revert_status": "credit_revert_status = %(value)s",
    "points_revert_status": "points_revert_status = %(value)s",
    "needs_revert": "needs_revert",
    "decision": "(credits_decision = %(value)s OR points_decision = %(value)s)",
    "partial": "completeness = 'partial'",
    "paid_after_cancellation": "paid_after_cancellation",
    "open_on_platform": "status = 'cancelled' AND platform_data -> 'is_open' = 'true'",
    "deleted_on_platform": "platform_deleted_at IS NOT NULL",
    "failed_after_payment": "payment_status = 'failed' AND paid_before AND status <> 'cancelled'",
    "tags": "id IN (SELECT orders_tagged(%(store)s, ARRAY[%(value)s]::varchar[]))",
    "placed_from": f"placed_at >= {_DAY}",
    "placed_to": f"placed_at < {_NEXT_DAY}",
    "cancelled_from": f"status = 'cancelled' AND cancelled_at >= {_DAY}",
    "cancelled_to": f"status = 'cancelled' AND cancelled_at < {_NEXT_DAY}",
    "cancelled_by": "status = 'cancelled' AND cancelled_by = ANY(%(triggers)s)",
    "bulk": "id IN (SELECT order_id FROM orders_bulkitem WHERE store_id = %(store)s AND bulk_id = %(value)s::bigint)",
    "not_reverted": "(credit_revert_status = 'not_reverted' OR points_revert_status = 'not_reverted')",
    "expired_lots": "first_expiry <= %(now)s",
    "reversed_code": (
        "id IN (SELECT order_id FROM orders_codeuse"
        " WHERE store_id = %(store)s AND outcome IN ('after_return', 'used_before') AND settled_at IS NULL)"
    ),
    "customer": "customer_id = %(value)s::bigint",
}
_NEWEST: Final = "shown.placed_at DESC, shown.id DESC"
# Since when an order of the queue waits (B2).
_LONGEST: Final = (
    "coalesce(shown.cancelled_at, CASE WHEN shown.payment_status = 'refunded' THEN shown.payment_changed_at END,"
    " shown.platform_deleted_at, shown.payment_changed_at, shown.placed_at), shown.id"
)
# From an index of the order that is shown, or what fits first: whichever is faster is the reference.
_WAYS: Final = (
    "SELECT * FROM orders_order AS shown WHERE store_id = %(store)s AND {condition} ORDER BY {order} LIMIT {page}",
    (
        "WITH fits AS MATERIALIZED (SELECT * FROM orders_order WHERE store_id = %(store)s AND {condition})"
        " SELECT * FROM fits AS shown ORDER BY {order} LIMIT {page}"
    ),
)
# The customers of the orders that are shown, and of no others.
_WITH_CUSTOMERS: Final = """
WITH shown AS ({way})
SELECT * FROM shown LEFT JOIN stores_customer AS customer ON customer.id = shown.customer_id ORDER BY {order}
"""
WAYS: Final = range(len(_WAYS))


def page_by_hand(way: int, store: Store, name: str, value: str) -> list[int]:
    """Read the rows of the page whose filter has this value; their ids."""
    order = _LONGEST if name == "needs_revert" else _NEWEST
    page = _WAYS[way].format(condition=_CONDITIONS[name], order=order, page=PAGE)
    statement = _WITH_CUSTOMERS.format(way=page, order=order)
    names: dict[str, Any] = {"store": store.pk, "value": value, "zone": store.time_zone, "now": read_clock()}
    with connection.cursor() as cursor:
        cursor.execute(statement, names | {"triggers": _TRIGGERS.get(value)})
        return [row[0] for row in cursor.fetchall()]
