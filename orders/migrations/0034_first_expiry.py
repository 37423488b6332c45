"""An order knows when the first of the lots that it drew on expires. What tells it follows in `credits` and `points`."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0033_what_platforms_said_of_codes")]

    operations = [
        migrations.AddField("order", "first_expiry", models.DateTimeField(blank=True, editable=False, null=True))
    ]
