"""Posting what has lapsed (L5)."""

from datetime import datetime
from typing import Final

from django.db import transaction

from loyalty.jobs import Counts
from loyalty.ledger.ledger import Ledger
from loyalty.stores.actors import Actor
from loyalty.stores.models import Customer

BATCH: Final = 500


def expire_lots(ledger: Ledger, now: datetime) -> Counts:
    """Post an expire movement for every lot that has lapsed with something in it, a batch of customers at a time."""
    actor = Actor.job(f"{ledger.kind}.expire_lots")
    lots = 0
    while posted := _expire_batch(ledger, actor, now):
        lots += posted
    return {"lots": lots}


@transaction.atomic
def _expire_batch(ledger: Ledger, actor: Actor, now: datetime) -> int:
    due = ledger.tables.lot.unscoped.filter(remaining__gt=0, expires_at__lte=now)
    customers = Customer.unscoped.filter(pk__in=due.order_by("expires_at").values("customer")[:BATCH])
    # SKIP LOCKED: a customer whose ledger is being written right now has his lapsed lots posted by that write.
    free = customers.order_by("pk").select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True)
    return ledger.post_due(list(free), actor=actor, now=now)
