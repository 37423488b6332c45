"""The cancel and return form, and cancelling many orders: full pages with their own addresses."""

from django.http import Http404, HttpRequest, HttpResponse

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.stores.roles import Can
from orders.models import Order


@store_view(needs=Can.CANCEL_ORDERS)
def cancel_page(admin: BackOfficeAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """``admin:orders_order_cancel``: cancel this order, or return what is left of it."""
    raise Http404


@store_view(needs=Can.CANCEL_ORDERS)
def bulk_cancel_page(admin: BackOfficeAdmin, request: HttpRequest, order: None) -> HttpResponse:
    """``admin:orders_order_bulk_cancel``: cancel the orders ``?ids=1,2,3`` and return nothing (B1)."""
    raise Http404
