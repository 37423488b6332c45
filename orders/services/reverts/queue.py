"""The queue of what is still owed: oldest first, and nothing handed to two people at once (B2)."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from orders.models import WAITING_SINCE, Look, Order

# How long an order counts as looked at after its page was last opened; long enough for a phone call.
LOOK_LASTS: Final = timedelta(minutes=10)


def waiting(store: Store) -> "QuerySet[Order]":
    """The orders that need a decision, with ``waiting_since``, those that wait longest first (B2)."""
    orders: QuerySet[Order] = Order.objects.for_store(store).filter(needs_revert=True)
    return orders.annotate(waiting_since=WAITING_SINCE).order_by("waiting_since", "pk")


def waiting_since(order: Order) -> datetime:
    """Since when ``order`` waits, as the queue is sorted."""
    found: datetime = Order.objects.for_store(order.store).values_list(WAITING_SINCE, flat=True).get(pk=order.pk)
    return found


def looks(store: Store, order_ids: Collection[int], *, now: datetime) -> dict[int, Look]:
    """Who is looking at which of these orders; one query."""
    return {look.order_id: look for look in _fresh(store, now).filter(order__in=order_ids)}


def hand_out(store: Store, *, actor: Actor, now: datetime, passed: Collection[int] = ()) -> Order | None:
    """The order that waits longest and that nobody else is looking at; from now on ``actor`` is. None for none.

    ``passed`` are left out: the person skipped them. Two people who ask at the same moment get different orders: each
    locks his, passes by those that are locked, and sees under the lock what a colleague took a moment before.
    """
    # By itself, before any order is locked: two people who take over each other's old looks would else wait in a ring.
    stop_looking(store, actor=actor)
    return _take_next(store, actor, now, passed)


@transaction.atomic
def look_at(order: Order, *, actor: Actor, now: datetime) -> Look | None:
    """Say that ``actor`` is looking at ``order``; answers the look of somebody else who was there before.

    An order that is locked at this moment is being changed; then nothing is said.
    """
    rows = Order.objects.for_store(order.store).filter(pk=order.pk)
    if not rows.select_for_update(of=("self",), no_key=True, skip_locked=True).exists():
        return None
    return _take(order.store, order, actor, now)


def stop_looking(store: Store, *, actor: Actor) -> None:
    """Give free whatever ``actor`` is looking at."""
    Look.objects.for_store(store).filter(actor=actor.ref).delete()


def _fresh(store: Store, now: datetime) -> "QuerySet[Look]":
    return Look.objects.for_store(store).filter(seen_at__gt=now - LOOK_LASTS)


@transaction.atomic
def _take_next(store: Store, actor: Actor, now: datetime, passed: Collection[int]) -> Order | None:
    taken = _fresh(store, now).filter(order=OuterRef("pk"))
    free = waiting(store).filter(~Exists(taken)).exclude(pk__in=passed)
    while order := free.select_for_update(of=("self",), no_key=True, skip_locked=True).first():
        if _take(store, order, actor, now) is None:
            return order
    return None


def _take(store: Store, order: Order, actor: Actor, now: datetime) -> Look | None:
    """Write the look under the order's lock, unless somebody else's still counts; answers that one."""
    rows = Look.objects.for_store(store).filter(order=order)
    look: Look | None = rows.first()
    since = now
    if look is not None and look.seen_at > now - LOOK_LASTS:
        if look.actor != actor.ref:
            return look
        since = look.created_at
    if look is not None:
        rows.delete()
    Look.objects.create(store=store, order=order, actor=actor.ref, created_at=since, seen_at=now)
    return None
