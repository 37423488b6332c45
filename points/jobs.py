"""Periodic work on member points."""

from datetime import datetime

from points.ledger import POINTS
from loyalty.jobs import Counts
from loyalty.ledger import expiring


def expire_lots(now: datetime) -> Counts:
    """Post what has lapsed (L5)."""
    return expiring.expire_lots(POINTS, now)
