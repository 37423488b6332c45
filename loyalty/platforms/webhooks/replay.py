"""Working through a stored delivery again, by hand."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from loyalty.jobs.retries import lock_own, start_over
from loyalty.jobs.waiting import Waiting
from loyalty.platforms.models import FAILING_STATES, OPEN_STATES, DeliveryState, InboundDelivery
from loyalty.platforms.webhooks.receive import JOB
from loyalty.stores.models import Store
from loyalty.stores.roles import Can


def may_be_replayed(delivery: InboundDelivery) -> bool:
    """Whether there is something to work on: no test, and its body not erased."""
    return not delivery.is_test and delivery.redacted_at is None


@transaction.atomic
def replay(*, store: Store, delivery_id: int, now: datetime) -> bool:
    """Give a delivery its turn now, with all its attempts before it; what it says is recorded once in any case (O2).

    False when there is nothing to work on. Raises NotFound for a delivery of another store (T1).
    """
    delivery: InboundDelivery = lock_own(InboundDelivery.objects.for_store(store), delivery_id)
    if not may_be_replayed(delivery):
        return False
    state = delivery.state if delivery.state in OPEN_STATES else DeliveryState.WAITING
    start_over(delivery, job=JOB, state=state, attempts=0, next_attempt_at=now)
    return True


def _failing(store: Store) -> "QuerySet[InboundDelivery]":
    rows: QuerySet[InboundDelivery] = InboundDelivery.objects.for_store(store)
    tried_by_hand = Q(state=DeliveryState.WAITING) & ~Q(last_error="")
    return rows.filter(Q(state__in=FAILING_STATES) | tried_by_hand)


WAITING: Final = Waiting(
    key="delivery",
    label=gettext_noop("Webhook delivery"),
    rows=_failing,
    about="topic",
    columns={"created_at": "received_at"},
    needs=Can.CHANGE_SETTINGS,
    again=lambda store, key, now: replay(store=store, delivery_id=key, now=now),
)
