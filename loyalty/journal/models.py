"""The journal: what happened, to which order or customer, by whom (H2)."""

from typing import ClassVar

import pgtrigger
from django.db import models

from loyalty.stores.scoping import SameStoreKey, StoreOwned


class JournalEntry(StoreOwned):
    """One business event. Insert-only; ``data`` holds facts without personal data, people's words are Remarks."""

    event = models.CharField(max_length=50)
    order = SameStoreKey("orders.Order", null=True, blank=True)
    customer = SameStoreKey("stores.Customer", null=True, blank=True)
    remark = SameStoreKey("stores.Remark", null=True, blank=True)
    actor = models.CharField(max_length=100)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta(StoreOwned.Meta):
        verbose_name = "event"
        verbose_name_plural = "timeline"
        indexes: ClassVar = [
            models.Index("order", "id", condition=models.Q(order__isnull=False), name="journal_of_order"),
            models.Index("store", models.F("id").desc(), name="journal_newest"),
        ]
        triggers: ClassVar = [pgtrigger.Protect(name="insert_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.event
