"""Locking orders, before they are read again, checked and written."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.errors import Conflict, NotFound, VersionConflict
from loyalty.database.bulk import array
from loyalty.database.prepared import Columns, ask
from loyalty.stores.models import Customer, Store
from orders.models import Order

_ORDER: Final = Columns(Order, "found")
_CUSTOMER: Final = Columns(Customer, "customer")
# Compared in a way that no index knows: the plan is of any store, and going through the largest is no way to an order.
_LOCK: Final = f"""
SELECT {_ORDER.sql}, {_CUSTOMER.sql}
FROM orders_order AS found LEFT JOIN stores_customer AS customer ON customer.id = found.customer_id
WHERE found.id = ANY(%s::bigint[]) AND found.store_id IS NOT DISTINCT FROM %s::bigint
ORDER BY found.id
FOR NO KEY UPDATE OF found
"""


class OrderCancelled(Conflict):
    """A cancelled order takes nothing from the customer."""

    code = "order-cancelled"
    title = gettext_noop("The order is cancelled.")


def lock_orders(store: Store, order_ids: Sequence[int]) -> list[Order]:
    """These orders of ``store`` with their customers, locked until the transaction ends, in id order."""
    return locking(store, order_ids)()


def locking(store: Store, order_ids: Sequence[int]) -> Callable[[], list[Order]]:
    """As :func:`lock_orders`, which are awaited when they are asked for (ADR 0070)."""
    locked = ask(_LOCK, [array(order_ids), store.pk])
    return lambda: [_read(row) for row in locked.rows()]


def _read(row: Sequence[Any]) -> Order:
    width = len(_ORDER.names)
    order = _ORDER.read(row[:width])
    order.customer = None if order.customer_id is None else _CUSTOMER.read(row[width:])
    return order


def lock_order(store: Store, order_id: int, *, version: int | None = None) -> Order:
    """One order of ``store``, locked.

    Raises NotFound for an id that this store does not have (T1), VersionConflict when ``version`` is given and old.
    """
    return the_one(lock_orders(store, [order_id]), order_id, version=version)


def the_one(orders: Sequence[Order], order_id: int, *, version: int | None) -> Order:
    """The order that was locked, as :func:`lock_order` answers it."""
    if not orders:
        raise NotFound(_("This store has no order with the id %(id)s.") % {"id": order_id})
    if version not in (None, orders[0].version):
        raise VersionConflict(_("The order has changed since it was read. Read it again."))
    return orders[0]
