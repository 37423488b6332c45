"""Merging customers over REST (O7)."""

from typing import ClassVar, Final

from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.idempotency import command
from loyalty.api.requests.permissions import require_scope
from loyalty.api.resources.customers import CustomerDocument, customer_json
from loyalty.api.values import Body, IdField, TextField
from loyalty.api.views import ApiView
from loyalty.customers.identify import platform_ids
from loyalty.stores.keys import Scope
from orders.services.customers.merge import merge_customers

# What it needs beside its own: it raises the kept customer's balances by what the other has (T7).
_MOVES_VALUE: Final = (Scope.CREDITS_WRITE, Scope.POINTS_WRITE)


class MergeBody(Body):
    """Who is merged into the customer of the address, and why."""

    customer = IdField()
    reason = TextField(max_length=200, required=False)


class MergeView(ApiView):
    """Two customers who are one person."""

    required_scopes: ClassVar = {"POST": Scope.CUSTOMERS_WRITE}

    @command(body=MergeBody, answer=CustomerDocument)
    def post(self, request: Request, customer_id: str) -> Response:
        """Merge another customer into this one: whom the body names, for good; answers this one.

        Balances, lots with their expiry, history, orders and redemptions are this one's from then on; ids and e-mail
        addresses of the other lead here. There is no way back. Two who are one already stay as they are. Because value
        moves, the key needs `credits:write` and `points:write` too. Refused with 409 `customer-erased` for somebody
        who was erased.
        """
        for scope in _MOVES_VALUE:
            require_scope(request, scope)
        values = self.read(MergeBody)
        merged = merge_customers(
            store=self.store,
            kept_id=self.customer(customer_id).pk,
            merged_id=values["customer"],
            reason=values.get("reason", ""),
            act=self.act,
        )
        return Response(customer_json(merged.kept, platform_ids([merged.kept.pk])))
