"""What was kept of the platforms' own words fills the new columns: of payments, of deleting, and what was paid once.

No value moves and no status changes. Ten thousand orders at a time, each batch a transaction of its own; run again, it
comes to the same. Backwards only the time of deleting is put back where it was; the columns go with the one before.
"""

from django.db import migrations

_BATCH = 10_000
_LAST = "SELECT max(id) FROM orders_order"
_FILL = (
    """
    UPDATE orders_order SET payment_detail = CASE
        WHEN platform IN ('shopify', 'shopline_global')
            AND lower(platform_data ->> 'payment_status') IN ('authorized', 'partially_paid', 'voided')
            THEN lower(platform_data ->> 'payment_status')
        ELSE 'at_bank' END
    WHERE id > %(after)s AND id <= %(to)s AND payment_status = 'pending' AND (
        (platform IN ('shopify', 'shopline_global')
            AND lower(platform_data ->> 'payment_status') IN ('authorized', 'partially_paid', 'voided'))
        OR (platform = 'shopline_global' AND lower(platform_data ->> 'payment_status') = 'pending')
        OR (platform = 'woocommerce' AND lower(platform_data ->> 'status') IN ('on-hold', 'wc-on-hold')))
    """,
    """
    UPDATE orders_order SET platform_data = jsonb_set(
        platform_data, '{last_said,payment_detail}', to_jsonb(payment_detail::text))
    WHERE id > %(after)s AND id <= %(to)s AND payment_detail <> '' AND platform_data ? 'last_said'
    """,
    """
    UPDATE orders_order SET platform_deleted_at = (platform_data ->> 'deleted_at')::timestamptz,
        platform_data = platform_data - 'deleted_at'
    WHERE id > %(after)s AND id <= %(to)s AND platform_data ? 'deleted_at'
    """,
    """
    UPDATE orders_order SET paid_before = true
    WHERE id > %(after)s AND id <= %(to)s AND NOT paid_before AND (
        payment_status IN ('paid', 'partially_refunded', 'refunded') OR status = 'completed'
        OR EXISTS (
            SELECT FROM journal_journalentry AS told
            WHERE told.order_id = orders_order.id AND told.event IN ('order.created', 'order.updated') AND (
                told.data -> 'payment_status' ->> 'from' IN ('paid', 'partially_refunded', 'refunded')
                OR told.data ->> 'payment_status' IN ('paid', 'partially_refunded', 'refunded')
                OR told.data -> 'status' ->> 'from' = 'completed' OR told.data ->> 'status' = 'completed')))
    """,
)
_PUT_BACK = (
    """
    UPDATE orders_order SET platform_data = platform_data || jsonb_build_object('deleted_at', platform_deleted_at)
    WHERE id > %(after)s AND id <= %(to)s AND platform_deleted_at IS NOT NULL
    """,
)


def _run(schema_editor, statements):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_LAST)
        last = cursor.fetchone()[0] or 0
        for after in range(0, last, _BATCH):
            for statement in statements:
                cursor.execute(statement, {"after": after, "to": after + _BATCH})


def forwards(apps, schema_editor):
    _run(schema_editor, _FILL)


def backwards(apps, schema_editor):
    _run(schema_editor, _PUT_BACK)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0023_what_platforms_say"), ("journal", "0005_redemptions")]

    operations = [migrations.RunPython(forwards, backwards)]
