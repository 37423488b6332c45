"""Deleting what is kept for a time only: the job ``loyalty.prune``."""

import logging
from collections import Counter
from datetime import datetime
from typing import Final

from django.utils.module_loading import import_string

from loyalty.database.busy import raise_if_away
from loyalty.jobs.periodic import Counts

logger = logging.getLogger(__name__)

# Each deletes its own, in batches, and answers how much as counts of names of its own.
PRUNERS: Final = (
    "loyalty.accounts.signing_in.rate_limits.prune",
    "loyalty.api.idempotency.prune",
    "loyalty.outbox.deliver.prune",
    "loyalty.platforms.webhooks.prune.prune",
    "loyalty.ledger.staff_limits.prune",
    "orders.services.balance_imports.prune.prune",
    "orders.services.bundles.keep.prune",
)


def prune(now: datetime) -> Counts:
    """Delete everything whose time is over at ``now``; what one pruner cannot delete holds up no other."""
    counts: Counter[str] = Counter()
    for pruner in PRUNERS:
        try:
            counts.update(import_string(pruner)(now))
        except Exception as error:
            raise_if_away(error)
            logger.exception("%s failed.", pruner)
            counts["failed"] += 1
    return counts
