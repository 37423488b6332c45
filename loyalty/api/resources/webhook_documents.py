"""Webhook endpoints and deliveries, as bodies and answers show them."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from loyalty.api.answers.documents import JSON, Document
from loyalty.api.values import Body, IdField, InstantField, TextField, WholeNumberField, YesNoField
from loyalty.outbox.models import Message, MessageStatus
from loyalty.webhooks.endpoints import LONGEST_OVERLAP, OVERLAP
from loyalty.webhooks.events import TEST, WebhookEvent
from loyalty.webhooks.models import DisabledBecause, WebhookAttempt

EVENTS: Final = [event.value for event in WebhookEvent]
# How far a delivery has come, as clients read it.
STATUSES: Final = {
    MessageStatus.QUEUED.value: "queued",
    MessageStatus.DONE.value: "delivered",
    MessageStatus.FAILED.value: "failed",
}
_HOUR: Final = timedelta(hours=1)
_EVENT_LIST: Final = "The events to be told of: " + ", ".join(EVENTS) + "."


@extend_schema_serializer(component_name="WebhookEndpoint")
class EndpointDocument(Document):
    """An address that is told of events. Its secret is answered only when it is made and when it is rotated."""

    id = IdField()
    url = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    events = serializers.ListField(child=serializers.CharField())
    enabled = serializers.BooleanField()
    disabled_at = InstantField(allow_null=True)
    disabled_because = serializers.ChoiceField(
        choices=DisabledBecause.values, allow_null=True, help_text="By hand, after five days of failure, or by a 410."
    )
    failing_since = InstantField(allow_null=True, help_text="Since when no delivery has succeeded.")
    previous_secret_until = InstantField(allow_null=True, help_text="Until then a second signature is sent.")
    created_at = InstantField()
    updated_at = InstantField()


@extend_schema_serializer(component_name="WebhookEndpointWithSecret")
class EndpointWithSecretDocument(EndpointDocument):
    """An endpoint with its new secret, which cannot be read again."""

    secret = serializers.CharField(help_text="`whsec_…`, to verify signatures with (Standard Webhooks).")


@extend_schema_serializer(component_name="WebhookEndpointChanged")
class EndpointChangedDocument(EndpointDocument):
    """An endpoint after a change; with a changed address comes a new secret, which cannot be read again."""

    secret = serializers.CharField(
        required=False, help_text="Only when `url` changed: nothing is sent to an address under another one's secret."
    )


@extend_schema_serializer(component_name="WebhookAttempt")
class AttemptDocument(Document):
    """One call of the endpoint."""

    created_at = InstantField()
    status_code = serializers.IntegerField(allow_null=True, help_text="Null when no answer came.")
    error = serializers.CharField(allow_blank=True)
    answer = serializers.CharField(allow_blank=True, help_text="The beginning of the answer.")
    milliseconds = serializers.IntegerField()


@extend_schema_serializer(component_name="WebhookDelivery")
class DeliveryDocument(Document):
    """One event on its way to one endpoint."""

    id = IdField()
    webhook_id = serializers.CharField(help_text="The header `webhook-id`, the same at every attempt.")
    endpoint = IdField()
    type = serializers.ChoiceField(choices=[*EVENTS, TEST])
    order = IdField(allow_null=True, source="order_id")
    status = serializers.ChoiceField(choices=list(STATUSES.values()))
    next_attempt_at = InstantField(allow_null=True)
    last_error = serializers.CharField(allow_blank=True)
    created_at = InstantField()
    delivered_at = InstantField(allow_null=True, source="done_at")
    attempts = AttemptDocument(many=True)


class EndpointBody(Body):
    """A new endpoint."""

    url = TextField(max_length=500, help_text="`https://…`; addresses in private networks are refused.")
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=EVENTS), min_length=1, max_length=50, help_text=_EVENT_LIST
    )
    description = TextField(max_length=100, allow_blank=True, required=False)
    enabled = YesNoField(required=False)


class RotateBody(Body):
    """A rotation of the secret."""

    overlap_hours = WholeNumberField(
        most=LONGEST_OVERLAP // _HOUR,
        default=OVERLAP // _HOUR,
        help_text="For how many hours deliveries are signed with the old secret as well.",
    )


def deliveries_json(messages: Sequence[Message], attempts: Iterable[WebhookAttempt]) -> list[JSON]:
    """Deliveries with what came of each attempt, the oldest first."""
    by_message: dict[int, list[JSON]] = {}
    for attempt in attempts:
        by_message.setdefault(attempt.message_id, []).append(AttemptDocument.of(attempt))
    return [_delivery_json(message, by_message.get(message.pk, [])) for message in messages]


def _delivery_json(message: Message, attempts: list[JSON]) -> JSON:
    return DeliveryDocument.of(
        message,
        webhook_id=f"msg_{message.pk}",
        endpoint=str(message.body["endpoint"]),
        type=message.body["type"],
        status=STATUSES[message.status],
        attempts=attempts,
    )
