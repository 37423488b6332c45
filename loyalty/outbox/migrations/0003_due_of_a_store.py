"""What is due is found store by store, because stores take turns; made while others go on writing."""

from typing import ClassVar

from django.db import migrations, models

from loyalty.database.migrating.indexes import AddIndexOnline, RemoveIndexOnline
from loyalty.database.migrating.together import Together


class Migration(migrations.Migration):
    atomic = False
    dependencies: ClassVar = [("outbox", "0002_languages")]
    operations: ClassVar = [Together([
        AddIndexOnline(
            "message",
            models.Index(
                models.F("store"),
                models.F("next_attempt_at"),
                models.F("id"),
                condition=models.Q(status="queued"),
                name="message_due_of_store",
            ),
        ),
        RemoveIndexOnline("message", "message_due"),
    ])]
