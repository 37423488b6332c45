"""Webhook endpoints and their deliveries over REST."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.utils.translation import gettext_noop
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from loyalty.api.idempotency import command
from loyalty.api.requests.filters import ChoiceFilter, Filters, ListFilter
from loyalty.api.resources.webhook_documents import (
    EVENTS,
    STATUSES,
    DeliveryDocument,
    EndpointBody,
    EndpointChangedDocument,
    EndpointDocument,
    EndpointWithSecretDocument,
    RotateBody,
    deliveries_json,
)
from loyalty.api.views import ApiView, ListView
from loyalty.outbox.models import Message
from loyalty.stores.keys import Scope
from loyalty.webhooks.endpoints import (
    EndpointValues,
    change_endpoint,
    create_endpoint,
    endpoints_of,
    remove_endpoint,
    rotate_secret,
)
from loyalty.webhooks.events import TEST
from loyalty.webhooks.models import WebhookAttempt, WebhookEndpoint
from loyalty.webhooks.replay import deliveries_of, replay

_WRITES: Final = Scope.WEBHOOKS_WRITE


class DeliveryFilters(Filters):
    """Filters of an endpoint's deliveries."""

    status = ListFilter(method="in_status", values=list(STATUSES.values()), help_text="How far they have come.")
    type = ChoiceFilter(method="of_type", values=[*EVENTS, TEST], help_text="Deliveries of one event.")

    def in_status(self, rows: "QuerySet[Message]", _name: str, chosen: list[str]) -> "QuerySet[Message]":
        """Deliveries in one of these states."""
        return rows.filter(status__in=[ours for ours, theirs in STATUSES.items() if theirs in chosen])

    def of_type(self, rows: "QuerySet[Message]", _name: str, chosen: list[str]) -> "QuerySet[Message]":
        """Deliveries of this event."""
        return rows.filter(body__type=chosen[0])


class EndpointsView(ListView):
    """The store's webhook endpoints."""

    required_scopes: ClassVar = {"GET": _WRITES, "POST": _WRITES}
    answers_secrets = True

    @extend_schema(responses=EndpointDocument(many=True))
    def get(self, _request: Request) -> Response:
        """The store's webhook endpoints, newest first."""
        return self.list(endpoints_of(self.store))

    @command(body=EndpointBody, answer={201: OpenApiResponse(EndpointWithSecretDocument, "The new endpoint.")})
    def post(self, request: Request) -> Response:
        """Add an endpoint. The answer holds the secret, which cannot be read again.

        Deliveries are POSTs of `{"type", "timestamp", "data"}`, signed as Standard Webhooks say in the headers
        `webhook-id`, `webhook-timestamp` and `webhook-signature`. Answer with any 2xx within 15 seconds; everything
        else is tried again for days, with growing pauses. A 410 switches the endpoint off, and so do five days without
        a success. The same `webhook-id` may arrive more than once, and events may arrive out of order.
        """
        values = EndpointValues(**self.read(EndpointBody))
        endpoint, secret = create_endpoint(store=self.store, values=values, actor=self.actor, now=self.now)
        address = reverse("api-webhook-endpoint", args=[endpoint.pk], request=request)
        return Response(
            EndpointWithSecretDocument.of(endpoint, secret=secret), status=201, headers={"Location": address}
        )

    def present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Endpoints as JSON."""
        return [EndpointDocument.of(row) for row in rows]


class EndpointView(ApiView):
    """One webhook endpoint."""

    required_scopes: ClassVar = {"GET": _WRITES, "PATCH": _WRITES, "DELETE": _WRITES}

    @extend_schema(responses=EndpointDocument)
    def get(self, _request: Request, endpoint_id: str) -> Response:
        """One webhook endpoint."""
        return Response(EndpointDocument.of(_endpoint(self, endpoint_id)))

    @extend_schema(request=EndpointBody, responses=EndpointChangedDocument)
    def patch(self, _request: Request, endpoint_id: str) -> Response:
        """Change an endpoint; what is left out stays. `enabled: true` forgets earlier failures.

        Another `url` gets another secret: the answer holds it, and it cannot be read again.
        """
        changed, secret = change_endpoint(
            store=self.store,
            endpoint_id=self.key_of(endpoint_id),
            values=EndpointValues(**self.read(EndpointBody, partial=True)),
            actor=self.actor,
            now=self.now,
        )
        return Response(EndpointDocument.of(changed) | ({"secret": secret} if secret else {}))

    @extend_schema(responses={204: None})
    def delete(self, _request: Request, endpoint_id: str) -> Response:
        """Remove an endpoint: it is told nothing any more, and what waits for it is given up."""
        remove_endpoint(store=self.store, endpoint_id=self.key_of(endpoint_id), actor=self.actor, now=self.now)
        return Response(status=204)


class RotateSecretView(ApiView):
    """A new secret for an endpoint."""

    required_scopes: ClassVar = {"POST": _WRITES}
    answers_secrets = True

    @command(body=RotateBody, answer=EndpointWithSecretDocument)
    def post(self, _request: Request, endpoint_id: str) -> Response:
        """Give the endpoint a new secret: answered only now; for a time deliveries carry a signature of each."""
        endpoint, secret = rotate_secret(
            store=self.store,
            endpoint_id=self.key_of(endpoint_id),
            overlap=timedelta(hours=self.read(RotateBody)["overlap_hours"]),
            actor=self.actor,
            now=self.now,
        )
        return Response(EndpointWithSecretDocument.of(endpoint, secret=secret))


class DeliveriesView(ListView):
    """What one endpoint was sent."""

    required_scopes: ClassVar = {"GET": _WRITES}
    filterset_class = DeliveryFilters

    @extend_schema(responses=DeliveryDocument(many=True))
    def get(self, _request: Request, endpoint_id: str) -> Response:
        """What an endpoint was sent: its deliveries of the last 30 days, newest first, with every attempt."""
        return self.list(deliveries_of(self.store, _endpoint(self, endpoint_id)))

    def present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Deliveries as JSON; their attempts are read for all of them at once."""
        return _present(self, rows)


class ReplayView(ApiView):
    """Sending a delivery again."""

    required_scopes: ClassVar = {"POST": _WRITES}

    @command(body=None, answer=DeliveryDocument)
    def post(self, _request: Request, delivery_id: str) -> Response:
        """Send a delivery again: now, delivered or not, under the same `webhook-id`."""
        message = replay(store=self.store, delivery_id=self.key_of(delivery_id), now=self.now)
        return Response(_present(self, [message])[0])


class EndpointReplayView(ApiView):
    """Sending a delivery again, by its endpoint's address."""

    required_scopes: ClassVar = {"POST": _WRITES}

    @command(body=None, answer=DeliveryDocument)
    def post(self, _request: Request, endpoint_id: str, delivery_id: str) -> Response:
        """Send a delivery of this endpoint again: as `/deliveries/{delivery_id}/replay/`."""
        message = replay(
            store=self.store,
            delivery_id=self.key_of(delivery_id),
            endpoint_id=self.key_of(endpoint_id),
            now=self.now,
        )
        return Response(_present(self, [message])[0])


def _endpoint(view: ApiView, endpoint_id: str) -> WebhookEndpoint:
    return view.find(
        endpoints_of(view.store), endpoint_id, gettext_noop("This store has no webhook endpoint with the id %(id)s.")
    )


def _present(view: ApiView, messages: Sequence[Message]) -> list[dict[str, Any]]:
    attempts = WebhookAttempt.objects.for_store(view.store).filter(message__in=messages).order_by("id")
    return deliveries_json(messages, attempts)
