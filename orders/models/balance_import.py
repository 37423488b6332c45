"""Bringing balances from another system: the import, its file in parts, its rows, and what came from which row."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from loyalty.database.retention import Kept, for_ever, while_needed
from loyalty.database.rights import Rights
from loyalty.stores.scoping import SameStoreKey, StoreOwned, implied_store, unique_in_store


class ImportState(models.TextChoices):
    """Where a balance import is. Until it is *running* nothing of it is in the ledger, and it can be thrown away."""

    UPLOADING = "uploading", _("The file is being sent")
    UPLOADED = "uploaded", _("The file is here")
    READING = "reading", _("The file is being read")
    REHEARSED = "rehearsed", _("Rehearsed, nothing is written")
    RUNNING = "running", _("In progress")
    DONE = "done", _("Done")
    TAKING_BACK = "taking_back", _("Being taken back")
    TAKEN_BACK = "taken_back", _("Taken back")
    FAILED = "failed", _("Cannot be read")


# In these a job has something to do.
WORKED_ON = (ImportState.READING, ImportState.RUNNING, ImportState.TAKING_BACK)
# From these an import can be read (again) and thrown away: nothing of it is in the ledger.
UNWRITTEN = (
    ImportState.UPLOADING,
    ImportState.UPLOADED,
    ImportState.READING,
    ImportState.REHEARSED,
    ImportState.FAILED,
)


class BalanceImport(StoreOwned):
    """People, balances and history that a file brings from another system.

    ``size`` is how many bytes the file has, ``received`` how many are here; ``sha256`` is the whole file's. ``layout``
    says how it is read (JSON, the reader's words). ``summary`` is what the rehearsal found: totals, people, problems;
    ``told`` are the totals of the old system that somebody typed in, ``remark`` why they may differ. ``result`` are the
    totals of what was written, read from the ledger. ``rows_read`` counts while reading; ``done_until`` is the key of
    the last person who is written (or taken back), ``items`` how many things there are to write, ``items_done`` how
    many are. ``busy_until`` is until when somebody reads the file, ``failure`` why it cannot be read.
    """

    state = models.CharField(max_length=11, choices=ImportState.choices, default=ImportState.UPLOADING)
    file_name = models.CharField(max_length=200)
    size = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    layout = models.JSONField(default=dict)
    summary = models.JSONField(default=dict)
    told = models.JSONField(default=list)
    remark = SameStoreKey("stores.Remark", null=True, blank=True)
    result = models.JSONField(default=dict)
    rows_read = models.PositiveIntegerField(default=0)
    done_until = models.TextField(blank=True)
    items = models.PositiveIntegerField(default=0)
    items_done = models.PositiveIntegerField(default=0)
    busy_until = models.DateTimeField(null=True, blank=True)
    failure = models.TextField(blank=True)
    actor = models.CharField(max_length=100)
    started_by = models.CharField(max_length=100, blank=True)
    taken_back_by = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    rehearsed_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    taken_back_at = models.DateTimeField(null=True, blank=True)

    rights = Rights(all_but=("file_name", "size", "actor", "created_at"), deletes=True)
    retention = Kept(
        days=30,
        least=30,
        by="orders.services.balance_imports.prune.prune",
        why="a file with its bad rows can be fetched for thirty days; that value came by it is kept",
    )

    class Meta(StoreOwned.Meta):
        verbose_name = gettext_lazy("balance import")
        verbose_name_plural = gettext_lazy("balance imports")
        constraints: ClassVar[list[Any]] = [
            unique_in_store("balance_import_in_store"),
            models.CheckConstraint(condition=Q(state__in=ImportState.values), name="balance_import_state_is_known"),
            models.CheckConstraint(
                condition=Q(size__gt=0, received__gte=0, received__lte=F("size")), name="balance_import_received_within"
            ),
            models.CheckConstraint(
                condition=Q(started_at__isnull=False) | Q(state__in=UNWRITTEN), name="balance_import_started"
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index("store", F("id").desc(), name="balance_import_newest"),
            models.Index("id", condition=Q(state__in=WORKED_ON), name="balance_import_worked_on"),
            models.Index("updated_at", name="balance_import_by_age"),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_written(self) -> bool:
        """Whether something of it is, or was, in the ledger."""
        return self.state not in UNWRITTEN


class BalanceImportPart(StoreOwned):
    """A part of an import's file, as it came; ``number`` counts from 1, ``offset`` is where in the file it begins."""

    balance_import = SameStoreKey(BalanceImport)
    number = models.PositiveIntegerField()
    offset = models.BigIntegerField()
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()

    rights = Rights(deletes=True)
    retention = while_needed("as long as its import, with which it is deleted")

    class Meta(StoreOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["balance_import", "number"], name="balance_import_part_once"),
        ]

    def __str__(self) -> str:
        return f"Part {self.number}"


class BalanceImportRow(StoreOwned):
    """One thing that a row of the file says, until the import is over: a person, a lot, a past movement or a code.

    ``position`` is the row's number in the file, ``part`` counts what it says; ``person`` is by whom it goes, the same
    for all rows of one person. ``key`` is what makes it the same when it comes again. ``amount`` is signed for past
    movements; of a code it is the points, and ``value`` what it is worth. ``problem`` says why it is not imported,
    ``column`` and ``said`` where in the row; where nothing is wrong, ``said`` is the number of an earlier row that says
    the same and has no reference either.
    """

    store = implied_store()
    balance_import = SameStoreKey(BalanceImport)
    position = models.PositiveIntegerField()
    part = models.PositiveSmallIntegerField(default=0)
    what = models.CharField(max_length=7)
    person = models.TextField(db_collation="C")
    platform = models.CharField(max_length=20, blank=True)
    external_id = models.CharField(max_length=100, blank=True)
    email = models.CharField(max_length=254, blank=True)
    name = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=50, blank=True)
    locale = models.CharField(max_length=20, blank=True)
    kind = models.CharField(max_length=7, blank=True)
    amount = models.DecimalField(max_digits=18, decimal_places=3, null=True)
    currency = models.CharField(max_length=3, blank=True)
    at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    type = models.CharField(max_length=10, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    code = models.CharField(max_length=40, blank=True)
    value = models.DecimalField(max_digits=18, decimal_places=3, null=True)
    key = models.TextField(blank=True, db_collation="C")
    problem = models.CharField(max_length=30, blank=True)
    column = models.CharField(max_length=100, blank=True)
    said = models.CharField(max_length=100, blank=True)

    rights = Rights(changes=("person", "problem", "column", "said"), deletes=True)
    retention = while_needed("as long as its import, with which it is deleted")

    class Meta(StoreOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["balance_import", "person", "position", "part"], name="balance_import_row_once"
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index("balance_import", "position", condition=~Q(problem=""), name="balance_import_row_bad"),
            models.Index("balance_import", "position", "part", name="balance_import_row_in_order"),
        ]

    def __str__(self) -> str:
        return f"Row {self.position}"


class BalanceImportKey(StoreOwned):
    """What came from a row that was imported: once, whatever file names it again, until it is taken back.

    ``key`` is the old system's reference, or the file and the row's place in it.
    """

    store = implied_store()
    balance_import = SameStoreKey(BalanceImport)
    kind = models.CharField(max_length=7)
    key = models.TextField(db_collation="C")
    credit_lot = SameStoreKey("credits.CreditLot", null=True)
    point_lot = SameStoreKey("points.PointLot", null=True)
    redemption = SameStoreKey("orders.Redemption", null=True)
    taken_back = models.BooleanField(default=False)

    rights = Rights(changes=("taken_back",))
    retention = for_ever("what was imported once is not imported again")

    class Meta(StoreOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["store", "kind", "key"], condition=Q(taken_back=False), name="balance_import_key_once"
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index("balance_import", "id", name="balance_import_key_of"),
        ]

    def __str__(self) -> str:
        return self.key
