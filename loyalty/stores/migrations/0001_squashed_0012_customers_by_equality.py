"""Stores, the people who work in them, and their customers."""

from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import BtreeGinExtension, TrigramExtension
from django.core.validators import RegexValidator
from django.db import migrations, models
from django.db.models.functions import Lower, Upper

from loyalty.database.migrating.together import Together
from loyalty.database.triggers import before
from loyalty.stores.models import Dialled, Folded, check_time_zone
from loyalty.stores.scoping import SameStoreKey, same_store_key
from loyalty.stores.slugs import check_slug

OF_STORE = {"base_manager_name": "unscoped", "default_manager_name": "unscoped"}
UNSCOPED = [("unscoped", models.Manager())]
STORE = ("store", models.ForeignKey("stores.store", models.PROTECT, db_index=False, editable=False, related_name="+"))

# Customers by a part of their name or e-mail, which no policy lets an index find (ADR 0039).
CALLED = """
CREATE FUNCTION customers_called(of_store bigint, pattern text) RETURNS SETOF bigint
LANGUAGE sql STABLE STRICT PARALLEL SAFE SECURITY DEFINER ROWS 50
BEGIN ATOMIC
    SELECT id FROM stores_customer
    WHERE store_id = of_store AND (upper(name) LIKE upper(pattern) OR upper(email) LIKE upper(pattern))
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
        ("stores", "0001_initial"),
        ("stores", "0002_customer_search"),
        ("stores", "0003_sent_forms"),
        ("stores", "0004_store_key_without_index"),
        ("stores", "0005_days_of_adjusting"),
        ("stores", "0006_platform_ids"),
        ("stores", "0007_second_factor"),
        ("stores", "0008_slugs_in_addresses"),
        ("stores", "0009_merging"),
        ("stores", "0010_phones"),
        ("stores", "0011_remarks_stay"),
        ("stores", "0012_customers_by_equality"),
    ]

    dependencies = [("auth", "0012_alter_user_first_name_max_length")]

    operations = [Together([
        TrigramExtension(),
        BtreeGinExtension(),
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("email", models.EmailField(max_length=254, unique=True, verbose_name="e-mail address")),
                ("name", models.CharField(blank=True, max_length=100)),
                ("is_staff", models.BooleanField(default=True, verbose_name="may sign in")),
                ("is_active", models.BooleanField(default=True)),
                ("date_joined", models.DateTimeField(auto_now_add=True)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "ordering": ("email",),
                "constraints": [models.UniqueConstraint(Lower("email"), name="user_email_ignoring_case")],
            },
        ),
        migrations.CreateModel(
            name="Store",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(unique=True, validators=[check_slug])),
                ("name", models.CharField(max_length=100)),
                (
                    "currency",
                    models.CharField(
                        max_length=3, validators=[RegexValidator("^[A-Z]{3}$", "Three capital letters: USD.")]
                    ),
                ),
                ("time_zone", models.CharField(max_length=50, validators=[check_time_zone])),
                ("locale", models.CharField(default="en", max_length=20)),
                ("created_at", models.DateTimeField()),
                (
                    "second_factor",
                    models.CharField(
                        choices=[
                            ("nobody", "Nobody has to"),
                            ("managers", "Owners and managers"),
                            ("everybody", "Everybody who works here"),
                        ],
                        default="nobody",
                        max_length=10,
                    ),
                ),
            ],
            options={
                "ordering": ("name",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="store_currency_is_a_code"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("second_factor__in", ["nobody", "managers", "everybody"])),
                        name="store_second_factor_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("external_id", models.CharField(blank=True, max_length=100, null=True)),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                ("name", models.CharField(blank=True, max_length=200)),
                ("phone", models.CharField(blank=True, max_length=50)),
                ("locale", models.CharField(blank=True, max_length=20)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                STORE,
                ("merged_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("merged_into", SameStoreKey("stores.customer", blank=True, editable=False, null=True)),
                (
                    "folded_email",
                    models.GeneratedField(db_persist=True, expression=Folded("email"), output_field=models.TextField()),
                ),
                (
                    "dialled_phone",
                    models.GeneratedField(
                        db_persist=True, expression=Dialled("phone"), output_field=models.TextField()
                    ),
                ),
            ],
            options={
                **OF_STORE,
                "indexes": [
                    models.Index(
                        models.F("store"), models.OrderBy(models.F("id"), descending=True), name="customer_newest"
                    ),
                    models.Index(models.F("store"), models.F("folded_email"), name="customer_folded_email"),
                    models.Index(
                        models.F("store"),
                        models.F("dialled_phone"),
                        condition=models.Q(("dialled_phone__gt", "")),
                        name="customer_dialled_phone",
                    ),
                    models.Index(
                        models.F("merged_into"),
                        condition=models.Q(("merged_into__isnull", False)),
                        name="customer_merged_into",
                    ),
                    GinIndex(
                        models.F("store"),
                        OpClass(Upper("name"), "gin_trgm_ops"),
                        OpClass(Upper("email"), "gin_trgm_ops"),
                        name="customer_search",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "id"), name="customer_in_store"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("merged_at__isnull", True), ("merged_into__isnull", True)),
                            models.Q(
                                ("merged_at__isnull", False),
                                ("merged_into__isnull", False),
                                models.Q(("merged_into", models.F("id")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="customer_merged_into_another",
                    ),
                    models.UniqueConstraint(fields=("store", "external_id"), name="customer_external_id_once"),
                    models.CheckConstraint(
                        condition=models.Q(("external_id", ""), _negated=True), name="customer_external_id_not_empty"
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("stores_customer", "merged_into_id", "stores_customer"),
        migrations.CreateModel(
            name="SettingsVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField()),
                ("data", models.JSONField()),
                ("actor", models.CharField(max_length=100)),
                ("created_at", models.DateTimeField()),
                STORE,
            ],
            options={
                **OF_STORE,
                "constraints": [models.UniqueConstraint(fields=("store", "version"), name="settings_version_once")],
            },
            managers=UNSCOPED,
        ),
        migrations.CreateModel(
            name="SentForm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token", models.CharField(max_length=40, unique=True)),
                ("created_at", models.DateTimeField()),
                STORE,
            ],
            options=OF_STORE,
            managers=UNSCOPED,
        ),
        migrations.CreateModel(
            name="Remark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("note", models.TextField(blank=True, max_length=2000)),
                ("created_at", models.DateTimeField()),
                STORE,
            ],
            options={
                **OF_STORE,
                "constraints": [models.UniqueConstraint(fields=("store", "id"), name="remark_in_store")],
            },
            managers=UNSCOPED,
        ),
        before(
            "UPDATE", "stores.Remark", "is_emptied_or_stays", when="NOT (NEW.\"note\" = '' AND NEW.\"reason\" = '')"
        ),
        migrations.CreateModel(
            name="PlatformId",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("platform", models.CharField(max_length=20)),
                ("external_id", models.CharField(max_length=100)),
                ("created_at", models.DateTimeField()),
                ("replaced_at", models.DateTimeField(blank=True, null=True)),
                ("customer", SameStoreKey("stores.customer")),
                STORE,
            ],
            options={
                "verbose_name": "platform id",
                **OF_STORE,
                "indexes": [
                    models.Index(models.F("customer"), name="platform_id_of_customer"),
                    models.Index(models.F("store"), models.F("external_id"), name="platform_id_search"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "platform", "external_id"), name="platform_id_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("replaced_at__isnull", True)),
                        fields=("customer", "platform"),
                        name="platform_id_current_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("platform", ""), _negated=True), models.Q(("external_id", ""), _negated=True)
                        ),
                        name="platform_id_not_empty",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        same_store_key("stores_platformid", "customer_id", "stores_customer"),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "Owner"),
                            ("manager", "Manager"),
                            ("support", "Support"),
                            ("viewer", "Viewer"),
                        ],
                        max_length=10,
                    ),
                ),
                ("user", models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")),
                ("store", models.ForeignKey("stores.store", models.PROTECT, related_name="memberships")),
            ],
            options={
                "verbose_name": "staff member",
                "constraints": [
                    models.UniqueConstraint(fields=("store", "user"), name="membership_once_per_store"),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["owner", "manager", "support", "viewer"])),
                        name="membership_role_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DayOfAdjusting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("credits", "Credits"), ("points", "Points")], max_length=7)),
                ("day", models.DateField()),
                ("amount", models.DecimalField(decimal_places=3, default=Decimal("0"), max_digits=18)),
                STORE,
                ("user", models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")),
            ],
            options={
                **OF_STORE,
                "indexes": [models.Index(models.F("day"), name="dayofadjusting_by_day")],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "user", "kind", "day"), name="dayofadjusting_once"),
                    models.CheckConstraint(condition=models.Q(("amount__gte", 0)), name="dayofadjusting_not_negative"),
                ],
            },
            managers=UNSCOPED,
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100)),
                ("prefix", models.CharField(editable=False, max_length=16, unique=True)),
                ("secret_hash", models.CharField(editable=False, max_length=64)),
                ("scopes", ArrayField(base_field=models.CharField(max_length=40), size=None)),
                ("created_at", models.DateTimeField(editable=False)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, editable=False, null=True)),
                STORE,
            ],
            options={"verbose_name": "API key", "ordering": ("-created_at", "-id"), **OF_STORE},
            managers=UNSCOPED,
        ),
        migrations.RunSQL(CALLED, "DROP FUNCTION customers_called"),
    ])]
