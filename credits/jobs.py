"""Periodic work on store credits."""

from datetime import datetime

from credits.ledger import CREDITS
from loyalty.jobs import Counts
from loyalty.ledger import expiring


def expire_lots(now: datetime) -> Counts:
    """Post what has lapsed (L5)."""
    return expiring.expire_lots(CREDITS, now)
