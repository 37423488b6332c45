"""A store's bundle that somebody asked for on the page: how far it is, and the file in parts until its time is over."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.database.retention import Kept, while_needed
from loyalty.database.rights import Rights
from loyalty.stores.scoping import SameStoreKey, StoreOwned, unique_in_store


class BundleState(models.TextChoices):
    """How far a bundle has come."""

    WRITING = "writing", _("Being written")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Could not be written")


class StoreBundle(StoreOwned):
    """A store as one file, written by a job.

    ``rows_done`` of ``rows`` are written. ``busy_until`` is the end of the lease of the worker that is at it, or the
    next turn; ``attempts`` tells two workers apart. Ready, it has ``size`` bytes and can be fetched before ``ends_at``.
    """

    state = models.CharField(max_length=7, choices=BundleState.choices, default=BundleState.WRITING)
    actor = models.CharField(max_length=100)
    rows = models.BigIntegerField(default=0)
    rows_done = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    busy_until = models.DateTimeField(null=True, blank=True)
    failure = models.TextField(blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)

    rights = Rights(all_but=("actor", "created_at"), deletes=True)
    retention = Kept(
        days=2,
        by="orders.services.bundles.keep.prune",
        why="a file with everything of a store in it can be fetched for two days",
    )

    class Meta(StoreOwned.Meta):
        verbose_name = "bundle"
        constraints: ClassVar[list[Any]] = [
            unique_in_store("store_bundle_in_store"),
            models.UniqueConstraint(
                fields=["store"], condition=Q(state=BundleState.WRITING), name="store_bundle_one_at_a_time"
            ),
            models.CheckConstraint(condition=Q(state__in=BundleState.values), name="store_bundle_state_is_known"),
            models.CheckConstraint(
                condition=~Q(state=BundleState.READY) | Q(ends_at__isnull=False), name="store_bundle_ready_ends"
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index("id", condition=Q(state=BundleState.WRITING), name="store_bundle_to_write"),
        ]

    def __str__(self) -> str:
        return self.get_state_display()


class StoreBundlePart(StoreOwned):
    """A part of a bundle's file; ``number`` counts from 1."""

    bundle = SameStoreKey(StoreBundle)
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    rights = Rights(deletes=True)
    retention = while_needed("as long as its bundle, with which it is deleted")

    class Meta(StoreOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["bundle", "number"], name="store_bundle_part_once"),
        ]

    def __str__(self) -> str:
        return f"Part {self.number}"
