"""How the books looked when they were last checked, store by store: kept for people, and what the job does (H5)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db.models import OuterRef, QuerySet, Subquery

from loyalty.jobs.periodic import Counts
from loyalty.journal.models import LedgerCheck
from loyalty.proof.prove import Fault, faults_of
from loyalty.stores.models import Store

# The whole installation is read each time, so once a day is enough.
EVERY_SO_OFTEN: Final = timedelta(days=1)
_EXAMPLES: Final = 20


def check_ledger(now: datetime) -> Counts:
    """Check the books of all stores and keep the outcome, unless that was done within a day.

    Reads only, but for the outcome; each rule sees one moment of its own. Twice at once does no harm.
    """
    checked = last_checks()
    if checked and min(check.checked_at for check in checked) > now - EVERY_SO_OFTEN:
        return {"stores": 0, "faults": 0}
    outcome = Outcome()
    for _ in outcome.noting(faults_of(None)):
        pass
    return {"stores": outcome.keep(Store.objects.all(), now), "faults": outcome.faults.total()}


def last_checks() -> "QuerySet[LedgerCheck]":
    """The last check of every store that was ever checked."""
    newest_first: QuerySet[LedgerCheck] = LedgerCheck.unscoped.order_by("store_id", "-checked_at", "-pk")
    return newest_first.distinct("store_id")


def last_of_each_store() -> list[tuple[datetime | None, int | None]]:
    """When each store was last checked and the faults found, None for a store that never was; one look a store."""
    newest = LedgerCheck.unscoped.filter(store=OuterRef("pk")).order_by("-checked_at")
    stores = Store.objects.annotate(
        checked_at=Subquery(newest.values("checked_at")[:1]), faults=Subquery(newest.values("faults")[:1])
    )
    return list(stores.order_by().values_list("checked_at", "faults"))


def last_check(store: Store) -> LedgerCheck | None:
    """The last check of one store."""
    check: LedgerCheck | None = LedgerCheck.objects.for_store(store).order_by("-checked_at", "-pk").first()
    return check


class Outcome:
    """Counts faults by store and keeps the first few of each, however many there are."""

    def __init__(self) -> None:
        self.faults: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = defaultdict(list)

    def noting(self, faults: Iterable[Fault]) -> Iterator[Fault]:
        """The same faults, each noted as it passes."""
        for fault in faults:
            self.faults[fault.slug] += 1
            if len(self.examples[fault.slug]) < _EXAMPLES:
                self.examples[fault.slug].append(fault.sentence)
            yield fault

    def keep(self, stores: Iterable[Store], now: datetime) -> int:
        """Write what was noted of each of these stores, which were checked at ``now``; answers how many."""
        rows = [
            LedgerCheck(store=store, checked_at=now, faults=self.faults[store.slug], examples=self.examples[store.slug])
            for store in stores
        ]
        return len(LedgerCheck.unscoped.bulk_create(rows))
