"""What gave an order's value back, and what undid that (O3, M11)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext, gettext_lazy

from credits.models import money
from loyalty.database.retention import for_ever
from loyalty.database.rights import INSERT_ONLY
from loyalty.ledger.planner import Amount
from loyalty.stores.actors import Trigger
from loyalty.stores.scoping import SameStoreKey, StoreOwned, unique_in_store
from orders.models.statuses import Completeness


class Revert(StoreOwned):
    """One giving back of one kind: who, when, why, which trigger, which lots (domain §1). Insert-only.

    ``lots`` is the outcome per lot as it was decided, in the shape of the REST contract; the movements that point here
    are what was booked. ``settings_version`` governed it (H4).
    """

    order = SameStoreKey("orders.Order")
    customer = SameStoreKey("stores.Customer")
    kind = models.CharField(max_length=7)
    currency = models.CharField(max_length=3, blank=True)
    amount = money()
    applied = money()
    completeness = models.CharField(max_length=8, choices=Completeness.choices)
    trigger = models.CharField(max_length=20)
    actor = models.CharField(max_length=100)
    remark = SameStoreKey("stores.Remark", null=True, blank=True)
    lots = models.JSONField()
    settings_version = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    rights = INSERT_ONLY
    retention = for_ever("what came back for which order")

    class Meta(StoreOwned.Meta):
        verbose_name = gettext_lazy("revert")
        verbose_name_plural = gettext_lazy("reverts")
        constraints: ClassVar[list[Any]] = [
            unique_in_store("revert_in_store"),
            models.CheckConstraint(condition=Q(kind__in=("credits", "points")), name="revert_kind_is_known"),
            models.CheckConstraint(condition=Q(amount__gt=0, amount__lte=F("applied")), name="revert_amount_within"),
            models.CheckConstraint(condition=Q(trigger__in=list(Trigger)), name="revert_trigger_is_known"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index("store", F("created_at").desc(), F("id").desc(), name="revert_newest"),
            models.Index("order", "id", name="revert_of_order"),
            models.Index("customer", F("id").desc(), name="revert_of_customer"),
        ]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="insert_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return gettext("Return %(id)s") % {"id": self.pk}


@dataclass(slots=True)
class NewRevert:
    """The columns of a :class:`Revert` that is written together with hundreds of others; ``id`` is 0 until it is."""

    store_id: int
    order_id: int
    customer_id: int
    kind: str
    currency: str
    amount: Amount
    applied: Amount
    completeness: str
    trigger: str
    actor: str
    remark_id: int | None
    lots: list[dict[str, Any]]
    settings_version: int
    created_at: datetime
    id: int = 0


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
    retention = for_ever("what was taken back again")

    class Meta(StoreOwned.Meta):
        verbose_name = gettext_lazy("undone return")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["revert"], name="revert_undone_once"),
            models.CheckConstraint(condition=models.Q(trigger__in=list(Trigger)), name="revert_undo_trigger_is_known"),
        ]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Protect(name="insert_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"Undo of return {self.revert_id}"
