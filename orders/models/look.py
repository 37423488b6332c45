"""Who is looking at which order of the queue (B2)."""

from typing import Any, ClassVar

from django.db import models

from loyalty.database.retention import Kept
from loyalty.database.rights import Rights
from loyalty.stores.scoping import SameStoreKey, StoreOwned


class Look(StoreOwned):
    """That somebody is looking at an order of the queue since ``created_at``, seen there last at ``seen_at`` (B2).

    A courtesy, no lock: it keeps the queue from handing one order to two people, and lapses some minutes after
    ``seen_at``. Whoever writes one holds the order's lock.
    """

    order = SameStoreKey("orders.Order")
    actor = models.CharField(max_length=100)
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    rights = Rights(changes=("seen_at",), deletes=True)
    retention = Kept(days=1, since="seen_at", why="a courtesy of minutes")

    class Meta(StoreOwned.Meta):
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["order"], name="look_once")]
        indexes: ClassVar[list[Any]] = [models.Index("store", "actor", name="look_of_person")]

    def __str__(self) -> str:
        return f"{self.actor} at {self.order_id}"
