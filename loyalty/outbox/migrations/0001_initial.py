"""Messages to others, kept until they are delivered."""

from django.db import migrations, models

from loyalty.stores.scoping import SameStoreKey, same_store_key

OF_STORE = {"base_manager_name": "unscoped", "default_manager_name": "unscoped"}
UNSCOPED = [("unscoped", models.Manager())]
STORE = ("store", models.ForeignKey("stores.store", models.PROTECT, db_index=False, editable=False, related_name="+"))


class Migration(migrations.Migration):
    initial = True

    dependencies = [("orders", "0001_squashed_0026_orders_by_tags")]

    operations = [
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("topic", models.CharField(max_length=50)),
                ("key", models.CharField(max_length=200)),
                ("lane", models.CharField(blank=True, max_length=50)),
                ("body", models.JSONField(default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[("queued", "Waiting"), ("done", "Done"), ("failed", "Given up")],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(blank=True, null=True)),
                ("last_error", models.TextField(blank=True)),
                ("created_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("order", SameStoreKey("orders.order", blank=True, null=True)),
                STORE,
            ],
            options={
                "verbose_name": "outgoing message",
                **OF_STORE,
                "indexes": [
                    models.Index(
                        models.F("next_attempt_at"),
                        models.F("id"),
                        condition=models.Q(("status", "queued")),
                        name="message_due",
                    ),
                    models.Index(
                        models.F("order"), condition=models.Q(("order__isnull", False)), name="message_of_order"
                    ),
                    models.Index(
                        models.F("store"),
                        models.F("lane"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="message_of_lane",
                    ),
                    models.Index(
                        models.F("created_at"),
                        condition=models.Q(("status", "queued"), _negated=True),
                        name="message_to_prune",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "id"), name="message_in_store"),
                    models.UniqueConstraint(fields=("store", "key"), name="message_key_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("done_at__isnull", False), ("status", "done")),
                            models.Q(models.Q(("status", "done"), _negated=True), ("done_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="message_done_means_done_at",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("next_attempt_at__isnull", False), ("status", "queued")),
                            models.Q(models.Q(("status", "queued"), _negated=True), ("next_attempt_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="message_queued_has_its_turn",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("outbox_message", "order_id", "orders_order"),
    ]
