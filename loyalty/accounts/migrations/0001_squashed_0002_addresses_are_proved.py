"""Invitations, letters to people who sign in, and how often signing in was tried."""

from django.conf import settings
from django.db import migrations, models

from loyalty.database.migrating.together import Together
from loyalty.stores.scoping import SameStoreKey, same_store_key

OF_STORE = {"base_manager_name": "unscoped", "default_manager_name": "unscoped"}
UNSCOPED = [("unscoped", models.Manager())]
STORE = ("store", models.ForeignKey("stores.store", models.PROTECT, db_index=False, editable=False, related_name="+"))


class Migration(migrations.Migration):
    initial = True

    replaces = [("accounts", "0001_initial"), ("accounts", "0002_addresses_are_proved")]

    dependencies = [("stores", "0001_squashed_0012_customers_by_equality")]

    operations = [Together([
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", models.EmailField(max_length=254)),
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
                ("invited_by", models.CharField(max_length=100)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("secret_hash", models.CharField(blank=True, max_length=64)),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "accepted_by",
                    models.ForeignKey(
                        settings.AUTH_USER_MODEL, models.SET_NULL, blank=True, null=True, related_name="+"
                    ),
                ),
                STORE,
            ],
            options={
                **OF_STORE,
                "constraints": [
                    models.UniqueConstraint(fields=("store", "id"), name="invitation_in_store"),
                    models.UniqueConstraint(
                        condition=models.Q(("accepted_at__isnull", True), ("withdrawn_at__isnull", True)),
                        fields=("store", "email"),
                        name="invitation_open_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["owner", "manager", "support", "viewer"])),
                        name="invitation_role_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("accepted_at__isnull", True), ("withdrawn_at__isnull", True), _connector="OR"
                        ),
                        name="invitation_accepted_or_withdrawn",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        migrations.CreateModel(
            name="Letter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("reset", "A link to choose a password"),
                            ("invitation", "An invitation"),
                            ("news", "What was changed on the account"),
                        ],
                        max_length=10,
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                ("base", models.CharField(max_length=300)),
                ("subject", models.CharField(blank=True, max_length=200)),
                ("text", models.TextField(blank=True)),
                ("created_at", models.DateTimeField()),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField()),
                ("last_error", models.CharField(blank=True, max_length=200)),
                ("invitation", SameStoreKey("accounts.invitation", blank=True, null=True)),
                ("store", models.ForeignKey("stores.store", models.CASCADE, blank=True, null=True, related_name="+")),
            ],
            options={
                "indexes": [models.Index(models.F("next_attempt_at"), name="letter_due")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("invitation__isnull", False), ("kind", "invitation"), ("store__isnull", False)),
                            models.Q(
                                models.Q(("kind", "invitation"), _negated=True),
                                ("invitation__isnull", True),
                                ("store__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="letter_invitation_names_it",
                    )
                ],
            },
        ),
        same_store_key("accounts_letter", "invitation_id", "accounts_invitation"),
        migrations.CreateModel(
            name="Tries",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("account", models.CharField(blank=True, max_length=64)),
                ("client", models.CharField(blank=True, max_length=64)),
                ("count", models.PositiveIntegerField(default=0)),
                ("last_at", models.DateTimeField()),
                ("paused_until", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name_plural": "tries",
                "indexes": [
                    models.Index(models.F("account"), name="tries_of_account"),
                    models.Index(models.F("last_at"), name="tries_to_prune"),
                ],
                "constraints": [models.UniqueConstraint(fields=("kind", "account", "client"), name="tries_once")],
            },
        ),
    ])]
