"""What staff's work leaves behind beside the orders: undone reverts, and who is looking at which order of the queue.

Imported by :mod:`orders.models`, where everybody else takes them from.
"""

from typing import Any, ClassVar

import pgtrigger
from django.db import models

from loyalty.database.rights import INSERT_ONLY, Rights
from loyalty.stores.actors import Trigger
from loyalty.stores.scoping import SameStoreKey, StoreOwned


class RevertUndo(StoreOwned):
    """That a revert was undone: by whom, when, why (M11). Insert-only, and one row a revert at most.

    A revert never changes; it was undone when a row points to it. The movements of type *undo* name the revert, too.
    """

    revert = SameStoreKey("orders.Revert")
    order = SameStoreKey("orders.Order")
    remark = SameStoreKey("stores.Remark", null=True, blank=True)
    actor = models.CharField(max_length=100)
    trigger = models.CharField(max_length=20)
    created_at = models.DateTimeField()

    rights = INSERT_ONLY

    class Meta(StoreOwned.Meta):
        verbose_name = "undone return"
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["revert"], name="revert_undone_once"),
            models.CheckConstraint(condition=models.Q(trigger__in=list(Trigger)), name="revert_undo_trigger_is_known"),
        ]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="insert_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"Undo of return {self.revert_id}"


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

    class Meta(StoreOwned.Meta):
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["order"], name="look_once")]
        indexes: ClassVar[list[Any]] = [models.Index("store", "actor", name="look_of_person")]

    def __str__(self) -> str:
        return f"{self.actor} at {self.order_id}"
