from django.db import migrations, models


class Migration(migrations.Migration):
    """Every check of the books stays: a new one is a new row. Back again only where each store has one at most."""

    dependencies = [("journal", "0007_customer_problems")]

    operations = [
        migrations.RemoveConstraint(model_name="ledgercheck", name="ledger_check_once"),
        migrations.AddIndex(
            model_name="ledgercheck",
            index=models.Index("store", models.F("checked_at").desc(), name="ledger_check_newest"),
        ),
    ]
