"""Posting what has lapsed (L5)."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction

from loyalty.jobs.periodic import Counts
from loyalty.jobs.problems import by_halves, solved
from loyalty.journal.models import CustomerProblem
from loyalty.ledger.ledger import Ledger
from loyalty.stores.actors import Actor
from loyalty.stores.models import Customer

BATCH: Final = 500


def expire_lots(ledger: Ledger, now: datetime) -> Counts:
    """Post an expire movement for every lot that has lapsed with something in it, a batch of customers at a time.

    A customer whose ledger cannot be written is set aside and holds up nobody (E7).
    """
    job = f"{ledger.kind}.expire_lots"
    counts = {"lots": 0, "failed": 0}
    while _expire_batch(ledger, job, now, counts):
        pass
    return counts


@transaction.atomic
def _expire_batch(ledger: Ledger, job: str, now: datetime, counts: dict[str, int]) -> int:
    aside = CustomerProblem.unscoped.filter(job=job, next_attempt_at__gt=now).values("customer")
    due = ledger.tables.lot.unscoped.filter(remaining__gt=0, expires_at__lte=now).exclude(customer__in=aside)
    customers = Customer.unscoped.filter(pk__in=due.order_by("expires_at").values("customer")[:BATCH])
    # SKIP LOCKED: a customer whose ledger is being written right now has his lapsed lots posted by that write.
    free = customers.order_by("pk").select_for_update(no_key=True, skip_locked=True).only("pk", "store_id")
    claimed, posted = list(free), Counter[str]()

    def expire(part: Sequence[Customer]) -> None:
        posted["lots"] += ledger.post_due([customer.pk for customer in part], actor=Actor.job(job), now=now)
        solved(CustomerProblem, part, job=job)

    counts["failed"] += by_halves(CustomerProblem, claimed, expire, job=job, now=now) if claimed else 0
    counts["lots"] += posted["lots"]
    return len(claimed)
