"""Stores' endpoints for webhooks, and every attempt to reach them."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

from loyalty.core.encryption import EncryptedField, Secret
from loyalty.database.migrating.together import Together
from loyalty.stores.scoping import SameStoreKey, same_store_key

OF_STORE = {"base_manager_name": "unscoped", "default_manager_name": "unscoped"}
UNSCOPED = [("unscoped", models.Manager())]
STORE = ("store", models.ForeignKey("stores.store", models.PROTECT, db_index=False, editable=False, related_name="+"))


class Migration(migrations.Migration):
    initial = True

    dependencies = [("outbox", "0001_initial")]

    operations = [Together([
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[],
            options={
                "verbose_name": "webhook delivery",
                "verbose_name_plural": "webhook deliveries",
                "proxy": True,
                **OF_STORE,
            },
            bases=("outbox.message",),
            managers=UNSCOPED,
        ),
        migrations.CreateModel(
            name="WebhookAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("status_code", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("error", models.CharField(blank=True, max_length=300)),
                ("answer", models.TextField(blank=True)),
                ("milliseconds", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField()),
                ("message", SameStoreKey("outbox.message", on_delete=models.CASCADE, related_name="webhook_attempts")),
                STORE,
            ],
            options={
                **OF_STORE,
                "indexes": [models.Index(models.F("message"), models.F("id"), name="webhook_attempt_of_message")],
            },
            managers=UNSCOPED,
        ),
        same_store_key("webhooks_webhookattempt", "message_id", "outbox_message"),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("url", models.URLField(max_length=500, verbose_name="address")),
                ("description", models.CharField(blank=True, max_length=100)),
                ("events", ArrayField(base_field=models.CharField(max_length=50), size=None)),
                ("secret", EncryptedField(blank=True, default=Secret, editable=False)),
                ("previous_secret", EncryptedField(blank=True, default=Secret, editable=False)),
                ("previous_secret_until", models.DateTimeField(blank=True, null=True)),
                ("disabled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "disabled_because",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("person", "Switched off by hand"),
                            ("failing", "Switched off: it failed for five days"),
                            ("gone", "Switched off: it answered that it is gone (410)"),
                        ],
                        max_length=10,
                    ),
                ),
                ("failures", models.PositiveIntegerField(default=0)),
                ("failing_since", models.DateTimeField(blank=True, null=True)),
                ("paused_until", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
                STORE,
            ],
            options={
                **OF_STORE,
                "constraints": [
                    models.UniqueConstraint(fields=("store", "id"), name="webhook_endpoint_in_store"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("disabled_at__isnull", True), ("disabled_because", "")),
                            models.Q(
                                ("disabled_at__isnull", False), ("disabled_because__in", ["person", "failing", "gone"])
                            ),
                            _connector="OR",
                        ),
                        name="webhook_endpoint_disabled_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("failing_since__isnull", True), ("failures", 0)),
                            models.Q(("failing_since__isnull", False), ("failures__gt", 0)),
                            _connector="OR",
                        ),
                        name="webhook_endpoint_failing_since",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("deleted_at__isnull", True), ("disabled_at__isnull", False), _connector="OR"
                        ),
                        name="webhook_endpoint_deleted_is_off",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
    ])]
