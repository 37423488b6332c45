"""Notices to customers, and the lots that they were reminded of."""

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
        ("notices", "0001_initial"),
        ("notices", "0002_initial"),
        ("notices", "0003_reminders"),
        ("notices", "0004_store_key_without_index"),
        ("notices", "0005_withdrawn_notices"),
        ("notices", "0006_sent_notices_stay"),
    ]

    dependencies = [
        ("orders", "0001_squashed_0026_orders_by_tags"),
        ("credits", "0002_squashed_0009_merging"),
        ("points", "0001_squashed_0009_merging"),
    ]

    operations = [Together([
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("to_email", models.EmailField(max_length=254)),
                ("subject", models.CharField(max_length=200)),
                ("text", models.TextField()),
                ("html", models.TextField()),
                ("message_id", models.CharField(max_length=200, unique=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting to be sent"),
                            ("sent", "Sent"),
                            ("failed", "Could not be sent"),
                            ("withdrawn", "Withdrawn, not sent"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(blank=True, null=True)),
                ("last_error", models.TextField(blank=True)),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("customer", SameStoreKey("stores.customer")),
                ("order", SameStoreKey("orders.order", blank=True, null=True)),
                STORE,
            ],
            options={
                **OF_STORE,
                "indexes": [
                    models.Index(
                        models.F("next_attempt_at"), condition=models.Q(("status", "queued")), name="notice_due"
                    ),
                    models.Index(
                        models.F("order"), condition=models.Q(("order__isnull", False)), name="notice_of_order"
                    ),
                    models.Index(
                        models.F("customer"), models.OrderBy(models.F("id"), descending=True), name="notice_of_customer"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "id"), name="notice_in_store"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sent_at__isnull", False), ("status", "sent")),
                            models.Q(models.Q(("status", "sent"), _negated=True), ("sent_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="notice_sent_means_sent_at",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "queued"), _negated=True),
                            ("next_attempt_at__isnull", False),
                            _connector="OR",
                        ),
                        name="notice_queued_has_its_turn",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("notices_notice", "customer_id", "stores_customer"),
        same_store_key("notices_notice", "order_id", "orders_order"),
        before(
            "UPDATE",
            "notices.Notice",
            "sent_stays",
            when="OLD.\"status\" = 'sent'",
            do="""
IF (NEW.to_email, NEW.subject, NEW.text, NEW.html) = ('', 'Erased', '', '') THEN
    -- A person is erased: the address and the words go, the rest stays.
    OLD.to_email := '';
    OLD.subject := 'Erased';
    OLD.text := '';
    OLD.html := '';
END IF;
IF EXISTS (SELECT FROM stores_customer WHERE id = OLD.customer_id AND merged_into_id = NEW.customer_id) THEN
    OLD.customer_id := NEW.customer_id;
END IF;
IF NEW IS DISTINCT FROM OLD THEN
    RAISE EXCEPTION 'A notice that was sent stays as it was.' USING ERRCODE = 'restrict_violation';
END IF;
RETURN NEW;
""",
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField()),
                ("credit_lot", SameStoreKey("credits.creditlot", blank=True, null=True)),
                ("customer", SameStoreKey("stores.customer")),
                ("notice", SameStoreKey("notices.notice")),
                ("point_lot", SameStoreKey("points.pointlot", blank=True, null=True)),
                STORE,
            ],
            options={
                **OF_STORE,
                "constraints": [
                    models.UniqueConstraint(fields=("credit_lot",), name="reminder_once_for_credits"),
                    models.UniqueConstraint(fields=("point_lot",), name="reminder_once_for_points"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("credit_lot__isnull", False), ("point_lot__isnull", True)),
                            models.Q(("credit_lot__isnull", True), ("point_lot__isnull", False)),
                            _connector="OR",
                        ),
                        name="reminder_is_about_one_lot",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("notices_reminder", "customer_id", "stores_customer"),
        same_store_key("notices_reminder", "notice_id", "notices_notice"),
        same_store_key("notices_reminder", "credit_lot_id", "credits_creditlot"),
        same_store_key("notices_reminder", "point_lot_id", "points_pointlot"),
        before("UPDATE OR DELETE", "notices.Reminder", "insert_only"),
    ])]
