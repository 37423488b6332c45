"""Deleting what is kept for a time only: the job ``loyalty.prune``."""

from collections import Counter
from datetime import datetime
from typing import Final

from django.utils.module_loading import import_string

from loyalty.jobs import Counts

# Each deletes its own, in batches, and answers how much as counts of names of its own.
PRUNERS: Final = (
    "loyalty.accounts.limits.prune",
    "loyalty.api.idempotency.prune",
    "loyalty.outbox.delivery.prune",
    "loyalty.platforms.pruning.prune",
    "loyalty.ledger.limits.prune",
)


def prune(now: datetime) -> Counts:
    """Delete everything whose time is over at ``now``."""
    counts: Counter[str] = Counter()
    for pruner in PRUNERS:
        counts.update(import_string(pruner)(now))
    return counts
