"""Codes that orders used before R7 become points spent on those orders, once; nothing returns and no value moves.

In batches, each a transaction of its own, and safe to run again after it was interrupted: what has an outcome is done.
It cannot be taken back: by then some of these points may have been returned through their orders.
"""

from typing import Any

from django.db import migrations
from django.utils import timezone

_BATCH = 2000

_END = """
UPDATE orders_redemption SET ended_at = reversed_at
WHERE id IN (SELECT id FROM orders_redemption WHERE reversed_at IS NOT NULL AND ended_at IS NULL LIMIT %s)
"""

_LINK = """
WITH batch AS (
    SELECT use.id, use.order_id, redemption.id AS redemption_id, redemption.code, redemption.customer_id,
        redemption.points, redemption.points_returned,
        CASE WHEN use.after_reversal THEN 'after_return' WHEN redemption.used_order_id = use.order_id THEN 'used'
            ELSE 'used_before' END AS outcome
    FROM orders_codeuse AS use JOIN orders_redemption AS redemption ON redemption.id = use.redemption_id
    WHERE use.outcome = '' ORDER BY use.id LIMIT %s
), decided AS (
    UPDATE orders_codeuse AS use SET outcome = batch.outcome FROM batch WHERE use.id = batch.id
), linked AS (
    UPDATE points_pointallocation AS allocation SET order_id = batch.order_id
    FROM batch WHERE batch.outcome = 'used' AND allocation.redemption_id = batch.redemption_id
), used AS (
    SELECT order_id, min(customer_id) FILTER (WHERE outcome = 'used') AS customer_id,
        coalesce(sum(points) FILTER (WHERE outcome = 'used'), 0) AS points,
        coalesce(sum(points_returned) FILTER (WHERE outcome = 'used'), 0) AS returned,
        jsonb_agg(jsonb_build_object('redemption', redemption_id::text, 'code', code, 'points',
            CASE outcome WHEN 'used' THEN points ELSE 0 END) ORDER BY redemption_id) AS codes
    FROM batch GROUP BY order_id
), told AS (
    UPDATE orders_order AS orders SET points_applied = points_applied + used.points,
        points_reverted = points_reverted + used.returned, codes = orders.codes || used.codes,
        customer_id = coalesce(orders.customer_id, used.customer_id), version = version + 1, updated_at = %s
    FROM used WHERE orders.id = used.order_id
)
SELECT count(*) FROM batch
"""


def link(apps: Any, editor: Any) -> None:
    """End the codes that were reversed, and make the used ones the orders'."""
    with editor.connection.cursor() as cursor:
        cursor.execute(_END, [_BATCH])
        while cursor.rowcount:
            cursor.execute(_END, [_BATCH])
        linked = _BATCH
        while linked == _BATCH:
            cursor.execute(_LINK, [_BATCH, timezone.now()])
            linked = cursor.fetchone()[0]


class Migration(migrations.Migration):
    """Each batch is committed by itself."""

    atomic = False

    dependencies = [
        ("orders", "0020_codes_pay_for_orders"),
        ("points", "0008_codes_pay_for_orders"),
        ("credits", "0008_codes_pay_for_orders"),
    ]

    operations = [migrations.RunPython(link)]
