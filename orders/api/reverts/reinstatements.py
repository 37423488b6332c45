"""Bringing cancelled orders back."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.idempotency import command
from loyalty.api.requests.etags import expected_version, versioned
from loyalty.api.views import ApiView
from loyalty.stores.keys import Scope
from orders.api.reverts.bodies import ReinstateBody
from orders.api.reverts.documents import ReinstateAnswerDocument, reinstate_json
from orders.services.reverts.reinstate import Deduct, reinstate


class ReinstateView(ApiView):
    """Bringing one order back."""

    required_scopes: ClassVar = {"POST": Scope.ORDERS_CANCEL}

    @command(body=ReinstateBody, answer=ReinstateAnswerDocument, if_match=True)
    def post(self, request: Request, order_id: str) -> Response:
        """Bring a cancelled order back: take again what `deduct` says of what was returned.

        Nothing is taken by itself. `all` without the balance is refused at `/deduct` and the order stays cancelled;
        `available` takes what there is. On an order that is not cancelled the status stays, and what is still with the
        customer is taken; with nothing left nothing changes.
        """
        values = self.read(ReinstateBody)
        result = reinstate(
            store=self.store,
            order_id=self.key_of(order_id),
            status=values["status"],
            deduct=Deduct(values["deduct"]),
            version=expected_version(request),
            act=self.act,
        )
        return versioned(reinstate_json(result), result.order.version)
