"""The member-points ledger: the engine over points tables."""

from typing import Final

from loyalty.ledger.ledger import Ledger
from loyalty.ledger.posting import Tables
from points.models import PointAllocation, PointLot, PointMovement

POINTS: Final = Ledger(
    "points", Tables(PointLot, PointAllocation, PointMovement, "bigint", has_currency=False, may_owe=True)
)
