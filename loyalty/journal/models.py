"""The journal: what happened, to which order or customer, by whom (H2)."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy

from loyalty.database.retention import Kept, for_ever, while_needed
from loyalty.database.rights import INSERT_ONLY, Rights
from loyalty.stores.scoping import SameStoreKey, StoreOwned


class JournalEntry(StoreOwned):
    """One business event. Insert-only; ``data`` holds facts without personal data, people's words are Remarks."""

    event = models.CharField(max_length=50)
    order = SameStoreKey("orders.Order", null=True, blank=True)
    customer = SameStoreKey("stores.Customer", null=True, blank=True)
    redemption = SameStoreKey("orders.Redemption", null=True, blank=True)
    remark = SameStoreKey("stores.Remark", null=True, blank=True)
    actor = models.CharField(max_length=100)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    rights = INSERT_ONLY
    retention = for_ever("the history: what happened, and who did it")

    class Meta(StoreOwned.Meta):
        verbose_name = gettext_lazy("event")
        verbose_name_plural = gettext_lazy("timeline")
        indexes: ClassVar = [
            models.Index("order", "id", condition=models.Q(order__isnull=False), name="journal_of_order"),
            models.Index("redemption", "id", condition=models.Q(redemption__isnull=False), name="journal_redemption"),
            models.Index("store", models.F("id").desc(), name="journal_newest"),
        ]
        triggers: ClassVar = [pgtrigger.Protect(name="insert_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.event


class JobRun(models.Model):
    """How a periodic job last went, and how often and how long it has run so far: one row a job, for all stores."""

    name = models.CharField(max_length=50, unique=True)
    started_at = models.DateTimeField()
    seconds = models.FloatField()
    counts = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    # Since the row was made, over all processes: what only grows is what monitoring counts by.
    runs = models.PositiveBigIntegerField(default=0, db_default=0)
    failures = models.PositiveBigIntegerField(default=0, db_default=0)
    seconds_in_all = models.FloatField(default=0, db_default=0)

    rights = Rights(all_but=("name",))
    retention = for_ever("one row for each job")

    class Meta:
        verbose_name = gettext_lazy("job")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class LedgerCheck(StoreOwned):
    """How a check of one store's books ended: how many rows do not agree, and the first of them (H5). Never changed."""

    checked_at = models.DateTimeField()
    faults = models.PositiveIntegerField(default=0)
    examples = models.JSONField(default=list)

    rights = Rights(deletes=True)
    retention = Kept(days=400, least=7, since="checked_at", why="how the books looked, for an audit of the year")

    class Meta(StoreOwned.Meta):
        verbose_name = gettext_lazy("ledger check")
        verbose_name_plural = gettext_lazy("ledger checks")
        indexes: ClassVar = [models.Index("store", models.F("checked_at").desc(), name="ledger_check_newest")]

    def __str__(self) -> str:
        return f"{self.faults} faults" if self.faults else "agrees"


class AbstractProblem(StoreOwned):
    """What a job could not process: why, and when it is tried again (E7). Gone once it succeeded.

    ``SUBJECT`` names the field that says what it is about.
    """

    SUBJECT: ClassVar[str]

    job = models.CharField(max_length=50)
    error = models.TextField()
    attempts = models.PositiveIntegerField(default=1)
    next_attempt_at = models.DateTimeField()
    created_at = models.DateTimeField()

    rights = Rights(changes=("error", "attempts", "next_attempt_at"), deletes=True)
    retention = while_needed("only until it is solved")

    class Meta(StoreOwned.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.error


class CustomerProblem(AbstractProblem):
    """A customer whom a job could not process."""

    SUBJECT = "customer"

    customer = SameStoreKey("stores.Customer")

    class Meta(AbstractProblem.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer", "job"], name="customer_problem_once"),
        ]
        indexes: ClassVar = [models.Index("store", "next_attempt_at", name="customer_problem_of_store")]
