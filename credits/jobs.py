"""Periodic work on store credits."""

from datetime import datetime

from credits.ledger import CREDITS
from loyalty.jobs.periodic import Counts
from loyalty.ledger import expire


def expire_lots(now: datetime) -> Counts:
    """Post what has lapsed (L5)."""
    return expire.expire_lots(CREDITS, now)
