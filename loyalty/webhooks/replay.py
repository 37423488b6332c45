"""Sending again by hand what was sent, or given up."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.fields.json import KT
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.errors import NotFound
from loyalty.jobs.retries import start_over
from loyalty.jobs.waiting import Waiting
from loyalty.outbox.models import Message, MessageStatus
from loyalty.outbox.retry import failing
from loyalty.outbox.send import JOB
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
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
        raise NotFound(_("This store has no webhook delivery with the id %(id)s.") % {"id": delivery_id})
    if not endpoint.enabled:
        raise EndpointDisabled(_("Switch the endpoint on first; until then it is told nothing."))
    start_over(message, job=JOB, status=MessageStatus.QUEUED, done_at=None, attempts=0, next_attempt_at=now)
    return message


WAITING: Final = Waiting(
    key="webhook",
    label=gettext_noop("Webhook sent"),
    rows=lambda store: failing(store).filter(topic=TOPIC),
    about=KT("body__type"),
    needs=Can.MANAGE_WEBHOOKS,
    sees=Can.MANAGE_WEBHOOKS,
    again=lambda store, key, now: replay(store=store, delivery_id=key, now=now),
)
