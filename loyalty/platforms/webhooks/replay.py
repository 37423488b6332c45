"""Working through a stored delivery again, by hand."""

from datetime import datetime

from django.db import transaction

from loyalty.core.errors import NotFound
from loyalty.jobs.periodic import wake
from loyalty.platforms.models import OPEN_STATES, DeliveryState, InboundDelivery
from loyalty.platforms.webhooks.receive import JOB
from loyalty.stores.models import Store


def may_be_replayed(delivery: InboundDelivery) -> bool:
    """Whether there is something to work on: no test, and its body not erased."""
    return not delivery.is_test and delivery.redacted_at is None


@transaction.atomic
def replay(*, store: Store, delivery_id: int, now: datetime) -> bool:
    """Give a delivery its turn now, with all its attempts before it; what it says is recorded once in any case (O2).

    False when there is nothing to work on. Raises NotFound for a delivery of another store (T1).
    """
    deliveries = InboundDelivery.objects.for_store(store).select_for_update(of=("self",))
    delivery: InboundDelivery | None = deliveries.filter(pk=delivery_id).first()
    if delivery is None:
        raise NotFound(f"This store has no webhook delivery with the id {delivery_id}.")
    if not may_be_replayed(delivery):
        return False
    if delivery.state not in OPEN_STATES:
        delivery.state = DeliveryState.WAITING
    delivery.attempts, delivery.next_attempt_at = 0, now
    delivery.save(update_fields=["state", "attempts", "next_attempt_at"])
    wake(JOB)
    return True
