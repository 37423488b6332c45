"""Holding orders back from automatic cancelling over REST."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.idempotency import command
from loyalty.api.openapi.schema import IF_MATCH
from loyalty.api.requests.etags import expected_version, versioned
from loyalty.api.views import ApiView
from loyalty.stores.keys import Scope
from orders.api.orders.documents import OrderDocument
from orders.services.automation.hold import hold_order, release_order


class HoldView(ApiView):
    """One order's hold."""

    required_scopes: ClassVar = {"POST": Scope.ORDERS_CANCEL, "DELETE": Scope.ORDERS_CANCEL}

    @command(body=None, answer=OrderDocument, if_match=True)
    def post(self, request: Request, order_id: str) -> Response:
        """Hold the order: no job cancels it until it is released. Holding a held order changes nothing."""
        order = hold_order(
            store=self.store,
            order_id=self.key_of(order_id),
            version=expected_version(request),
            actor=self.actor,
            now=self.now,
        )
        return versioned(OrderDocument.of(order), order.version)

    @extend_schema(parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, order_id: str) -> Response:
        """Release the order: it is cancelled within seconds when it is due. Again changes nothing."""
        order = release_order(
            store=self.store,
            order_id=self.key_of(order_id),
            version=expected_version(request),
            actor=self.actor,
            now=self.now,
        )
        return versioned(None, order.version, status=204)
