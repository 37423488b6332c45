"""Lots of store credits, which redemptions point at; what used them points at orders and redemptions."""

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

    replaces = [("credits", "0001_initial")]

    dependencies = [("stores", "0001_squashed_0012_customers_by_equality")]

    operations = [
        migrations.CreateModel(
            name="CreditLot",
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
                ("granted", models.DecimalField(decimal_places=3, max_digits=18)),
                ("remaining", models.DecimalField(decimal_places=3, max_digits=18)),
                ("currency", models.CharField(max_length=3)),
                ("customer", SameStoreKey("stores.customer")),
                ("extended_from", SameStoreKey("credits.creditlot", blank=True, null=True)),
                STORE,
                ("booked_off", models.BooleanField(db_default=False, default=False)),
            ],
            options={
                "verbose_name": "store credit lot",
                **OF_STORE,
                "indexes": [
                    models.Index(
                        models.F("customer"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="creditlot_of_customer",
                    ),
                    models.Index(
                        models.F("customer"),
                        models.F("expires_at"),
                        condition=models.Q(("remaining__gt", 0)),
                        name="creditlot_open",
                    ),
                    models.Index(
                        models.F("store"),
                        models.F("expires_at"),
                        condition=models.Q(("remaining__gt", 0)),
                        name="creditlot_expiring",
                    ),
                    models.Index(
                        models.F("expires_at"),
                        condition=models.Q(("expires_at__isnull", False), ("remaining__gt", 0)),
                        name="creditlot_to_expire",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("remaining__gte", 0), ("remaining__lte", models.F("granted"))),
                        name="creditlot_remaining_within",
                    ),
                    models.CheckConstraint(condition=models.Q(("granted__gt", 0)), name="creditlot_granted_positive"),
                    models.CheckConstraint(
                        condition=models.Q(("booked_off", False), ("remaining", 0), _connector="OR"),
                        name="creditlot_booked_off_is_empty",
                    ),
                ],
            },
            managers=UNSCOPED,
        ),
        # Before the keys that point here: constraints of a table with defaults are made at a migration's end.
        migrations.AddConstraint(
            model_name="creditlot",
            constraint=models.UniqueConstraint(fields=("store", "id"), name="creditlot_in_store"),
        ),
        Together([
        same_store_key("credits_creditlot", "customer_id", "stores_customer"),
        same_store_key("credits_creditlot", "extended_from_id", "credits_creditlot"),
        before("DELETE", "credits.CreditLot", "keep_lots"),
        before(
            "UPDATE",
            "credits.CreditLot",
            "only_remaining_changes",
            when=changed(
                "id", "store_id", "granted_at", "expires_at", "origin", "extended_from_id", "granted", "currency"
            ),
        ),
        before(
            "UPDATE", "credits.CreditLot", "changes_hands_by_merging", when=changed("customer_id"), do=UNLESS_MERGED
        ),
        ]),
    ]
