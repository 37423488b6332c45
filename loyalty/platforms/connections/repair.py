"""Looking after the webhooks on the platforms, which delete or switch off what has failed for a while."""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from loyalty.database.busy import raise_if_away
from loyalty.database.named_stores import in_store
from loyalty.jobs.periodic import Counts
from loyalty.platforms.connections.check import register_webhooks
from loyalty.platforms.http.protocol import PlatformError
from loyalty.platforms.models import PlatformConnection, WebhooksState

logger = logging.getLogger(__name__)

EVERY: Final = timedelta(days=1)
# After a failure it is tried again this much later.
AGAIN: Final = timedelta(hours=1)


def repair_webhooks(now: datetime) -> Counts:
    """Once a day for each connection whose webhooks were registered: make missing ones, revive dead ones.

    One shop that cannot be asked never stops the others; its connection shows why, and an hour later it is asked again.
    """
    counts = {"repaired": 0, "unchanged": 0, "failed": 0}
    for connection in _due(now):
        if connection.may_be_called and _claim(connection, now):
            with in_store(connection.store_id):
                counts[_repair(connection, now)] += 1
    return counts


def _due(now: datetime) -> list[PlatformConnection]:
    ripe = Q(webhooks_checked_at__isnull=True) | Q(webhooks_checked_at__lte=now - EVERY)
    rows = PlatformConnection.unscoped.filter(ripe, enabled=True, uninstalled_at__isnull=True)
    wanted = rows.exclude(webhook_address="").exclude(webhooks=WebhooksState.BY_HAND)
    return list(wanted.select_related("store").order_by("webhooks_checked_at", "pk"))


def _claim(connection: PlatformConnection, now: datetime) -> bool:
    """Whether this worker is the one to do it: another one may have read the same list."""
    same = PlatformConnection.unscoped.filter(pk=connection.pk, webhooks_checked_at=connection.webhooks_checked_at)
    if connection.webhooks_checked_at is None:
        same = PlatformConnection.unscoped.filter(pk=connection.pk, webhooks_checked_at__isnull=True)
    return bool(same.update(webhooks_checked_at=now))


def _repair(connection: PlatformConnection, now: datetime) -> str:
    try:
        report = register_webhooks(connection, address=connection.webhook_address, now=now)
    except Exception as error:
        raise_if_away(error)
        # Whatever this shop answers is its own trouble; those behind it are asked all the same.
        expected = isinstance(error, PlatformError)
        logger.warning("Webhooks of connection %s were not repaired.", connection.pk, exc_info=not expected)
        again = now - EVERY + AGAIN
        PlatformConnection.unscoped.filter(pk=connection.pk).update(webhooks_checked_at=again)
        return "failed"
    return "repaired" if report.changed else "unchanged"
