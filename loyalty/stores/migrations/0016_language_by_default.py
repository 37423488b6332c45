"""Code of the release before writes rows without a language: the database says it is the store's own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stores", "0015_settings_versions")]

    operations = [
        migrations.AlterField(
            "user", "language", models.CharField(blank=True, db_default="", default="", max_length=20)
        ),
    ]
