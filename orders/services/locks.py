"""Locking orders, before they are read again, checked and written."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.errors import Conflict, NotFound, VersionConflict
from loyalty.stores.models import Store
from orders.models import Order


class OrderCancelled(Conflict):
    """A cancelled order takes nothing from the customer."""

    code = "order-cancelled"
    title = gettext_noop("The order is cancelled.")


def lock_orders(store: Store, order_ids: Sequence[int]) -> list[Order]:
    """These orders of ``store``, locked until the transaction ends, in id order."""
    orders = Order.objects.for_store(store).filter(pk__in=order_ids).order_by("pk")
    return list(orders.select_for_update(of=("self",), no_key=True).select_related("customer"))


def lock_order(store: Store, order_id: int, *, version: int | None = None) -> Order:
    """One order of ``store``, locked.

    Raises NotFound for an id that this store does not have (T1), VersionConflict when ``version`` is given and old.
    """
    orders = lock_orders(store, [order_id])
    if not orders:
        raise NotFound(_("This store has no order with the id %(id)s.") % {"id": order_id})
    if version not in (None, orders[0].version):
        raise VersionConflict(_("The order has changed since it was read. Read it again."))
    return orders[0]
