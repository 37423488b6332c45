"""People are found by their search keys: those of before get one, and an index of its own answers for parts of them.

A batch is a transaction of its own, so that the shop goes on; carried out again, it finds what is done. The index is
made beside the old one, and what is asked of it changes in between, so there is no moment without.
"""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations

from loyalty.database.migrating.indexes import AddIndexOnline, RemoveIndexOnline
from loyalty.database.migrating.together import Together
from loyalty.stores.compared import NameKey

BATCH = 2000
# The trigger writes the key.
KEPT = """
UPDATE stores_customer SET name = name WHERE id IN (
    SELECT id FROM stores_customer WHERE id > %(after)s AND id <= %(until)s AND search_key = ''
    ORDER BY id FOR NO KEY UPDATE
)
"""
# Customers whose search key is like a pattern, which no policy lets an index find (ADR 0039).
LIKE = """
CREATE FUNCTION customers_like(of_store bigint, pattern text) RETURNS SETOF bigint
LANGUAGE sql STABLE STRICT PARALLEL SAFE SECURITY DEFINER ROWS 50
BEGIN ATOMIC
    SELECT id FROM stores_customer
    WHERE store_id = of_store AND search_key LIKE pattern
        AND CASE
            WHEN current_setting('loyalty.stores', true) = 'every' THEN true
            WHEN current_setting('loyalty.stores', true) LIKE '{%'
            THEN of_store = ANY (current_setting('loyalty.stores', true)::bigint[])
        END;
END
"""
# What the release before asks, until it is stopped: a part of a name or e-mail, or its beginning.
CALLED = r"""
CREATE OR REPLACE FUNCTION customers_called(of_store bigint, pattern text) RETURNS SETOF bigint
LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 50
BEGIN ATOMIC
    SELECT customers_like(
        of_store, CASE WHEN pattern LIKE '\%%' THEN '' ELSE E'%\n' END || name_key(pattern) || E'%\f%'
    );
END
"""


def keep_keys(apps, schema_editor):
    """Every customer of before, batch by batch."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM stores_customer")
        (last,) = cursor.fetchone()
        for after in range(0, last, BATCH):
            cursor.execute(KEPT, {"after": after, "until": after + BATCH})


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stores", "0019_search_key")]

    operations = [Together([
        migrations.RunPython(keep_keys, migrations.RunPython.noop),
        AddIndexOnline(
            "customer",
            GinIndex("store", OpClass("search_key", "gin_trgm_ops"), name="customer_search_key"),
        ),
        migrations.RunSQL(LIKE, "DROP FUNCTION customers_like"),
        migrations.RunSQL(CALLED, migrations.RunSQL.noop),
        RemoveIndexOnline("customer", "customer_search"),
        migrations.AlterModelOptions(
            "store", {"ordering": (NameKey("name"),), "verbose_name": "store", "verbose_name_plural": "stores"}
        ),
    ])]
