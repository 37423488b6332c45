"""What an order draws on tells it when it expires, from now on; orders of before are told by the next migration there."""

from django.db import migrations
from pgtrigger.compiler import Trigger, UpsertTriggerSql
from pgtrigger.migrations import AddTrigger

TELLS_ORDER = """
UPDATE orders_order AS drawing SET first_expiry = lot.expires_at
FROM points_pointlot AS lot
WHERE drawing.id = NEW.order_id AND lot.id = NEW.lot_id
    AND (drawing.first_expiry > lot.expires_at OR drawing.first_expiry IS NULL AND lot.expires_at IS NOT NULL);
RETURN NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("points", "0010_balance_imports"), ("orders", "0034_first_expiry")]

    operations = [
        AddTrigger(
            "pointallocation",
            Trigger(
                name="tells_order",
                sql=UpsertTriggerSql(
                    pgid="pgtrigger_tells_order_774d6",
                    table="points_pointallocation",
                    when="AFTER",
                    operation='INSERT OR UPDATE OF "order_id"',
                    condition='WHEN (NEW."order_id" IS NOT NULL)',
                    func=TELLS_ORDER,
                ),
            ),
        )
    ]
