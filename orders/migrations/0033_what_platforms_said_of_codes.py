"""What a platform answered when it was asked whether a code had been used: a worker asks, and the web looks here."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0032_rows_of_imports_in_order")]

    operations = [
        migrations.AddField("redemption", "platform_said", models.CharField(max_length=11, null=True)),
        migrations.AddField("redemption", "platform_said_at", models.DateTimeField(null=True)),
    ]
