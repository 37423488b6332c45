"""Points: lots, what orders and redemptions used of them, and every movement."""

from django.db import migrations, models

from loyalty.database.migrating.together import Together
from loyalty.database.triggers import before, changed
from loyalty.stores.scoping import SameStoreKey, same_store_key

OF_STORE = {"base_manager_name": "unscoped", "default_manager_name": "unscoped"}
UNSCOPED = [("unscoped", models.Manager())]
STORE = ("store", models.ForeignKey("stores.store", models.PROTECT, db_index=False, editable=False, related_name="+"))

# A lot's customer changes only to the one that its customer was merged into.
UNLESS_MERGED = """
IF NOT EXISTS (
    SELECT FROM stores_customer WHERE id = OLD.customer_id AND merged_into_id = NEW.customer_id
) THEN
    RAISE EXCEPTION 'lot % cannot change hands: its customer was not merged into that one', OLD.id
        USING ERRCODE = 'integrity_constraint_violation';
END IF;
RETURN NEW;
"""


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("points", "0001_initial"),
        ("points", "0002_initial"),
        ("points", "0003_store_key_without_index"),
        ("points", "0004_redemptions"),
        ("points", "0005_near_expiry"),
        ("points", "0006_earned_points"),
        ("points", "0007_booked_off"),
        ("points", "0008_codes_pay_for_orders"),
        ("points", "0009_merging"),
    ]

    dependencies = [("orders", "0001_squashed_0026_orders_by_tags")]

    operations = [Together([
        migrations.CreateModel(
            name="PointLot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("granted_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("grant", "Given"),
                            ("extension", "Extended"),
                            ("earned", "Earned by an order"),
                            ("reward", "Reward"),
                        ],
                        max_length=10,
                    ),
                ),
                ("granted", models.BigIntegerField()),
                ("remaining", models.BigIntegerField()),
                ("customer", SameStoreKey("stores.customer")),
                ("extended_from", SameStoreKey("points.pointlot", blank=True, null=True)),
                STORE,
                ("booked_off", models.BooleanField(db_default=False, default=False)),
            ],
            options={
                "verbose_name": "member points lot",
                **OF_STORE,
                "indexes": [
                    models.Index(
                        models.F("customer"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="pointlot_of_customer",
                    ),
                    models.Index(
                        models.F("customer"),
                        models.F("expires_at"),
                        condition=models.Q(("remaining__gt", 0)),
                        name="pointlot_open",
                    ),
                    models.Index(
                        models.F("store"),
                        models.F("expires_at"),
                        condition=models.Q(("remaining__gt", 0)),
                        name="pointlot_expiring",
                    ),
                    models.Index(
                        models.F("expires_at"),
                        condition=models.Q(("expires_at__isnull", False), ("remaining__gt", 0)),
                        name="pointlot_to_expire",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("remaining__gte", 0), ("remaining__lte", models.F("granted"))),
                        name="pointlot_remaining_within",
                    ),
                    models.CheckConstraint(condition=models.Q(("granted__gt", 0)), name="pointlot_granted_positive"),
                    models.CheckConstraint(
                        condition=models.Q(("booked_off", False), ("remaining", 0), _connector="OR"),
                        name="pointlot_booked_off_is_empty",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
    ]),
    # Before the keys that point here: constraints of a table with defaults are made at a migration's end.
    migrations.AddConstraint(
        model_name="pointlot", constraint=models.UniqueConstraint(fields=("store", "id"), name="pointlot_in_store")
    ),
    Together([
        same_store_key("points_pointlot", "customer_id", "stores_customer"),
        same_store_key("points_pointlot", "extended_from_id", "points_pointlot"),
        before("DELETE", "points.PointLot", "keep_lots"),
        before(
            "UPDATE",
            "points.PointLot",
            "only_remaining_changes",
            when=changed("id", "store_id", "granted_at", "expires_at", "origin", "extended_from_id", "granted"),
        ),
        before("UPDATE", "points.PointLot", "changes_hands_by_merging", when=changed("customer_id"), do=UNLESS_MERGED),
        migrations.CreateModel(
            name="PointAllocation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("deduction", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("amount", models.BigIntegerField()),
                ("returned", models.BigIntegerField(default=0)),
                ("order", SameStoreKey("orders.order", blank=True, null=True)),
                STORE,
                ("lot", SameStoreKey("points.pointlot")),
                ("redemption", SameStoreKey("orders.redemption", blank=True, null=True)),
            ],
            options={
                "verbose_name": "member points use",
                **OF_STORE,
                "indexes": [models.Index(models.F("lot"), name="pointallocation_of_lot")],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "id"), name="pointallocation_in_store"),
                    models.UniqueConstraint(
                        fields=("order", "lot", "deduction", "redemption"),
                        name="pointallocation_once",
                        nulls_distinct=False,
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("redemption__isnull", False)),
                        fields=("redemption", "lot"),
                        name="pointallocation_once_redeemed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("order__isnull", False), ("redemption__isnull", True)),
                            models.Q(("deduction", 0), ("redemption__isnull", False)),
                            _connector="OR",
                        ),
                        name="pointallocation_order_or_redemption",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("returned__gte", 0), ("returned__lte", models.F("amount"))),
                        name="pointallocation_returned_within",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="pointallocation_amount_positive"
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("points_pointallocation", "order_id", "orders_order"),
        same_store_key("points_pointallocation", "lot_id", "points_pointlot"),
        same_store_key("points_pointallocation", "redemption_id", "orders_redemption"),
        before("DELETE", "points.PointAllocation", "keep_allocations"),
        before(
            "UPDATE",
            "points.PointAllocation",
            "only_returned_changes",
            when=changed("id", "store_id", "redemption_id", "deduction", "created_at", "lot_id", "amount"),
        ),
        before(
            "UPDATE",
            "points.PointAllocation",
            "order_is_set_once",
            when='OLD."order_id" IS DISTINCT FROM (NEW."order_id") AND (OLD."order_id" IS NOT NULL OR OLD."redemption_id" IS NULL)',
        ),
        migrations.CreateModel(
            name="PointMovement",
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
                ("amount", models.BigIntegerField()),
                ("balance_after", models.BigIntegerField()),
                ("allocation", SameStoreKey("points.pointallocation", blank=True, null=True)),
                ("customer", SameStoreKey("stores.customer")),
                ("lot", SameStoreKey("points.pointlot", blank=True, null=True)),
                ("order", SameStoreKey("orders.order", blank=True, null=True)),
                ("remark", SameStoreKey("stores.remark", blank=True, null=True)),
                ("revert", SameStoreKey("orders.revert", blank=True, null=True)),
                STORE,
                ("redemption", SameStoreKey("orders.redemption", blank=True, null=True)),
            ],
            options={
                "verbose_name": "member points movement",
                **OF_STORE,
                "indexes": [
                    models.Index(
                        models.F("customer"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="pointmovement_history",
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("type", "expire")),
                        name="pointmovement_lost",
                    ),
                    models.Index(models.F("lot"), name="pointmovement_of_lot"),
                    models.Index(
                        models.F("order"), condition=models.Q(("order__isnull", False)), name="pointmovement_of_order"
                    ),
                    models.Index(
                        models.F("redemption"),
                        condition=models.Q(("redemption__isnull", False)),
                        name="pointmovement_redeemed",
                    ),
                    models.Index(
                        models.F("revert"),
                        condition=models.Q(("revert__isnull", False)),
                        name="pointmovement_of_revert",
                    ),
                    models.Index(
                        models.F("customer"),
                        condition=models.Q(("lot__isnull", True)),
                        include=("amount",),
                        name="pointmovement_owed",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount", 0), _negated=True), name="pointmovement_amount_not_zero"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("type__in", ["grant", "spend", "revert", "undo", "expire", "adjust", "claw_back", "merge"])
                        ),
                        name="pointmovement_type_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("order__isnull", True), ("redemption__isnull", True), _connector="OR"),
                        name="pointmovement_order_or_redemption",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("lot__isnull", False), ("type__in", ("claw_back", "merge")), _connector="OR"
                        ),
                        name="pointmovement_owed_or_moved",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("points_pointmovement", "customer_id", "stores_customer"),
        same_store_key("points_pointmovement", "lot_id", "points_pointlot"),
        same_store_key("points_pointmovement", "allocation_id", "points_pointallocation"),
        same_store_key("points_pointmovement", "order_id", "orders_order"),
        same_store_key("points_pointmovement", "revert_id", "orders_revert"),
        same_store_key("points_pointmovement", "remark_id", "stores_remark"),
        same_store_key("points_pointmovement", "redemption_id", "orders_redemption"),
        before("UPDATE OR DELETE", "points.PointMovement", "insert_only"),
    ])]
