"""Deleting old deliveries: they hold personal data, and nothing asks for them any more."""

from datetime import datetime, timedelta
from typing import Final

from loyalty.database.delete import delete_in_batches
from loyalty.jobs.periodic import Counts
from loyalty.platforms.models import OPEN_STATES, DeliveryState, InboundDelivery
from loyalty.platforms.recognise import ERASING_TOPICS

# Longer than any platform repeats a delivery; then a repeat would be an old state, which changes nothing (O2).
KEEP: Final = timedelta(days=30)


def prune(now: datetime) -> Counts:
    """Delete deliveries older than 30 days; one that still waits is not lost."""
    old = InboundDelivery.unscoped.filter(received_at__lt=now - KEEP).exclude(state__in=OPEN_STATES)
    # A request to erase says whom it means until it is decided; then it is emptied, and goes like the others.
    old = old.exclude(topic__in=ERASING_TOPICS, redacted_at__isnull=True, state=DeliveryState.DONE)
    return {"deliveries": delete_in_batches(old)}
