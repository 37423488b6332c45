"""Answers to commands, kept for the same command sent again."""

from django.db import migrations, models


OF_STORE = {"base_manager_name": "unscoped", "default_manager_name": "unscoped"}
UNSCOPED = [("unscoped", models.Manager())]
STORE = ("store", models.ForeignKey("stores.store", models.PROTECT, db_index=False, editable=False, related_name="+"))


class Migration(migrations.Migration):
    initial = True

    replaces = [("api", "0001_initial"), ("api", "0002_initial"), ("api", "0003_store_key_without_index")]

    dependencies = [("stores", "0001_squashed_0012_customers_by_equality")]

    operations = [
        migrations.CreateModel(
            name="CommandAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=255)),
                ("fingerprint", models.CharField(max_length=64)),
                ("status", models.PositiveSmallIntegerField()),
                ("headers", models.JSONField(default=dict)),
                ("body", models.BinaryField()),
                ("created_at", models.DateTimeField()),
                STORE,
            ],
            options={
                **OF_STORE,
                "indexes": [models.Index(models.F("created_at"), name="command_answer_age")],
                "constraints": [models.UniqueConstraint(fields=("store", "key"), name="command_answer_once")],
            },
            managers=UNSCOPED,
        )
    ]
