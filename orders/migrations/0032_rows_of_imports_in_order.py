"""Rows of a balance import are shown as they stand in their file."""

from django.db import migrations, models

from loyalty.database.migrating.indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0031_indexes_by_what_is_asked")]

    operations = [
        AddIndexOnline(
            "balanceimportrow",
            models.Index("balance_import", "position", "part", name="balance_import_row_in_order"),
        )
    ]
