"""Sending again by hand what was sent, or given up."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from loyalty.core.errors import NotFound
from loyalty.jobs.periodic import wake
from loyalty.outbox.models import Message, MessageStatus
from loyalty.outbox.send import JOB
from loyalty.stores.models import Store
from loyalty.webhooks.endpoints import EndpointDisabled, endpoints_of
from loyalty.webhooks.fan_out import TOPIC
from loyalty.webhooks.models import WebhookEndpoint, lane_of


def deliveries_of(store: Store, endpoint: WebhookEndpoint | None = None) -> "QuerySet[Message]":
    """The deliveries of ``store``, or of one of its endpoints."""
    rows: QuerySet[Message] = Message.objects.for_store(store).filter(topic=TOPIC)
    return rows.filter(lane=endpoint.lane) if endpoint else rows


@transaction.atomic
def replay(*, store: Store, delivery_id: int, now: datetime, endpoint_id: int | None = None) -> Message:
    """Send a delivery again now, under the same ``webhook-id``; asking again before it is sent changes nothing.

    Raises NotFound for what is no delivery of the store (T1) or of the endpoint that is named, EndpointDisabled.
    """
    rows = deliveries_of(store).filter(pk=delivery_id)
    if endpoint_id is not None:
        rows = rows.filter(lane=lane_of(endpoint_id))
    message = rows.select_for_update(no_key=True).first()
    endpoint = endpoints_of(store).filter(pk=message.body["endpoint"]).first() if message else None
    if message is None or endpoint is None:
        raise NotFound(f"This store has no webhook delivery with the id {delivery_id}.")
    if not endpoint.enabled:
        raise EndpointDisabled("Switch the endpoint on first; until then it is told nothing.")
    message.status, message.attempts, message.done_at, message.next_attempt_at = MessageStatus.QUEUED, 0, None, now
    message.save(update_fields=["status", "attempts", "done_at", "next_attempt_at"])
    wake(JOB)
    return message
