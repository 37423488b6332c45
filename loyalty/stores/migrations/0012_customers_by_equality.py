"""E-mail addresses and phones are compared by columns of their own, and names by a function of the tables' owner.

Behind a policy PostgreSQL uses an index for plain equality alone (ADR 0039). The two columns write the table anew.
"""

from django.db import migrations, models

import loyalty.stores.models

_CALLED = """
CREATE FUNCTION customers_called(of_store bigint, pattern text) RETURNS SETOF bigint
LANGUAGE sql STABLE STRICT PARALLEL SAFE SECURITY DEFINER ROWS 50
BEGIN ATOMIC
    SELECT id FROM stores_customer
    WHERE store_id = of_store AND (upper(name) LIKE upper(pattern) OR upper(email) LIKE upper(pattern))
        AND CASE
            WHEN current_setting('loyalty.stores', true) = 'every' THEN true
            WHEN current_setting('loyalty.stores', true) LIKE '{%'
            THEN of_store = ANY (current_setting('loyalty.stores', true)::bigint[])
        END;
END
"""


class Migration(migrations.Migration):
    dependencies = [
        ("stores", "0011_remarks_stay"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="customer", name="customer_email"),
        migrations.RemoveIndex(model_name="customer", name="customer_phone"),
        migrations.AddField(
            model_name="customer",
            name="folded_email",
            field=models.GeneratedField(
                db_persist=True,
                expression=loyalty.stores.models.Folded("email"),
                output_field=models.TextField(),
            ),
        ),
        migrations.AddField(
            model_name="customer",
            name="dialled_phone",
            field=models.GeneratedField(
                db_persist=True,
                expression=loyalty.stores.models.Dialled("phone"),
                output_field=models.TextField(),
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(models.F("store"), models.F("folded_email"), name="customer_folded_email"),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                models.F("store"),
                models.F("dialled_phone"),
                condition=models.Q(("dialled_phone__gt", "")),
                name="customer_dialled_phone",
            ),
        ),
        migrations.RunSQL(_CALLED, "DROP FUNCTION customers_called"),
    ]
