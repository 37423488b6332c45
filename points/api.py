"""Member points over REST: the ledger's views with whole numbers."""

from datetime import date
from typing import ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view

from loyalty.api.resources.ledger_documents import PointLotDocument, PointMovementDocument, StorePointLotDocument
from loyalty.api.resources.ledgers import (
    AdjustmentBody,
    AdjustView,
    LotsView,
    MovementsView,
    StoreLotsView,
)
from loyalty.api.values import PointsField
from loyalty.core.days import local_day
from loyalty.store_settings.sections import current_settings
from loyalty.stores.keys import Scope
from points.expiry_scheme import scheme_last_day
from points.ledger import POINTS


class PointAdjustmentBody(AdjustmentBody):
    """Points to be given (positive) or removed (negative). Without ``expires_on`` the store's scheme decides."""

    amount = PointsField(allow_zero=False, allow_negative=True)


@extend_schema_view(get=extend_schema(summary="A customer's points, lot by lot", responses=PointLotDocument(many=True)))
class PointLotsView(LotsView):
    """A customer's points, lot by lot."""

    ledger = POINTS


@extend_schema_view(
    get=extend_schema(summary="The points of all customers, lot by lot", responses=StorePointLotDocument(many=True))
)
class StorePointLotsView(StoreLotsView):
    """The points of all customers, lot by lot."""

    ledger = POINTS


@extend_schema_view(
    get=extend_schema(summary="What happened to a customer's points", responses=PointMovementDocument(many=True))
)
class PointMovementsView(MovementsView):
    """A customer's member-points history."""

    ledger = POINTS


class AdjustPointsView(AdjustView):
    """Gives points by hand, or removes them; the address is with the orders, which points may be earned by."""

    required_scopes: ClassVar = {"POST": Scope.POINTS_WRITE}
    ledger = POINTS

    def default_last_day(self) -> date | None:
        """What the store's scheme says of points awarded today (L7)."""
        scheme = current_settings(self.store).points_expiry
        return scheme_last_day(scheme, awarded=local_day(self.now, self.store.tz))
