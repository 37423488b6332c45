"""Platforms' shops, what they delivered, and what they asked for to protect privacy."""

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

    replaces = [
        ("platforms", "0001_connections"),
        ("platforms", "0002_deliveries"),
        ("platforms", "0003_polling_and_repair"),
        ("platforms", "0004_deliveries_read_in_part"),
        ("platforms", "0005_erasures_are_confirmed"),
        ("platforms", "0006_what_platforms_answered"),
        ("platforms", "0007_whose_shop"),
        ("platforms", "0008_turns_of_shops"),
    ]

    dependencies = [("orders", "0001_squashed_0026_orders_by_tags")]

    operations = [Together([
        migrations.CreateModel(
            name="InboundDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "platform",
                    models.CharField(
                        choices=[
                            ("shopify", "Shopify"),
                            ("woocommerce", "WooCommerce"),
                            ("shopline", "SHOPLINE"),
                            ("shopline_global", "SHOPLINE Global"),
                        ],
                        max_length=20,
                    ),
                ),
                ("topic", models.CharField(max_length=100)),
                ("key", models.CharField(max_length=200)),
                ("is_test", models.BooleanField(default=False, verbose_name="test")),
                ("headers", models.JSONField(default=dict)),
                ("body", models.BinaryField()),
                ("received_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("retrying", "Failed, is tried again"),
                            ("done", "Done"),
                            ("ignored", "Nothing to do"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(blank=True, null=True)),
                ("outcome", models.CharField(blank=True, max_length=300)),
                ("last_error", models.TextField(blank=True)),
                ("processed_at", models.DateTimeField(blank=True, null=True)),
                ("external_id", models.CharField(blank=True, max_length=100)),
                ("redacted_at", models.DateTimeField(blank=True, null=True)),
                ("order", SameStoreKey("orders.order", blank=True, null=True)),
                STORE,
                (
                    "left_out",
                    ArrayField(
                        base_field=models.CharField(max_length=100), blank=True, db_default=[], default=list, size=None
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook delivery",
                "verbose_name_plural": "webhook deliveries",
                **OF_STORE,
                "indexes": [
                    models.Index(
                        models.F("store"),
                        models.F("platform"),
                        models.F("next_attempt_at"),
                        models.F("id"),
                        condition=models.Q(("next_attempt_at__isnull", False)),
                        name="inbound_delivery_turns",
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("state__in", ("retrying", "failed"))),
                        name="inbound_delivery_failing",
                    ),
                    models.Index(
                        models.F("store"),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("left_out", []), _negated=True),
                        name="inbound_delivery_not_in_full",
                    ),
                    models.Index(
                        models.F("order"),
                        condition=models.Q(("order__isnull", False)),
                        name="inbound_delivery_of_order",
                    ),
                    models.Index(models.F("received_at"), name="inbound_delivery_oldest"),
                    models.Index(
                        models.F("key"),
                        condition=models.Q(("platform", "shopline")),
                        name="inbound_delivery_sent_again",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "id"), name="inbound_delivery_in_store"),
                    models.UniqueConstraint(fields=("store", "platform", "key"), name="inbound_delivery_once"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "retrying", "done", "ignored", "failed"])),
                        name="inbound_delivery_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("next_attempt_at__isnull", False), ("state__in", ("waiting", "retrying"))),
                            models.Q(
                                models.Q(("state__in", ("waiting", "retrying")), _negated=True),
                                ("next_attempt_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="inbound_delivery_open_has_its_turn",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("platforms_inbounddelivery", "order_id", "orders_order"),
        migrations.CreateModel(
            name="PlatformConnection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "platform",
                    models.CharField(
                        choices=[
                            ("shopify", "Shopify"),
                            ("woocommerce", "WooCommerce"),
                            ("shopline", "SHOPLINE"),
                            ("shopline_global", "SHOPLINE Global"),
                        ],
                        max_length=20,
                    ),
                ),
                ("base_url", models.URLField(blank=True, max_length=300, verbose_name="shop address")),
                ("access_token", EncryptedField(blank=True, default=Secret, editable=False)),
                ("consumer_key", EncryptedField(blank=True, default=Secret, editable=False)),
                ("consumer_secret", EncryptedField(blank=True, default=Secret, editable=False)),
                ("webhook_secret", EncryptedField(blank=True, default=Secret, editable=False)),
                ("previous_webhook_secret", EncryptedField(blank=True, default=Secret, editable=False)),
                ("previous_secret_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("api_version", models.CharField(blank=True, max_length=20, verbose_name="API version")),
                (
                    "tag_meta_key",
                    models.CharField(blank=True, max_length=100, verbose_name="field that holds the tags"),
                ),
                ("polled_to", models.DateTimeField(blank=True, editable=False, null=True)),
                ("enabled", models.BooleanField(default=True)),
                ("uninstalled_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("last_delivery_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("last_checked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("last_error", models.TextField(blank=True, editable=False)),
                (
                    "webhooks",
                    models.CharField(
                        choices=[
                            ("unknown", "Not checked yet"),
                            ("working", "Registered"),
                            ("incomplete", "Missing or switched off"),
                            ("by_hand", "Set up by hand"),
                        ],
                        default="unknown",
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                STORE,
                ("poll_cursor", models.TextField(blank=True, editable=False)),
                ("poll_error", models.TextField(blank=True, editable=False)),
                ("poll_failures", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("poll_lease", models.UUIDField(blank=True, editable=False, null=True)),
                ("poll_leased_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("poll_not_before", models.DateTimeField(blank=True, editable=False, null=True)),
                ("poll_since", models.DateTimeField(blank=True, editable=False, null=True)),
                ("poll_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("webhook_address", models.CharField(blank=True, editable=False, max_length=500)),
                ("webhooks_checked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("last_answer", models.TextField(blank=True, db_default="", editable=False)),
                ("merchant_id", models.CharField(blank=True, db_default="", default="", editable=False, max_length=64)),
            ],
            options={
                **OF_STORE,
                "constraints": [
                    models.UniqueConstraint(fields=("store", "id"), name="platform_connection_in_store"),
                    models.UniqueConstraint(fields=("store", "platform"), name="platform_connection_once"),
                    models.CheckConstraint(
                        condition=models.Q(("platform__in", ["shopify", "woocommerce", "shopline", "shopline_global"])),
                        name="platform_connection_is_known",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        migrations.CreateModel(
            name="PrivacyRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "platform",
                    models.CharField(
                        choices=[
                            ("shopify", "Shopify"),
                            ("woocommerce", "WooCommerce"),
                            ("shopline", "SHOPLINE"),
                            ("shopline_global", "SHOPLINE Global"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("data", "Customer asks for their data"),
                            ("erase_customer", "Erase a customer"),
                            ("erase_shop", "Erase the shop's customers"),
                        ],
                        max_length=20,
                    ),
                ),
                ("key", models.CharField(max_length=200)),
                ("facts", models.JSONField(default=dict)),
                ("received_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("done_by", models.CharField(blank=True, max_length=100)),
                ("customer", SameStoreKey("stores.customer", blank=True, null=True)),
                STORE,
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("confirmed_by", models.CharField(blank=True, max_length=100)),
            ],
            options={
                "verbose_name": "privacy request",
                **OF_STORE,
                "indexes": [
                    models.Index(
                        models.F("store"),
                        models.F("id"),
                        condition=models.Q(("confirmed_at__isnull", True), ("done_at__isnull", True)),
                        name="privacy_request_waits",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "id"), name="privacy_request_in_store"),
                    models.UniqueConstraint(fields=("store", "platform", "key"), name="privacy_request_once"),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("platforms_privacyrequest", "customer_id", "stores_customer"),
    ])]
