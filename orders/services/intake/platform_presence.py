"""Orders that are deleted on their platform, or in its bin, and come back: nothing moves (O9)."""

from datetime import datetime

from django.db import transaction

from loyalty.journal.record import Event, record
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from orders.models import Order, OrderStatus
from orders.services.events import happened_to
from orders.services.intake.platform_state import LAST_SAID


@transaction.atomic
def note_deleted(
    *,
    store: Store,
    platform: str,
    external_id: str,
    said_at: datetime | None,
    heard_at: datetime,
    actor: Actor,
    now: datetime,
) -> Order | None:
    """Note that the platform deleted an order; None when it was never recorded.

    The order stays with what it used, and nobody's value moves: deleting is no cancel. One that nobody paid and that
    used value waits in the queue (B2). When that was is ``said_at`` where the platform tells, and then it is older than
    the recorded state or counts; most messages carry an id alone, and count from when they were heard.
    """
    order = locked_order(store, platform, external_id)
    if order is None or order.platform_deleted_at is not None:
        return order
    if said_at is not None and order.platform_updated_at is not None and said_at < order.platform_updated_at:
        return order
    order.platform_deleted_at = said_at or heard_at
    order.platform_data = order.platform_data | {"is_open": False}
    order.touch(now, "platform_deleted_at", "platform_data")
    record([happened_to(order, Event.ORDER_DELETED_THERE)], actor=actor, now=now)
    return order


def note_still_there(order: Order, *, actor: Actor, now: datetime) -> None:
    """Take the mark away: the platform shows the locked order again. Runs in the transaction that heard of it."""
    order.platform_deleted_at = None
    said = order.platform_data.get(LAST_SAID, {})
    order.platform_data = order.platform_data | {"is_open": said.get("status") != OrderStatus.CANCELLED}
    order.touch(now, "platform_deleted_at", "platform_data")
    record([happened_to(order, Event.ORDER_RESTORED_THERE)], actor=actor, now=now)


def locked_order(store: Store, platform: str, external_id: str) -> Order | None:
    """The order that a platform names, locked until the transaction ends; None when it is not recorded."""
    orders = Order.objects.for_store(store).filter(platform=platform, external_id=external_id).order_by()
    order: Order | None = orders.select_for_update(of=("self",), no_key=True).first()
    return order
