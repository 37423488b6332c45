"""Orders that were paid after they were cancelled automatically: keep them cancelled (E6)."""

from collections.abc import Sequence
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.links import order_address
from loyalty.core.clock import read_clock
from loyalty.stores.active_store import acting, active_store
from loyalty.stores.roles import Can
from orders.models import Order
from orders.services.reverts.reinstate import NotPaidAfterCancellation, mark_for_refund

_KEPT: Final = gettext_noop(
    "Order %(number)s stays cancelled and is marked for refund. Refund the payment where it was made."
)
_NOT_LATE: Final = gettext_noop(
    "Order %(number)s was not paid after an automatic cancel, or somebody has decided meanwhile. Nothing was done."
)


@store_view(needs=Can.CANCEL_ORDERS, methods=("POST",))
def refund_page(admin: BackOfficeAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """``admin:orders_order_refund_later``: keep this order cancelled and mark it for refund; twice is as once."""
    keep_all_cancelled(request, [(order.pk, order.number)])
    return HttpResponseRedirect(order_address(order.pk))


def keep_all_cancelled(request: HttpRequest, orders: Sequence[tuple[int, str]]) -> None:
    """Mark these orders of the active store, given by id and number, and say what came of it."""
    store, actor, now = active_store(request), acting(request), read_clock()
    for order_id, number in orders:
        try:
            mark_for_refund(store=store, order_id=order_id, actor=actor, now=now)
        except NotPaidAfterCancellation:
            messages.warning(request, _(_NOT_LATE) % {"number": number})
        else:
            messages.success(request, _(_KEPT) % {"number": number})
