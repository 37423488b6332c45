"""Orders, what was returned for them and undone, bulk cancels, and redemptions."""

from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MinValueValidator
from django.db import migrations, models
from django.db.models.functions import Coalesce, Lower

from loyalty.database.migrating.together import Together
from loyalty.database.triggers import before
from loyalty.stores.scoping import SameStoreKey, same_store_key

OF_STORE = {"base_manager_name": "unscoped", "default_manager_name": "unscoped"}
UNSCOPED = [("unscoped", models.Manager())]
STORE = ("store", models.ForeignKey("stores.store", models.PROTECT, db_index=False, editable=False, related_name="+"))

# Orders by tags, which no policy lets an index find (ADR 0039).
TAGGED = """
CREATE FUNCTION orders_tagged(of_store bigint, any_of text[]) RETURNS SETOF bigint
LANGUAGE sql STABLE STRICT PARALLEL SAFE SECURITY DEFINER ROWS 500
BEGIN ATOMIC
    SELECT id FROM orders_order
    WHERE store_id = of_store AND tag_keys && any_of::varchar[]
        AND CASE
            WHEN current_setting('loyalty.stores', true) = 'every' THEN true
            WHEN current_setting('loyalty.stores', true) LIKE '{%'
            THEN of_store = ANY (current_setting('loyalty.stores', true)::bigint[])
        END;
END
"""


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("orders", "0001_initial"),
        ("orders", "0002_initial"),
        ("orders", "0003_same_store_keys"),
        ("orders", "0004_automatic_cancelling"),
        ("orders", "0005_list_indexes"),
        ("orders", "0006_test_orders_are_left_alone"),
        ("orders", "0007_held_and_due_of_store"),
        ("orders", "0008_reinstating"),
        ("orders", "0009_store_key_without_index"),
        ("orders", "0010_redemptions"),
        ("orders", "0011_redemption_codes"),
        ("orders", "0012_rules_look_at_orders"),
        ("orders", "0013_bulk_cancels_and_saved_views"),
        ("orders", "0014_undo_and_queue"),
        ("orders", "0015_earned_points"),
        ("orders", "0016_open_on_platform"),
        ("orders", "0017_tags_that_look_the_same"),
        ("orders", "0018_platform_ids_of_customers"),
        ("orders", "0019_total_named"),
        ("orders", "0020_codes_pay_for_orders"),
        ("orders", "0021_link_used_codes"),
        ("orders", "0022_codes_are_held"),
        ("orders", "0023_what_platforms_say"),
        ("orders", "0024_what_platforms_said"),
        ("orders", "0025_shortfalls"),
        ("orders", "0026_orders_by_tags"),
    ]

    dependencies = [("credits", "0001_lots")]

    operations = [Together([
        migrations.CreateModel(
            name="BulkCancel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Not confirmed"),
                            ("open", "In progress"),
                            ("stopped", "Stopped"),
                            ("done", "Done"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("filters", models.TextField(blank=True)),
                ("actor", models.CharField(max_length=100)),
                ("leave_paid", models.BooleanField(default=False)),
                ("leave_completed", models.BooleanField(default=False)),
                ("total", models.PositiveIntegerField()),
                ("cancelled", models.PositiveIntegerField(default=0)),
                ("skipped", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("stopped_by", models.CharField(blank=True, max_length=100)),
                ("remark", SameStoreKey("stores.remark", blank=True, null=True)),
                STORE,
            ],
            options={
                "verbose_name": "bulk cancel",
                **OF_STORE,
                "indexes": [
                    models.Index(
                        models.F("store"), models.OrderBy(models.F("id"), descending=True), name="bulk_cancel_newest"
                    ),
                    models.Index(models.F("id"), condition=models.Q(("state", "open")), name="bulk_cancel_open"),
                    models.Index(
                        models.F("created_at"), condition=models.Q(("state", "draft")), name="bulk_cancel_draft"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "id"), name="bulk_cancel_in_store"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["draft", "open", "stopped", "done"])),
                        name="bulk_cancel_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("total__gte", models.F("cancelled") + models.F("skipped") + models.F("failed"))
                        ),
                        name="bulk_cancel_counts_within",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("orders_bulkcancel", "remark_id", "stores_remark"),
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=100)),
                ("external_id", models.CharField(blank=True, max_length=100, null=True)),
                ("platform", models.CharField(default="api", max_length=20)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("confirmed", "Confirmed"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                (
                    "payment_status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("paid", "Paid"),
                            ("failed", "Failed"),
                            ("expired", "Expired"),
                            ("partially_refunded", "Partially Refunded"),
                            ("refunded", "Refunded"),
                        ],
                        default="pending",
                        max_length=20,
                    ),
                ),
                ("payment_due_at", models.DateTimeField(blank=True, null=True)),
                ("placed_at", models.DateTimeField()),
                ("currency", models.CharField(max_length=3)),
                ("total", models.DecimalField(decimal_places=3, max_digits=18)),
                ("refunded_total", models.DecimalField(decimal_places=3, default=Decimal("0"), max_digits=18)),
                ("tags", ArrayField(base_field=models.CharField(max_length=255), blank=True, default=list, size=None)),
                (
                    "tag_keys",
                    ArrayField(
                        base_field=models.CharField(max_length=255), blank=True, default=list, editable=False, size=None
                    ),
                ),
                ("lines", models.JSONField(blank=True, default=list)),
                ("platform_data", models.JSONField(blank=True, default=dict)),
                ("platform_updated_at", models.DateTimeField(blank=True, null=True)),
                ("is_test", models.BooleanField(default=False)),
                ("credits_applied", models.DecimalField(decimal_places=3, default=Decimal("0"), max_digits=18)),
                ("credits_reverted", models.DecimalField(decimal_places=3, default=Decimal("0"), max_digits=18)),
                (
                    "credits_decision",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Nothing decided"),
                            ("deferred", "Left for later"),
                            ("declined", "Declined"),
                            ("expired_left", "Expired, not extended"),
                            ("dismissed", "Dismissed"),
                        ],
                        default="",
                        max_length=12,
                    ),
                ),
                ("points_applied", models.BigIntegerField(default=0)),
                ("points_reverted", models.BigIntegerField(default=0)),
                (
                    "points_decision",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Nothing decided"),
                            ("deferred", "Left for later"),
                            ("declined", "Declined"),
                            ("expired_left", "Expired, not extended"),
                            ("dismissed", "Dismissed"),
                        ],
                        default="",
                        max_length=12,
                    ),
                ),
                (
                    "credit_revert_status",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(credits_reverted__gt=0, then=models.Value("reverted")),
                            models.When(
                                models.Q(
                                    models.Q(("status", "cancelled"), ("payment_status", "refunded"), _connector="OR"),
                                    ("credits_applied__gt", 0),
                                ),
                                then=models.Value("not_reverted"),
                            ),
                            default=None,
                        ),
                        output_field=models.CharField(
                            choices=[("reverted", "Reverted"), ("not_reverted", "Not Reverted")],
                            max_length=12,
                            null=True,
                        ),
                    ),
                ),
                (
                    "points_revert_status",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(points_reverted__gt=0, then=models.Value("reverted")),
                            models.When(
                                models.Q(
                                    models.Q(("status", "cancelled"), ("payment_status", "refunded"), _connector="OR"),
                                    ("points_applied__gt", 0),
                                ),
                                then=models.Value("not_reverted"),
                            ),
                            default=None,
                        ),
                        output_field=models.CharField(
                            choices=[("reverted", "Reverted"), ("not_reverted", "Not Reverted")],
                            max_length=12,
                            null=True,
                        ),
                    ),
                ),
                (
                    "completeness",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(credits_reverted=0, points_reverted=0, then=None),
                            models.When(
                                credits_reverted=models.F("credits_applied"),
                                points_reverted=models.F("points_applied"),
                                then=models.Value("full"),
                            ),
                            default=models.Value("partial"),
                        ),
                        output_field=models.CharField(
                            choices=[("full", "Full"), ("partial", "Partial")], max_length=8, null=True
                        ),
                    ),
                ),
                ("cancelled_at", models.DateTimeField(blank=True, null=True)),
                ("cancelled_by", models.CharField(blank=True, max_length=20)),
                (
                    "cancel_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("customer", "Customer asked for it"),
                            ("out_of_stock", "Out of stock"),
                            ("payment", "Payment problem"),
                            ("fraud", "Suspected fraud"),
                            ("duplicate", "Duplicate order"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("customer", SameStoreKey("stores.customer", blank=True, null=True)),
                STORE,
                ("arrived_late", models.BooleanField(default=False)),
                ("held_at", models.DateTimeField(blank=True, null=True)),
                ("payment_changed_at", models.DateTimeField(blank=True, null=True)),
                ("refund_marked_at", models.DateTimeField(blank=True, null=True)),
                ("reinstated_at", models.DateTimeField(blank=True, null=True)),
                (
                    "paid_after_cancellation",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(
                                models.Q(
                                    ("cancelled_by__in", ("payment_expired", "payment_failed")),
                                    ("payment_status__in", ("paid", "partially_refunded")),
                                    ("refund_marked_at__isnull", True),
                                    ("status", "cancelled"),
                                ),
                                then=models.Value(True),
                            ),
                            default=models.Value(False),
                        ),
                        output_field=models.BooleanField(),
                    ),
                ),
                ("rules_due_at", models.DateTimeField(blank=True, null=True)),
                ("rules_news", models.JSONField(blank=True, null=True)),
                ("points_earned", models.BigIntegerField(default=0)),
                ("points_not_taken", models.BigIntegerField(default=0)),
                ("points_taken_back", models.BigIntegerField(default=0)),
                ("total_named", models.BooleanField(db_default=False, default=False)),
                ("codes", models.JSONField(blank=True, default=list, editable=False)),
                ("attempt_failed_at", models.DateTimeField(blank=True, null=True)),
                ("paid_before", models.BooleanField(db_default=False, default=False)),
                (
                    "payment_detail",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Nothing more is known"),
                            ("authorized", "Authorised, not taken yet"),
                            ("partially_paid", "Partly paid"),
                            ("on_delivery", "Due on delivery, and on its way"),
                            ("at_bank", "On its way through a bank"),
                            ("voided", "Let go: it was authorised, and nothing was taken"),
                        ],
                        db_default="",
                        default="",
                        max_length=16,
                    ),
                ),
                ("platform_deleted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "needs_revert",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(
                                models.Q(
                                    models.Q(
                                        ("status", "cancelled"),
                                        ("payment_status", "refunded"),
                                        models.Q(
                                            ("payment_status__in", ("pending", "failed", "expired")),
                                            ("platform_deleted_at__isnull", False),
                                        ),
                                        _connector="OR",
                                    ),
                                    models.Q(
                                        models.Q(
                                            ("credits_decision__in", ("", "deferred")),
                                            ("credits_reverted__lt", models.F("credits_applied")),
                                        ),
                                        models.Q(
                                            ("points_decision__in", ("", "deferred")),
                                            ("points_reverted__lt", models.F("points_applied")),
                                        ),
                                        _connector="OR",
                                    ),
                                ),
                                then=models.Value(True),
                            ),
                            default=models.Value(False),
                        ),
                        output_field=models.BooleanField(),
                    ),
                ),
            ],
            options={
                "ordering": ("-placed_at", "-id"),
                **OF_STORE,
                "indexes": [
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="order_newest",
                    ),
                    models.Index(
                        models.F("store"),
                        models.F("credit_revert_status"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="order_credit_status",
                    ),
                    models.Index(
                        models.F("store"),
                        models.F("points_revert_status"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="order_points_status",
                    ),
                    models.Index(
                        models.F("store"),
                        models.F("completeness"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("completeness__isnull", False)),
                        name="order_completeness",
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("credits_applied__gt", 0)),
                        name="order_used_credits",
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("points_applied__gt", 0)),
                        name="order_used_points",
                    ),
                    models.Index(
                        models.F("store"),
                        Coalesce(
                            "cancelled_at",
                            models.Case(models.When(payment_status="refunded", then=models.F("payment_changed_at"))),
                            "platform_deleted_at",
                            "payment_changed_at",
                            "placed_at",
                        ),
                        models.F("id"),
                        condition=models.Q(("needs_revert", True)),
                        name="order_queue",
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(
                            ("credits_decision", "deferred"), ("points_decision", "deferred"), _connector="OR"
                        ),
                        name="order_deferred",
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(
                            ("credits_decision", "declined"), ("points_decision", "declined"), _connector="OR"
                        ),
                        name="order_declined",
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(
                            ("credits_decision", "expired_left"), ("points_decision", "expired_left"), _connector="OR"
                        ),
                        name="order_expired_left",
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(
                            ("credits_decision", "dismissed"), ("points_decision", "dismissed"), _connector="OR"
                        ),
                        name="order_dismissed",
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("paid_after_cancellation", True)),
                        name="order_paid_after_cancel",
                    ),
                    models.Index(
                        models.F("store"),
                        models.F("cancelled_by"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("cancelled_by", ""), _negated=True),
                        name="order_cancelled_by",
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("cancelled_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="order_cancelled",
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("updated_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="order_updated",
                    ),
                    models.Index(
                        models.F("store"),
                        models.F("status"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="order_status",
                    ),
                    models.Index(
                        models.F("store"),
                        models.F("payment_status"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="order_payment",
                    ),
                    models.Index(models.F("store"), models.F("number"), name="order_number"),
                    models.Index(models.F("store"), models.F("external_id"), name="order_external"),
                    models.Index(
                        models.F("customer"), models.OrderBy(models.F("id"), descending=True), name="order_of_customer"
                    ),
                    models.Index(
                        models.F("customer"),
                        condition=models.Q(("points_not_taken__gt", 0)),
                        name="order_with_shortfall",
                    ),
                    models.Index(
                        models.F("store"),
                        models.F("payment_status"),
                        models.F("id"),
                        condition=models.Q(
                            models.Q(
                                ("reinstated_at__isnull", True),
                                ("payment_changed_at__gt", models.F("reinstated_at")),
                                _connector="OR",
                            ),
                            models.Q(
                                ("paid_before", False),
                                models.Q(("payment_status", "failed"), _negated=True),
                                _connector="OR",
                            ),
                            ("arrived_late", False),
                            ("held_at__isnull", True),
                            ("is_test", False),
                            ("payment_status__in", ("expired", "failed")),
                            ("status__in", ("pending", "confirmed")),
                        ),
                        name="order_auto_cancel",
                    ),
                    models.Index(
                        models.F("payment_due_at"),
                        condition=models.Q(
                            ("is_test", False),
                            ("payment_detail", ""),
                            ("payment_status", "pending"),
                            models.Q(("status", "cancelled"), _negated=True),
                            ("payment_due_at__isnull", False),
                        ),
                        name="order_payment_due",
                    ),
                    models.Index(
                        models.F("store"),
                        models.F("placed_at"),
                        condition=models.Q(
                            ("is_test", False),
                            ("payment_detail", ""),
                            ("payment_status", "pending"),
                            models.Q(("status", "cancelled"), _negated=True),
                            ("payment_due_at__isnull", True),
                        ),
                        name="order_window_due",
                    ),
                    models.Index(
                        models.F("store"),
                        models.F("payment_due_at"),
                        condition=models.Q(
                            ("is_test", False),
                            ("payment_detail", ""),
                            ("payment_status", "pending"),
                            models.Q(("status", "cancelled"), _negated=True),
                            ("payment_due_at__isnull", False),
                        ),
                        name="order_due_of_store",
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("held_at__isnull", False)),
                        name="order_held",
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("platform_data__is_open", True), ("status", "cancelled")),
                        name="order_open_on_platform",
                    ),
                    models.Index(
                        models.F("attempt_failed_at"),
                        condition=models.Q(
                            ("is_test", False),
                            ("payment_detail", ""),
                            ("payment_status", "pending"),
                            models.Q(("status", "cancelled"), _negated=True),
                            ("attempt_failed_at__isnull", False),
                        ),
                        name="order_attempt_failed",
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(
                            ("paid_before", True),
                            ("payment_status", "failed"),
                            models.Q(("status", "cancelled"), _negated=True),
                        ),
                        name="order_failed_after_paid",
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("placed_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("platform_deleted_at__isnull", False)),
                        name="order_deleted_there",
                    ),
                    models.Index(
                        models.F("rules_due_at"),
                        models.F("id"),
                        condition=models.Q(("rules_due_at__isnull", False)),
                        name="order_rules_due",
                    ),
                    GinIndex(models.F("store"), models.F("tag_keys"), name="order_tags"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "platform", "external_id"), name="order_external_id_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("external_id__isnull", True)),
                        fields=("store", "platform", "number"),
                        name="order_number_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("credits_reverted__gte", 0), ("credits_reverted__lte", models.F("credits_applied"))
                        ),
                        name="order_credits_returned_within",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("points_reverted__gte", 0), ("points_reverted__lte", models.F("points_applied"))
                        ),
                        name="order_points_returned_within",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("cancelled_at__isnull", False), ("status", "cancelled")),
                            models.Q(models.Q(("status", "cancelled"), _negated=True), ("cancelled_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="order_cancelled_means_cancelled_at",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("customer__isnull", False),
                            models.Q(("credits_applied", 0), ("points_applied", 0)),
                            _connector="OR",
                        ),
                        name="order_spender_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("points_not_taken__gte", 0),
                            ("points_taken_back__gte", 0),
                            ("points_earned__gte", models.F("points_taken_back") + models.F("points_not_taken")),
                        ),
                        name="order_earned_points_within",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("refunded_total__gte", 0), ("total__gte", 0)),
                        name="order_totals_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "confirmed", "completed", "cancelled"])),
                        name="order_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "payment_status__in",
                                ["pending", "paid", "failed", "expired", "partially_refunded", "refunded"],
                            )
                        ),
                        name="order_payment_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("payment_detail", ""),
                            models.Q(
                                (
                                    "payment_detail__in",
                                    ["", "authorized", "partially_paid", "on_delivery", "at_bank", "voided"],
                                ),
                                ("payment_status", "pending"),
                            ),
                            _connector="OR",
                        ),
                        name="order_detail_of_open_payment",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
    ]),
    # Before the keys that point here: constraints of a table with defaults are made at a migration's end.
    migrations.AddConstraint(
        model_name="order", constraint=models.UniqueConstraint(fields=("store", "id"), name="order_in_store")
    ),
    Together([
        same_store_key("orders_order", "customer_id", "stores_customer"),
        migrations.CreateModel(
            name="Look",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("actor", models.CharField(max_length=100)),
                ("created_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("order", SameStoreKey("orders.order")),
                STORE,
            ],
            options={
                **OF_STORE,
                "indexes": [models.Index(models.F("store"), models.F("actor"), name="look_of_person")],
                "constraints": [models.UniqueConstraint(fields=("order",), name="look_once")],
            },
            managers=UNSCOPED,
        ),
        same_store_key("orders_look", "order_id", "orders_order"),
        migrations.CreateModel(
            name="BulkItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("settled", models.BooleanField()),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Waiting"),
                            ("cancelled", "Cancelled"),
                            ("skipped", "Left as it was"),
                            ("failed", "Could not be cancelled"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("code", models.CharField(blank=True, max_length=20)),
                ("error", models.TextField(blank=True)),
                ("bulk", SameStoreKey("orders.bulkcancel")),
                ("order", SameStoreKey("orders.order")),
                STORE,
            ],
            options={
                **OF_STORE,
                "indexes": [
                    models.Index(models.F("bulk"), models.F("outcome"), models.F("id"), name="bulk_item_by_outcome")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("bulk", "order"), name="bulk_item_once"),
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", ["", "cancelled", "skipped", "failed"])),
                        name="bulk_item_outcome_is_known",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("orders_bulkitem", "bulk_id", "orders_bulkcancel"),
        same_store_key("orders_bulkitem", "order_id", "orders_order"),
        migrations.CreateModel(
            name="Problem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("job", models.CharField(max_length=50)),
                ("error", models.TextField()),
                ("attempts", models.PositiveIntegerField(default=1)),
                ("next_attempt_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                ("order", SameStoreKey("orders.order")),
                STORE,
            ],
            options={
                **OF_STORE,
                "constraints": [models.UniqueConstraint(fields=("order", "job"), name="problem_once")],
            },
            managers=UNSCOPED,
        ),
        same_store_key("orders_problem", "order_id", "orders_order"),
        migrations.CreateModel(
            name="Reward",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100)),
                ("points", models.BigIntegerField(validators=[MinValueValidator(1)])),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("fixed", "Amount off"),
                            ("percentage", "Percentage off"),
                            ("credits", "Store credits"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "value",
                    models.DecimalField(
                        decimal_places=3, max_digits=18, validators=[MinValueValidator(Decimal("0.001"))]
                    ),
                ),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("valid_days", models.PositiveIntegerField(blank=True, null=True, validators=[MinValueValidator(1)])),
                (
                    "limit_per_customer",
                    models.PositiveIntegerField(blank=True, null=True, validators=[MinValueValidator(1)]),
                ),
                ("active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                STORE,
            ],
            options={
                **OF_STORE,
                "indexes": [
                    models.Index(
                        models.F("store"), models.OrderBy(models.F("id"), descending=True), name="reward_newest"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "id"), name="reward_in_store"),
                    models.CheckConstraint(
                        condition=models.Q(("type__in", ["fixed", "percentage", "credits"])),
                        name="reward_type_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("points__gt", 0), ("value__gt", 0)), name="reward_is_worth_something"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("currency", ""), ("type", "percentage"), ("value__lte", 100)),
                            models.Q(
                                models.Q(("type", "percentage"), _negated=True),
                                models.Q(("currency", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="reward_currency_or_percentage",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("valid_days__isnull", True), ("valid_days__gt", 0), _connector="OR"),
                        name="reward_valid",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("limit_per_customer__isnull", True), ("limit_per_customer__gt", 0), _connector="OR"
                        ),
                        name="reward_limit",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        migrations.CreateModel(
            name="Redemption",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reward_name", models.CharField(max_length=100)),
                ("points", models.BigIntegerField()),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("fixed", "Amount off"),
                            ("percentage", "Percentage off"),
                            ("credits", "Store credits"),
                        ],
                        max_length=10,
                    ),
                ),
                ("value", models.DecimalField(decimal_places=3, max_digits=18)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("code", models.CharField(max_length=40, null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("claimed", "Claimed"),
                            ("used", "Used"),
                            ("returned", "Returned"),
                            ("reversed", "Reversed"),
                        ],
                        default="claimed",
                        max_length=8,
                    ),
                ),
                ("platform", models.CharField(blank=True, max_length=20)),
                (
                    "platform_state",
                    models.CharField(
                        choices=[
                            ("pending", "Waiting for the platform"),
                            ("confirmed", "Confirmed by the platform"),
                            ("failed", "Refused by the platform"),
                        ],
                        max_length=9,
                        null=True,
                    ),
                ),
                ("creating_until", models.DateTimeField(null=True)),
                ("used_at", models.DateTimeField(null=True)),
                ("reversed_at", models.DateTimeField(null=True)),
                ("reversed_by", models.CharField(blank=True, max_length=100)),
                ("forced", models.BooleanField(default=False)),
                ("points_returned", models.BigIntegerField(default=0)),
                ("credits_taken", models.DecimalField(decimal_places=3, default=Decimal("0"), max_digits=18)),
                ("actor", models.CharField(max_length=100)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("credit_lot", SameStoreKey("credits.creditlot", null=True)),
                ("customer", SameStoreKey("stores.customer")),
                ("reversal_remark", SameStoreKey("stores.remark", null=True)),
                STORE,
                ("used_order", SameStoreKey("orders.order", null=True)),
                ("reward", SameStoreKey("orders.reward")),
                ("platform_reference", models.CharField(blank=True, max_length=200)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                **OF_STORE,
                "indexes": [
                    models.Index(
                        models.F("store"), models.OrderBy(models.F("id"), descending=True), name="redemption_newest"
                    ),
                    models.Index(
                        models.F("store"),
                        models.F("state"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="redemption_by_state",
                    ),
                    models.Index(
                        models.F("customer"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="redemption_of_customer",
                    ),
                    models.Index(
                        models.F("reward"), models.OrderBy(models.F("id"), descending=True), name="redemption_of_reward"
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("platform_state__in", ("pending", "failed"))),
                        name="redemption_not_confirmed",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "id"), name="redemption_in_store"),
                    models.UniqueConstraint(fields=("store", "code"), name="redemption_code_once"),
                    models.CheckConstraint(
                        condition=models.Q(("type__in", ["fixed", "percentage", "credits"])),
                        name="redemption_type_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("points__gt", 0), ("value__gt", 0)), name="redemption_is_worth_something"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("currency", ""), ("type", "percentage"), ("value__lte", 100)),
                            models.Q(
                                models.Q(("type", "percentage"), _negated=True),
                                models.Q(("currency", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="redemption_currency_or_percentage",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("code__isnull", True), ("platform", ""), ("type", "credits")),
                            models.Q(
                                models.Q(("type", "credits"), _negated=True),
                                ("code__isnull", False),
                                ("credit_lot__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="redemption_code_or_credits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("platform", ""), ("platform_state__isnull", True)),
                            models.Q(
                                models.Q(("platform", ""), _negated=True),
                                ("platform_state__in", ["pending", "confirmed", "failed"]),
                            ),
                            _connector="OR",
                        ),
                        name="redemption_platform_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ended_at__isnull", False), ("reversed_at__isnull", False), ("state", "reversed")
                            ),
                            models.Q(
                                ("ended_at__isnull", False),
                                ("points_returned__gt", 0),
                                ("reversed_at__isnull", True),
                                ("state", "returned"),
                                ("used_at__isnull", False),
                                ("used_order__isnull", False),
                            ),
                            models.Q(("reversed_at__isnull", True), ("state", "used"), ("used_at__isnull", False)),
                            models.Q(
                                ("ended_at__isnull", True),
                                ("reversed_at__isnull", True),
                                ("state", "claimed"),
                                ("used_at__isnull", True),
                                ("used_order__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="redemption_state_fits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("points_returned__gte", 0), ("points_returned__lte", models.F("points"))),
                        name="redemption_returned_within",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "reversed"),
                            models.Q(("credits_taken", 0), ("state", "returned")),
                            models.Q(("credits_taken", 0), ("points_returned", 0)),
                            _connector="OR",
                        ),
                        name="redemption_returned_by_reversal",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("orders_redemption", "customer_id", "stores_customer"),
        same_store_key("orders_redemption", "reward_id", "orders_reward"),
        same_store_key("orders_redemption", "credit_lot_id", "credits_creditlot"),
        same_store_key("orders_redemption", "used_order_id", "orders_order"),
        same_store_key("orders_redemption", "reversal_remark_id", "stores_remark"),
        migrations.CreateModel(
            name="CodeUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("settled_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                ("order", SameStoreKey("orders.order")),
                STORE,
                ("redemption", SameStoreKey("orders.redemption")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("used", "Paid with its points"),
                            ("after_return", "Came after the points had been returned"),
                            ("used_before", "Came after another order had used the code"),
                            ("of_family", "Used by the order that this one was split from or into"),
                        ],
                        max_length=12,
                    ),
                ),
            ],
            options={
                **OF_STORE,
                "indexes": [
                    models.Index(models.F("redemption"), name="codeuse_of_redemption"),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("order"), descending=True),
                        condition=models.Q(
                            ("outcome__in", ("after_return", "used_before")), ("settled_at__isnull", True)
                        ),
                        name="codeuse_to_look_at",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("order", "redemption"), name="codeuse_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("outcome", "used")), fields=("redemption",), name="codeuse_used_once"
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("orders_codeuse", "redemption_id", "orders_redemption"),
        same_store_key("orders_codeuse", "order_id", "orders_order"),
        migrations.CreateModel(
            name="ReversalRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Waits for an answer"), ("done", "Reversed"), ("refused", "Refused")],
                        default="open",
                        max_length=7,
                    ),
                ),
                ("actor", models.CharField(max_length=100)),
                ("created_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                ("answered_by", models.CharField(blank=True, max_length=100)),
                ("answer", SameStoreKey("stores.remark", null=True)),
                ("redemption", SameStoreKey("orders.redemption")),
                ("remark", SameStoreKey("stores.remark")),
                STORE,
            ],
            options={
                **OF_STORE,
                "indexes": [
                    models.Index(
                        models.F("redemption"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="reversalrequest_of_redemption",
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="reversalrequest_newest",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")), fields=("redemption",), name="reversalrequest_open_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at__isnull", True), ("state", "open")),
                            models.Q(models.Q(("state", "open"), _negated=True), ("answered_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="reversalrequest_answered",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("orders_reversalrequest", "redemption_id", "orders_redemption"),
        same_store_key("orders_reversalrequest", "remark_id", "stores_remark"),
        same_store_key("orders_reversalrequest", "answer_id", "stores_remark"),
        migrations.CreateModel(
            name="Revert",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=7)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("amount", models.DecimalField(decimal_places=3, max_digits=18)),
                ("applied", models.DecimalField(decimal_places=3, max_digits=18)),
                ("completeness", models.CharField(choices=[("full", "Full"), ("partial", "Partial")], max_length=8)),
                ("trigger", models.CharField(max_length=20)),
                ("actor", models.CharField(max_length=100)),
                ("lots", models.JSONField()),
                ("settings_version", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField()),
                ("customer", SameStoreKey("stores.customer")),
                ("order", SameStoreKey("orders.order")),
                ("remark", SameStoreKey("stores.remark", blank=True, null=True)),
                STORE,
            ],
            options={
                **OF_STORE,
                "indexes": [
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="revert_newest",
                    ),
                    models.Index(models.F("order"), models.F("id"), name="revert_of_order"),
                    models.Index(
                        models.F("customer"), models.OrderBy(models.F("id"), descending=True), name="revert_of_customer"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "id"), name="revert_in_store"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ("credits", "points"))), name="revert_kind_is_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0), ("amount__lte", models.F("applied"))),
                        name="revert_amount_within",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "trigger__in",
                                [
                                    "admin",
                                    "api",
                                    "bulk",
                                    "payment_expired",
                                    "payment_failed",
                                    "rule_status",
                                    "rule_tag",
                                    "platform",
                                ],
                            )
                        ),
                        name="revert_trigger_is_known",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("orders_revert", "order_id", "orders_order"),
        same_store_key("orders_revert", "customer_id", "stores_customer"),
        same_store_key("orders_revert", "remark_id", "stores_remark"),
        before("UPDATE OR DELETE", "orders.Revert", "insert_only"),
        migrations.CreateModel(
            name="RevertUndo",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("actor", models.CharField(max_length=100)),
                ("trigger", models.CharField(max_length=20)),
                ("created_at", models.DateTimeField()),
                ("order", SameStoreKey("orders.order")),
                ("remark", SameStoreKey("stores.remark", blank=True, null=True)),
                ("revert", SameStoreKey("orders.revert")),
                STORE,
            ],
            options={
                "verbose_name": "undone return",
                **OF_STORE,
                "constraints": [
                    models.UniqueConstraint(fields=("revert",), name="revert_undone_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "trigger__in",
                                [
                                    "admin",
                                    "api",
                                    "bulk",
                                    "payment_expired",
                                    "payment_failed",
                                    "rule_status",
                                    "rule_tag",
                                    "platform",
                                ],
                            )
                        ),
                        name="revert_undo_trigger_is_known",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("orders_revertundo", "order_id", "orders_order"),
        same_store_key("orders_revertundo", "revert_id", "orders_revert"),
        same_store_key("orders_revertundo", "remark_id", "stores_remark"),
        before("UPDATE OR DELETE", "orders.RevertUndo", "insert_only"),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40)),
                ("query", models.CharField(max_length=2000)),
                ("created_at", models.DateTimeField()),
                (
                    "owner",
                    models.ForeignKey(
                        settings.AUTH_USER_MODEL,
                        models.CASCADE,
                        blank=True,
                        db_index=False,
                        null=True,
                        related_name="+",
                    ),
                ),
                STORE,
            ],
            options={
                "verbose_name": "saved view",
                "ordering": ("id",),
                **OF_STORE,
                "indexes": [models.Index(models.F("owner"), name="saved_view_of_owner")],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("store"),
                        models.F("owner"),
                        Lower("name"),
                        name="saved_view_name_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("name", ""), _negated=True), models.Q(("query", ""), _negated=True)
                        ),
                        name="saved_view_is_something",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        migrations.RunSQL(TAGGED, "DROP FUNCTION orders_tagged"),
    ])]
