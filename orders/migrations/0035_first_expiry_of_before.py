"""Orders of before are told when the first of the lots that they drew on expires; no value moves.

A batch is a transaction of its own and locks its orders as everybody does, so that the shop goes on; carried out again,
it finds what is done.
"""

from django.db import migrations, models
from django.db.models import Q

from loyalty.database.migrating.indexes import AddIndexOnline

BATCH = 2000
TOLD = """
WITH drawing AS (
    SELECT id FROM orders_order
    WHERE id > %(after)s AND id <= %(until)s AND (credits_applied > 0 OR points_applied > 0)
    ORDER BY id FOR NO KEY UPDATE
), used AS (
    SELECT order_id, expires_at FROM credits_creditallocation JOIN credits_creditlot AS lot ON lot.id = lot_id
    WHERE order_id IN (SELECT id FROM drawing)
    UNION ALL
    SELECT order_id, expires_at FROM points_pointallocation JOIN points_pointlot AS lot ON lot.id = lot_id
    WHERE order_id IN (SELECT id FROM drawing)
)
UPDATE orders_order SET first_expiry = first.expires_at
FROM (SELECT order_id, min(expires_at) AS expires_at FROM used GROUP BY order_id) AS first
WHERE orders_order.id = first.order_id AND orders_order.first_expiry IS DISTINCT FROM first.expires_at
"""


def tell_orders(apps, schema_editor):
    """Tell every order, batch by batch."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM orders_order")
        (last,) = cursor.fetchone()
        for after in range(0, last, BATCH):
            cursor.execute(TOLD, {"after": after, "until": after + BATCH})


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("orders", "0034_first_expiry"),
        ("credits", "0011_tells_order"),
        ("points", "0011_tells_order"),
    ]

    operations = [
        migrations.RunPython(tell_orders, migrations.RunPython.noop),
        AddIndexOnline(
            "order",
            models.Index("store", "first_expiry", condition=Q(first_expiry__isnull=False), name="order_first_expiry"),
        ),
    ]
