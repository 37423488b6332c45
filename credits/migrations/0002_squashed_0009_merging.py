"""What orders and redemptions used of lots of store credits, and every movement."""

from django.db import migrations, models

from loyalty.database.migrating.together import Together
from loyalty.database.triggers import before, changed
from loyalty.stores.scoping import SameStoreKey, same_store_key

OF_STORE = {"base_manager_name": "unscoped", "default_manager_name": "unscoped"}
UNSCOPED = [("unscoped", models.Manager())]
STORE = ("store", models.ForeignKey("stores.store", models.PROTECT, db_index=False, editable=False, related_name="+"))


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("credits", "0002_initial"),
        ("credits", "0003_initial"),
        ("credits", "0004_store_key_without_index"),
        ("credits", "0005_redemptions"),
        ("credits", "0006_near_expiry"),
        ("credits", "0007_booked_off"),
        ("credits", "0008_codes_pay_for_orders"),
        ("credits", "0009_merging"),
    ]

    dependencies = [("credits", "0001_lots"), ("orders", "0001_squashed_0026_orders_by_tags")]

    operations = [Together([
        migrations.CreateModel(
            name="CreditAllocation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("deduction", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("amount", models.DecimalField(decimal_places=3, max_digits=18)),
                ("returned", models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ("order", SameStoreKey("orders.order", blank=True, null=True)),
                STORE,
                ("lot", SameStoreKey("credits.creditlot")),
                ("redemption", SameStoreKey("orders.redemption", blank=True, null=True)),
            ],
            options={
                "verbose_name": "store credit use",
                **OF_STORE,
                "indexes": [models.Index(models.F("lot"), name="creditallocation_of_lot")],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "id"), name="creditallocation_in_store"),
                    models.UniqueConstraint(
                        fields=("order", "lot", "deduction", "redemption"),
                        name="creditallocation_once",
                        nulls_distinct=False,
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("redemption__isnull", False)),
                        fields=("redemption", "lot"),
                        name="creditallocation_once_redeemed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("order__isnull", False), ("redemption__isnull", True)),
                            models.Q(("deduction", 0), ("redemption__isnull", False)),
                            _connector="OR",
                        ),
                        name="creditallocation_order_or_redemption",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("returned__gte", 0), ("returned__lte", models.F("amount"))),
                        name="creditallocation_returned_within",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="creditallocation_amount_positive"
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("credits_creditallocation", "order_id", "orders_order"),
        same_store_key("credits_creditallocation", "lot_id", "credits_creditlot"),
        same_store_key("credits_creditallocation", "redemption_id", "orders_redemption"),
        before("DELETE", "credits.CreditAllocation", "keep_allocations"),
        before(
            "UPDATE",
            "credits.CreditAllocation",
            "only_returned_changes",
            when=changed("id", "store_id", "redemption_id", "deduction", "created_at", "lot_id", "amount"),
        ),
        before(
            "UPDATE",
            "credits.CreditAllocation",
            "order_is_set_once",
            when='OLD."order_id" IS DISTINCT FROM (NEW."order_id") AND (OLD."order_id" IS NOT NULL OR OLD."redemption_id" IS NULL)',
        ),
        migrations.CreateModel(
            name="CreditMovement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("grant", "Given"),
                            ("spend", "Spent"),
                            ("revert", "Returned"),
                            ("undo", "Return undone"),
                            ("expire", "Expired"),
                            ("adjust", "Adjusted"),
                            ("claw_back", "Taken back"),
                            ("merge", "Moved when merged"),
                        ],
                        max_length=10,
                    ),
                ),
                ("actor", models.CharField(max_length=100)),
                ("trigger", models.CharField(blank=True, max_length=20)),
                ("created_at", models.DateTimeField()),
                ("amount", models.DecimalField(decimal_places=3, max_digits=18)),
                ("balance_after", models.DecimalField(decimal_places=3, max_digits=18)),
                ("currency", models.CharField(max_length=3)),
                ("allocation", SameStoreKey("credits.creditallocation", blank=True, null=True)),
                ("customer", SameStoreKey("stores.customer")),
                ("lot", SameStoreKey("credits.creditlot")),
                ("order", SameStoreKey("orders.order", blank=True, null=True)),
                ("remark", SameStoreKey("stores.remark", blank=True, null=True)),
                ("revert", SameStoreKey("orders.revert", blank=True, null=True)),
                STORE,
                ("redemption", SameStoreKey("orders.redemption", blank=True, null=True)),
            ],
            options={
                "verbose_name": "store credit movement",
                **OF_STORE,
                "indexes": [
                    models.Index(
                        models.F("customer"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="creditmovement_history",
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("type", "expire")),
                        name="creditmovement_lost",
                    ),
                    models.Index(models.F("lot"), name="creditmovement_of_lot"),
                    models.Index(
                        models.F("order"), condition=models.Q(("order__isnull", False)), name="creditmovement_of_order"
                    ),
                    models.Index(
                        models.F("redemption"),
                        condition=models.Q(("redemption__isnull", False)),
                        name="creditmovement_redeemed",
                    ),
                    models.Index(
                        models.F("revert"),
                        condition=models.Q(("revert__isnull", False)),
                        name="creditmovement_of_revert",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount", 0), _negated=True), name="creditmovement_amount_not_zero"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("type__in", ["grant", "spend", "revert", "undo", "expire", "adjust", "claw_back", "merge"])
                        ),
                        name="creditmovement_type_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("order__isnull", True), ("redemption__isnull", True), _connector="OR"),
                        name="creditmovement_order_or_redemption",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("credits_creditmovement", "customer_id", "stores_customer"),
        same_store_key("credits_creditmovement", "lot_id", "credits_creditlot"),
        same_store_key("credits_creditmovement", "allocation_id", "credits_creditallocation"),
        same_store_key("credits_creditmovement", "order_id", "orders_order"),
        same_store_key("credits_creditmovement", "revert_id", "orders_revert"),
        same_store_key("credits_creditmovement", "remark_id", "stores_remark"),
        same_store_key("credits_creditmovement", "redemption_id", "orders_redemption"),
        before("UPDATE OR DELETE", "credits.CreditMovement", "insert_only"),
    ])]
