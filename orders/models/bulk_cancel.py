"""Cancelling many orders as a piece of work that survives whoever carries it out (B1)."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy, ngettext

from loyalty.database.retention import Kept, while_needed
from loyalty.database.rights import Rights
from loyalty.stores.scoping import SameStoreKey, StoreOwned, unique_in_store


class BulkState(models.TextChoices):
    """Where a bulk cancel is: looked at, wanted, ended by somebody, or done."""

    DRAFT = "draft", gettext_lazy("Not confirmed")
    OPEN = "open", gettext_lazy("In progress")
    STOPPED = "stopped", gettext_lazy("Stopped")
    DONE = "done", gettext_lazy("Done")


class Outcome(models.TextChoices):
    """What became of one order of a bulk cancel."""

    WAITING = "", gettext_lazy("Waiting")
    CANCELLED = "cancelled", gettext_lazy("Cancelled")
    SKIPPED = "skipped", gettext_lazy("Left as it was")
    FAILED = "failed", gettext_lazy("Could not be cancelled")


class BulkCancel(StoreOwned):
    """Orders that somebody chose in the list, to be cancelled without returning anything (B1).

    The orders are fixed when the page is opened, so that exactly what was shown is cancelled; ``filters`` says which
    list they were. The three counts are of its items and written with them. ``remark`` is what was typed (H1).
    """

    state = models.CharField(max_length=10, choices=BulkState.choices, default=BulkState.DRAFT)
    filters = models.TextField(blank=True)
    actor = models.CharField(max_length=100)
    remark = SameStoreKey("stores.Remark", null=True, blank=True)
    leave_paid = models.BooleanField(default=False)
    leave_completed = models.BooleanField(default=False)
    total = models.PositiveIntegerField()
    cancelled = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    stopped_by = models.CharField(max_length=100, blank=True)

    rights = Rights(all_but=("filters", "total", "created_at"), deletes=True)
    retention = Kept(
        days=365,
        since="finished_at",
        along=("orders.BulkItem", "bulk"),
        why="what became of each order can be looked at for a year; the orders' own history stays",
    )

    class Meta(StoreOwned.Meta):
        verbose_name = gettext_lazy("bulk cancel")
        verbose_name_plural = gettext_lazy("bulk cancels")
        constraints: ClassVar[list[Any]] = [
            unique_in_store("bulk_cancel_in_store"),
            models.CheckConstraint(condition=Q(state__in=BulkState.values), name="bulk_cancel_state_is_known"),
            models.CheckConstraint(
                condition=Q(total__gte=F("cancelled") + F("skipped") + F("failed")), name="bulk_cancel_counts_within"
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index("store", F("id").desc(), name="bulk_cancel_newest"),
            models.Index("id", condition=Q(state="open"), name="bulk_cancel_open"),
            models.Index("created_at", condition=Q(state="draft"), name="bulk_cancel_draft"),
        ]

    def __str__(self) -> str:
        return ngettext("Cancel %(count)s order", "Cancel %(count)s orders", self.total) % {"count": self.total}

    @property
    def looked_at(self) -> int:
        """How many of the orders are done with, whatever came of them."""
        return self.cancelled + self.skipped + self.failed

    @property
    def waiting(self) -> int:
        """How many of the orders are still to be looked at."""
        return self.total - self.looked_at


class BulkItem(StoreOwned):
    """One order of a bulk cancel, and what became of it.

    ``settled`` says whether the order was paid or completed when it was chosen: one that becomes so in between is left
    as it is, because nobody saw it like that. ``code`` is why it was not cancelled, ``error`` what went wrong.
    """

    bulk = SameStoreKey(BulkCancel)
    order = SameStoreKey("orders.Order")
    settled = models.BooleanField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True, default=Outcome.WAITING)
    code = models.CharField(max_length=20, blank=True)
    error = models.TextField(blank=True)

    rights = Rights(changes=("outcome", "code", "error"), deletes=True)
    retention = while_needed("as long as its bulk cancel, with which it is deleted")

    class Meta(StoreOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["bulk", "order"], name="bulk_item_once"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="bulk_item_outcome_is_known"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index("bulk", "outcome", "id", name="bulk_item_by_outcome"),
        ]

    def __str__(self) -> str:
        return self.get_outcome_display()
