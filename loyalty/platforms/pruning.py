"""Deleting old deliveries: they hold personal data, and nothing asks for them any more."""

from datetime import datetime, timedelta
from typing import Final

from loyalty.jobs import Counts
from loyalty.platforms.models import OPEN_STATES, InboundDelivery

# Longer than any platform repeats a delivery; then a repeat would be an old state, which changes nothing (O2).
KEEP: Final = timedelta(days=30)
_BATCH: Final = 1000


def prune(now: datetime) -> Counts:
    """Delete deliveries older than 30 days, a batch at a time; one that still waits is not lost."""
    deliveries = 0
    while deleted := _prune_batch(now - KEEP):
        deliveries += deleted
    return {"deliveries": deliveries}


def _prune_batch(before: datetime) -> int:
    old = InboundDelivery.unscoped.filter(received_at__lt=before).exclude(state__in=OPEN_STATES)
    ids = list(old.order_by("received_at").values_list("pk", flat=True)[:_BATCH])
    deleted: int = InboundDelivery.unscoped.filter(pk__in=ids).delete()[0]
    return deleted
