"""Periodic work on member points."""

from datetime import datetime

from loyalty.jobs import Counts
from loyalty.ledger import expiring
from points.ledger import POINTS


def expire_lots(now: datetime) -> Counts:
    """Post what has lapsed (L5)."""
    return expiring.expire_lots(POINTS, now)
