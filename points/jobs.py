"""Periodic work on member points."""

from datetime import datetime

from loyalty.jobs.periodic import Counts
from loyalty.ledger import expire
from points.ledger import POINTS


def expire_lots(now: datetime) -> Counts:
    """Post what has lapsed (L5)."""
    return expire.expire_lots(POINTS, now)
