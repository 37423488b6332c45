"""Payments whose time has run out (E1)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet

from loyalty.jobs import wake
from loyalty.journal.problems import by_halves, set_aside, solved
from loyalty.journal.record import Event, Happening, record
from loyalty.stores.actors import Actor
from loyalty.stores.preferences import settings_by_store
from orders.models import RUNS_OUT, Order, PaymentStatus, Problem

JOB: Final = "orders.expire_overdue_payments"
BATCH: Final = 500


def expire_overdue_payments(now: datetime) -> dict[str, int]:
    """Set payments to Expired that are still pending past their due time, and have such orders cancelled (E1, E5).

    The due time is the order's own, or the store's window after it was placed; without either nothing expires.
    """
    counts = {"expired": 0, "failed": 0}
    for overdue in _overdue(now):
        while _expire_batch(overdue.filter(~set_aside(Problem, JOB, now)), now, counts):
            pass
    if counts["expired"]:
        wake("orders.auto_cancel")
    return counts


def _overdue(now: datetime) -> "Iterable[QuerySet[Order]]":
    unpaid = Order.unscoped.filter(RUNS_OUT)
    yield unpaid.filter(payment_due_at__lte=now).order_by("payment_due_at")
    for store_id, settings in settings_by_store().items():
        if (hours := settings.auto_cancel.payment_window_hours) is not None:
            too_old = Q(payment_due_at__isnull=True, placed_at__lte=now - timedelta(hours=hours))
            yield unpaid.filter(too_old, store=store_id).order_by("placed_at")


@transaction.atomic
def _expire_batch(overdue: "QuerySet[Order]", now: datetime, counts: dict[str, int]) -> int:
    # Locking reads the row again: a payment that has just arrived takes the order out of the claim (E6).
    claimed = overdue.only("store_id", "customer_id").select_for_update(of=("self",), no_key=True, skip_locked=True)
    orders = list(claimed[:BATCH])
    failed = by_halves(Problem, orders, lambda part: _expire(part, now), job=JOB, now=now) if orders else 0
    counts["failed"] += failed
    counts["expired"] += len(orders) - failed
    return len(orders)


def _expire(orders: Sequence[Order], now: datetime) -> None:
    Order.unscoped.filter(pk__in=[order.pk for order in orders]).update(
        payment_status=PaymentStatus.EXPIRED, payment_changed_at=now, version=F("version") + 1, updated_at=now
    )
    record((_expired(order) for order in orders), actor=Actor.job(JOB), now=now)
    solved(Problem, orders, job=JOB)


def _expired(order: Order) -> Happening:
    change = {"payment_status": {"from": PaymentStatus.PENDING.value, "to": PaymentStatus.EXPIRED.value}}
    return Happening(
        store_id=order.store_id,
        event=Event.ORDER_UPDATED,
        order_id=order.pk,
        customer_id=order.customer_id,
        data=change,
    )
