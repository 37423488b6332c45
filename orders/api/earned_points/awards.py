"""Giving points over REST, which may be earned by an order (C1)."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.idempotency import command
from loyalty.api.resources.ledger_documents import PointLotDocument, PointMovementDocument, given_or_removed
from loyalty.api.values import IdField
from loyalty.ledger.adjust import Adjustment
from loyalty.ledger.posting import Posted
from orders.services.earned_points.award import award_for_order
from points.api import AdjustPointsView, PointAdjustmentBody


class PointsBody(PointAdjustmentBody):
    """Points to be given (positive) or removed (negative). Without ``expires_on`` the store's scheme decides.

    With ``order`` they are points that the order earns, and are taken back when it falls through, if the store says so.
    """

    order = IdField(required=False, allow_null=True)


class PointsView(AdjustPointsView):
    """Gives points by hand or for an order, or removes them."""

    body = PointsBody

    @command(body=PointsBody, answer={201: given_or_removed(PointLotDocument, PointMovementDocument)})
    def post(self, _request: Request, customer_id: str) -> Response:
        """Give points (answers the lot) or, with a negative amount, remove them (answers the movements)."""
        return self.adjust(customer_id)

    def write(self, customer_id: int, adjustment: Adjustment, values: dict[str, Any]) -> list[Posted]:
        """Write it, for the order that the body names if it names one."""
        if values.get("order") is None:
            return super().write(customer_id, adjustment, values)
        awarded = award_for_order(
            store=self.store,
            order_id=values["order"],
            customer_id=customer_id,
            adjustment=adjustment,
            act=self.act,
        )
        return [awarded]
