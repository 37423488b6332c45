"""Payments whose time has run out (E1, E10)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet

from loyalty.jobs.periodic import wake
from loyalty.jobs.problems import by_halves, set_aside, solved
from loyalty.journal.record import Event, Happening, record
from loyalty.store_settings.sections import AutoCancelSettings, settings_by_store
from loyalty.stores.actors import Actor
from orders.models import ATTEMPT_FAILED, RUNS_OUT, Order, PaymentStatus, Problem
from orders.services.events import happened_to

JOB: Final = "orders.expire_overdue_payments"
BATCH: Final = 500
# How long another payment may follow a declined card, whatever less the store's own grace is (E10).
ATTEMPTS_GRACE: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Fell:
    """How a payment falls through by time alone, and what the job counts it as."""

    status: PaymentStatus
    counted_as: str


EXPIRED: Final = Fell(PaymentStatus.EXPIRED, "expired")
DECLINED: Final = Fell(PaymentStatus.FAILED, "declined")


def expire_overdue_payments(now: datetime) -> dict[str, int]:
    """Set payments to Expired that are still pending past their due time, and have such orders cancelled (E1, E5).

    The due time is the order's own, or the store's window after it was placed; without either nothing expires. A
    declined card that no other payment followed in time counts as Failed from when it was declined (E10).
    """
    counts = {"expired": 0, "declined": 0, "failed": 0}
    for found, fell in ((_overdue(now), EXPIRED), (_declined(now), DECLINED)):
        for orders in found:
            while _batch(orders.filter(~set_aside(Problem, JOB, now)), fell, now, counts):
                pass
    if counts["expired"] or counts["declined"]:
        wake("orders.auto_cancel")
    return counts


def patience(auto: AutoCancelSettings) -> timedelta:
    """How long after a declined card another payment may follow: the store's grace, at least half an hour (E10)."""
    return max(timedelta(minutes=auto.failed_grace_minutes), ATTEMPTS_GRACE)


def _overdue(now: datetime) -> "Iterable[QuerySet[Order]]":
    unpaid = Order.unscoped.filter(RUNS_OUT)
    yield unpaid.filter(payment_due_at__lte=now).order_by("payment_due_at")
    for store_id, settings in settings_by_store().items():
        if (window := settings.auto_cancel.payment_window) is not None:
            too_old = Q(payment_due_at__isnull=True, placed_at__lte=now - window)
            yield unpaid.filter(too_old, store=store_id).order_by("placed_at")


def _declined(now: datetime) -> "Iterable[QuerySet[Order]]":
    """Orders whose first declined card is longer ago than the store's grace, and than half an hour."""
    tried = Order.unscoped.filter(ATTEMPT_FAILED)
    patient = {
        store_id: grace
        for store_id, settings in settings_by_store().items()
        if (grace := patience(settings.auto_cancel)) > ATTEMPTS_GRACE
    }
    yield tried.filter(attempt_failed_at__lte=now - ATTEMPTS_GRACE).exclude(store__in=patient).order_by("pk")
    for store_id, grace in patient.items():
        yield tried.filter(attempt_failed_at__lte=now - grace, store=store_id).order_by("pk")


@transaction.atomic
def _batch(found: "QuerySet[Order]", fell: Fell, now: datetime, counts: dict[str, int]) -> int:
    # Locking reads the row again: a payment that has just arrived takes the order out of the claim (E6).
    claimed = found.only("store_id", "customer_id").select_for_update(of=("self",), no_key=True, skip_locked=True)
    orders = list(claimed[:BATCH])
    failed = by_halves(Problem, orders, lambda part: _write(part, fell, now), job=JOB, now=now) if orders else 0
    counts["failed"] += failed
    counts[fell.counted_as] += len(orders) - failed
    return len(orders)


def _write(orders: Sequence[Order], fell: Fell, now: datetime) -> None:
    Order.unscoped.filter(pk__in=[order.pk for order in orders]).update(
        payment_status=fell.status,
        # The store's grace for failed payments has run since the card was declined.
        payment_changed_at=F("attempt_failed_at") if fell is DECLINED else now,
        attempt_failed_at=None,
        version=F("version") + 1,
        updated_at=now,
    )
    record((_happening(order, fell) for order in orders), actor=Actor.job(JOB), now=now)
    solved(Problem, orders, job=JOB)


def _happening(order: Order, fell: Fell) -> Happening:
    change = {"payment_status": {"from": PaymentStatus.PENDING.value, "to": fell.status.value}}
    return happened_to(order, Event.ORDER_UPDATED, change)
