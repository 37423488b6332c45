"""Holding an order: while staff hold it, no job cancels it."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.jobs.periodic import wake
from loyalty.journal.record import Event, record
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from orders.models import Order, OrderStatus, PaymentStatus
from orders.services.events import happened_to
from orders.services.locks import OrderCancelled, lock_order


@transaction.atomic
def hold_order(*, store: Store, order_id: int, actor: Actor, now: datetime, version: int | None = None) -> Order:
    """Keep automatic cancelling away from an order until it is released; holding a held one changes nothing.

    Raises NotFound (T1), OrderCancelled, VersionConflict when ``version`` is given and old.
    """
    order = lock_order(store, order_id, version=version)
    if order.held_at is not None:
        return order
    if order.status == OrderStatus.CANCELLED:
        raise OrderCancelled(_("This order is cancelled already; there is nothing left to hold."))
    return _set(order, now, Event.ORDER_HELD, actor, now)


@transaction.atomic
def release_order(*, store: Store, order_id: int, actor: Actor, now: datetime, version: int | None = None) -> Order:
    """Let automatic cancelling have an order again, within seconds when it is due; again changes nothing.

    Raises NotFound (T1), VersionConflict when ``version`` is given and old.
    """
    order = lock_order(store, order_id, version=version)
    if order.held_at is None:
        return order
    if order.payment_status in (PaymentStatus.EXPIRED, PaymentStatus.FAILED):
        wake("orders.auto_cancel")
    return _set(order, None, Event.ORDER_RELEASED, actor, now)


def _set(order: Order, held_at: datetime | None, event: Event, actor: Actor, now: datetime) -> Order:
    order.held_at = held_at
    order.touch(now, "held_at")
    record([happened_to(order, event)], actor=actor, now=now)
    return order
