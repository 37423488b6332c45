"""How the books looked when they were last checked, store by store: kept for people, and what the job does (H5)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Min

from loyalty.checks import Fault, faults_of
from loyalty.jobs import Counts
from loyalty.journal.models import LedgerCheck
from loyalty.stores.models import Store

# The whole installation is read each time, so once a day is enough.
EVERY_SO_OFTEN: Final = timedelta(days=1)
_EXAMPLES: Final = 20


def check_ledger(now: datetime) -> Counts:
    """Check the books of all stores and keep the outcome, unless that was done within a day.

    Reads only, but for the outcome; each rule sees one moment of its own. Twice at once does no harm.
    """
    last = LedgerCheck.unscoped.aggregate(first=Min("checked_at"))["first"]
    if last is not None and last > now - EVERY_SO_OFTEN:
        return {"stores": 0, "faults": 0}
    outcome = Outcome()
    for _ in outcome.noting(faults_of(None)):
        pass
    return {"stores": outcome.keep(Store.objects.all(), now), "faults": outcome.faults.total()}


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
        LedgerCheck.unscoped.bulk_create(
            rows, update_conflicts=True, unique_fields=["store"], update_fields=["checked_at", "faults", "examples"]
        )
        return len(rows)
