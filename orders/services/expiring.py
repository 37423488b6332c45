"""Payments whose time has run out (E1)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet

from loyalty.jobs import wake
from loyalty.journal.record import Event, Happening, record
from loyalty.stores.actors import Actor
from loyalty.stores.preferences import settings_by_store
from orders.models import UNPAID, Order, PaymentStatus

JOB: Final = "orders.expire_overdue_payments"
BATCH: Final = 500


def expire_overdue_payments(now: datetime) -> dict[str, int]:
    """Set payments to Expired that are still pending past their due time, and have such orders cancelled (E1, E5).

    The due time is the order's own, or the store's window after it was placed; without either nothing expires.
    """
    expired = sum(_expire(overdue, now) for overdue in _overdue(now))
    if expired:
        wake("orders.auto_cancel")
    return {"expired": expired}


def _overdue(now: datetime) -> "Iterable[QuerySet[Order]]":
    unpaid = Order.unscoped.filter(UNPAID)
    yield unpaid.filter(payment_due_at__lte=now).order_by("payment_due_at")
    for store_id, settings in settings_by_store().items():
        if (hours := settings.auto_cancel.payment_window_hours) is not None:
            too_old = Q(payment_due_at__isnull=True, placed_at__lte=now - timedelta(hours=hours))
            yield unpaid.filter(too_old, store=store_id).order_by("placed_at")


def _expire(overdue: "QuerySet[Order]", now: datetime) -> int:
    total = 0
    while count := _expire_batch(overdue, now):
        total += count
    return total


@transaction.atomic
def _expire_batch(overdue: "QuerySet[Order]", now: datetime) -> int:
    # Locking reads the row again: a payment that has just arrived takes the order out of the claim (E6).
    orders = list(overdue.only("store_id", "customer_id").select_for_update(no_key=True, skip_locked=True)[:BATCH])
    Order.unscoped.filter(pk__in=[order.pk for order in orders]).update(
        payment_status=PaymentStatus.EXPIRED, payment_changed_at=now, version=F("version") + 1, updated_at=now
    )
    record((_expired(order) for order in orders), actor=Actor.job(JOB), now=now)
    return len(orders)


def _expired(order: Order) -> Happening:
    change = {"payment_status": {"from": PaymentStatus.PENDING.value, "to": PaymentStatus.EXPIRED.value}}
    return Happening(
        store_id=order.store_id,
        event=Event.ORDER_UPDATED,
        order_id=order.pk,
        customer_id=order.customer_id,
        data=change,
    )
