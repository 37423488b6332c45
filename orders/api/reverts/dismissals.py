"""Deciding over REST not to return what is left of an order."""

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
from orders.api.reverts.bodies import DismissBody
from orders.services.reverts.dismiss import dismiss_revert, put_back_in_queue


class DismissView(ApiView):
    """One order's dismissal."""

    required_scopes: ClassVar = {"POST": Scope.ORDERS_CANCEL, "DELETE": Scope.ORDERS_CANCEL}

    @command(body=DismissBody, answer=OrderDocument, if_match=True)
    def post(self, request: Request, order_id: str) -> Response:
        """Decide that the rest is not returned: the order leaves the queue and stays Not Reverted.

        Automation leaves it alone from then on. Again changes nothing. Refused with 409 `not-returnable` on an order
        that is neither cancelled nor refunded, and `nothing-left` when everything is back.
        """
        order = dismiss_revert(
            store=self.store,
            order_id=self.key_of(order_id),
            reason=self.read(DismissBody)["reason"],
            version=expected_version(request),
            act=self.act,
        )
        return versioned(OrderDocument.of(order), order.version)

    @extend_schema(parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, order_id: str) -> Response:
        """Put the order back into the queue: what people decided about what is left counts no longer."""
        order = put_back_in_queue(
            store=self.store,
            order_id=self.key_of(order_id),
            version=expected_version(request),
            act=self.act,
        )
        return versioned(None, order.version, status=204)
