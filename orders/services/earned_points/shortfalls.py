"""Earned points that could not be taken back: they count against what the customer earns next (C1).

Somebody who earns, spends and cancels in turn would otherwise have points without a purchase, again and again.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from django.db import connection
from django.db.models import Sum

from loyalty.database.bulk import array
from loyalty.journal.record import Event, Happening, record
from loyalty.ledger.earned import TakeBack, receivers, take_back
from loyalty.stores.actors import Act
from loyalty.stores.models import Customer
from orders.models import Order
from orders.services.events import happened_to
from points.ledger import POINTS

_WRITE: Final = """
UPDATE orders_order AS orders SET points_taken_back = points_taken_back + change.taken,
    points_not_taken = points_not_taken - change.taken, version = version + 1, updated_at = %(now)s
FROM unnest(%(ids)s::bigint[], %(taken)s::bigint[]) AS change (id, taken)
WHERE orders.id = change.id
"""


def settle_shortfalls(earned: Mapping[int, int], *, settled_now: Collection[int], act: Act) -> None:
    """Take out of what customers have just ``earned`` what earlier orders' falling through left untaken, oldest first.

    Callers hold the customers' locks, and those of the orders ``settled_now``, which are left alone. An earlier order
    that somebody else holds is left to the next award: waiting for it could be a deadlock, since orders are locked
    before customers. A number of statements that does not grow with the orders; one where there is no shortfall.
    """
    orders = _short(earned, settled_now) if earned else []
    got = receivers(POINTS, [order.pk for order in orders]) if orders else {}
    takes: list[TakeBack] = []
    left = dict(earned)
    for order in orders:
        customer_id = order.customer_id or 0
        amount = min(left[customer_id], order.points_not_taken)
        if amount and any(who.customer_id == customer_id for who in got.get(order.pk, ())):
            left[customer_id] -= amount
            takes.append(TakeBack(order.store_id, customer_id, order.pk, amount, may_owe=False))
    back = take_back(POINTS, takes, act=act)
    taken = {order_id: int(points) for order_id, points in back.items() if points}
    if not taken:
        return
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, {"ids": array(taken), "taken": array(taken.values()), "now": act.now})
    told = [_told(order, taken[order.pk], act.trigger) for order in orders if order.pk in taken]
    record(told, actor=act.actor, now=act.now)


def shortfall_of(customer: Customer) -> int:
    """Points that orders of ``customer`` earned, fell through with, and could not be taken back so far."""
    orders = Order.objects.for_store(customer.store).filter(customer=customer, points_not_taken__gt=0).order_by()
    return orders.aggregate(points=Sum("points_not_taken"))["points"] or 0


def with_shortfalls(customer_ids: Collection[int]) -> set[int]:
    """Who of them has an order of which something could not be taken back so far; one query."""
    orders = Order.unscoped.filter(customer__in=customer_ids, points_not_taken__gt=0).order_by()
    return {customer_id for customer_id in orders.values_list("customer_id", flat=True) if customer_id is not None}


def _short(earned: Mapping[int, int], settled_now: Collection[int]) -> Sequence[Order]:
    orders = Order.unscoped.filter(customer__in=list(earned), points_not_taken__gt=0).exclude(pk__in=settled_now)
    free = orders.order_by("pk").select_for_update(of=("self",), no_key=True, skip_locked=True)
    return list(free.only("store_id", "customer_id", "points_not_taken"))


def _told(order: Order, points: int, trigger: str) -> Happening:
    data = {"trigger": trigger, "points": points, "dropped": order.points_not_taken - points, "late": True}
    return happened_to(order, Event.POINTS_TAKEN_BACK, data)
