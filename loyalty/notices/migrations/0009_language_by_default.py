"""Code of the release before writes rows without a language: the database says it is the store's own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notices", "0008_due_of_a_store")]

    operations = [
        migrations.AlterField(
            "notice", "language", models.CharField(blank=True, db_default="", default="", max_length=20)
        ),
    ]
