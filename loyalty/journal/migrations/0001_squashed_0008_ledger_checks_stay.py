"""The journal, when jobs ran, checks of the ledger, and customers' problems."""

from django.db import migrations, models

from loyalty.database.migrating.together import Together
from loyalty.database.triggers import before
from loyalty.stores.scoping import SameStoreKey, same_store_key

OF_STORE = {"base_manager_name": "unscoped", "default_manager_name": "unscoped"}
UNSCOPED = [("unscoped", models.Manager())]
STORE = ("store", models.ForeignKey("stores.store", models.PROTECT, db_index=False, editable=False, related_name="+"))


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("journal", "0001_initial"),
        ("journal", "0002_initial"),
        ("journal", "0003_automatic_cancelling"),
        ("journal", "0004_store_key_without_index"),
        ("journal", "0005_redemptions"),
        ("journal", "0006_ledger_checks"),
        ("journal", "0007_customer_problems"),
        ("journal", "0008_ledger_checks_stay"),
    ]

    dependencies = [("orders", "0001_squashed_0026_orders_by_tags")]

    operations = [Together([
        migrations.CreateModel(
            name="JobRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=50, unique=True)),
                ("started_at", models.DateTimeField()),
                ("seconds", models.FloatField()),
                ("counts", models.JSONField(default=dict)),
                ("error", models.TextField(blank=True)),
                ("failed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={"verbose_name": "job", "ordering": ("name",)},
        ),
        migrations.CreateModel(
            name="LedgerCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("checked_at", models.DateTimeField()),
                ("faults", models.PositiveIntegerField(default=0)),
                ("examples", models.JSONField(default=list)),
                STORE,
            ],
            options={
                "verbose_name": "ledger check",
                **OF_STORE,
                "indexes": [
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("checked_at"), descending=True),
                        name="ledger_check_newest",
                    )
                ],
            },
            managers=UNSCOPED,
        ),
        migrations.CreateModel(
            name="CustomerProblem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("job", models.CharField(max_length=50)),
                ("error", models.TextField()),
                ("attempts", models.PositiveIntegerField(default=1)),
                ("next_attempt_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                ("customer", SameStoreKey("stores.customer")),
                STORE,
            ],
            options={
                **OF_STORE,
                "indexes": [
                    models.Index(models.F("store"), models.F("next_attempt_at"), name="customer_problem_of_store")
                ],
                "constraints": [models.UniqueConstraint(fields=("customer", "job"), name="customer_problem_once")],
            },
            managers=UNSCOPED,
        ),
        same_store_key("journal_customerproblem", "customer_id", "stores_customer"),
        migrations.CreateModel(
            name="JournalEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event", models.CharField(max_length=50)),
                ("actor", models.CharField(max_length=100)),
                ("data", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField()),
                ("customer", SameStoreKey("stores.customer", blank=True, null=True)),
                ("order", SameStoreKey("orders.order", blank=True, null=True)),
                ("remark", SameStoreKey("stores.remark", blank=True, null=True)),
                STORE,
                ("redemption", SameStoreKey("orders.redemption", blank=True, null=True)),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "timeline",
                **OF_STORE,
                "indexes": [
                    models.Index(
                        models.F("order"),
                        models.F("id"),
                        condition=models.Q(("order__isnull", False)),
                        name="journal_of_order",
                    ),
                    models.Index(
                        models.F("redemption"),
                        models.F("id"),
                        condition=models.Q(("redemption__isnull", False)),
                        name="journal_redemption",
                    ),
                    models.Index(
                        models.F("store"), models.OrderBy(models.F("id"), descending=True), name="journal_newest"
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("journal_journalentry", "redemption_id", "orders_redemption"),
        same_store_key("journal_journalentry", "order_id", "orders_order"),
        same_store_key("journal_journalentry", "customer_id", "stores_customer"),
        same_store_key("journal_journalentry", "remark_id", "stores_remark"),
        before("UPDATE OR DELETE", "journal.JournalEntry", "insert_only"),
    ])]
