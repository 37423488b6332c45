"""Whose shop a connection is, where an app's secret is the same for many, as its platform says when it is asked."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("platforms", "0006_what_platforms_answered")]

    operations = [
        migrations.AddField(
            model_name="platformconnection",
            name="merchant_id",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=64),
        ),
        migrations.AddIndex(
            model_name="inbounddelivery",
            index=models.Index(
                models.F("key"), condition=models.Q(("platform", "shopline")), name="inbound_delivery_sent_again"
            ),
        ),
    ]
