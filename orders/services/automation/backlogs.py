"""What waits for the jobs of orders, what came back of late, and what was set aside: for whoever watches."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, QuerySet

from loyalty.ledger.ledger import Kind
from loyalty.monitoring.backlogs import MOST, Backlog
from orders.kinds import KINDS, LEDGERS
from orders.models import (
    ATTEMPT_FAILED,
    RUNS_OUT,
    BalanceImport,
    BulkCancel,
    BulkState,
    BundleState,
    ImportState,
    Order,
    Problem,
    Revert,
    StoreBundle,
)
from orders.services.automation.cancel_unpaid import JOB as CANCELLING
from orders.services.automation.cancel_unpaid import due_by_store_rules
from orders.services.automation.expire_payments import ATTEMPTS_GRACE
from orders.services.automation.expire_payments import JOB as EXPIRING
from orders.services.rules.schedule import JOB as EVALUATING

# Returns are counted over so long, and so many at most: there are millions of them.
LATELY: Final = timedelta(minutes=10)
_MOST_RETURNS: Final = 100_000
# Pieces of work that take their time.
_LONG: Final = timedelta(hours=1)


def returns_lately(now: datetime) -> Mapping[tuple[str, str], int]:
    """How many returns there were in the last ten minutes, by trigger and kind; at most 100,000 are counted."""
    since = Revert.unscoped.filter(created_at__gt=now - LATELY).order_by()
    some = since.values("pk", "trigger", "kind")[:_MOST_RETURNS]
    counted = Revert.unscoped.filter(pk__in=some.values("pk")).order_by().values_list("trigger", "kind")
    return {(trigger, kind): count for trigger, kind, count in counted.annotate(count=Count("*"))}


def orders_set_aside() -> int:
    """How many orders wait to be tried again after an error."""
    return Problem.unscoped.order_by()[:MOST].count()


def _overdue(now: datetime) -> "Iterator[QuerySet[Order]]":
    """Payments that say themselves when they end."""
    yield Order.unscoped.filter(RUNS_OUT, payment_due_at__lte=now).order_by("payment_due_at")


def _declined(now: datetime) -> "Iterator[QuerySet[Order]]":
    longest_ago = Order.unscoped.filter(ATTEMPT_FAILED, attempt_failed_at__lte=now - ATTEMPTS_GRACE)
    yield longest_ago.order_by("attempt_failed_at")


def _changed(now: datetime) -> "Iterator[QuerySet[Order]]":
    yield Order.unscoped.filter(rules_due_at__lte=now).order_by("rules_due_at")


def _bulks(_now: datetime) -> "Iterator[QuerySet[BulkCancel]]":
    yield BulkCancel.unscoped.filter(state=BulkState.OPEN).order_by()


def _imports(_now: datetime) -> "Iterator[QuerySet[BalanceImport]]":
    working = (ImportState.READING, ImportState.RUNNING, ImportState.TAKING_BACK)
    yield BalanceImport.unscoped.filter(state__in=working).order_by()


def _bundles(_now: datetime) -> "Iterator[QuerySet[StoreBundle]]":
    yield StoreBundle.unscoped.filter(state=BundleState.WRITING).order_by()


def _lapsed(kind: Kind) -> Callable[[datetime], "Iterator[QuerySet[Any]]"]:
    def rows(now: datetime) -> "Iterator[QuerySet[Any]]":
        lots = LEDGERS[kind].tables.lot.unscoped.filter(remaining__gt=0, expires_at__lte=now)
        yield lots.order_by("expires_at")

    return rows


BACKLOGS: Final = (
    Backlog(EXPIRING, "payments that ran out", _overdue, "payment_due_at"),
    Backlog(CANCELLING, "unpaid orders", due_by_store_rules, "payment_changed_at"),
    Backlog(EVALUATING, "orders that changed", _changed, "rules_due_at"),
    Backlog("orders.bulk_cancel", "bulk cancels", _bulks, "confirmed_at", _LONG),
    Backlog("orders.import_balances", "balance imports", _imports, "updated_at", _LONG),
    Backlog("orders.write_bundles", "bundles", _bundles, "created_at", _LONG),
    *(Backlog(f"{kind}.expire_lots", f"{kind} lots", _lapsed(kind), "expires_at") for kind in KINDS),
)
