"""What the menu says about orders."""

from typing import Final

from django.http import HttpRequest
from django.urls import reverse

from loyalty.stores.active import store_or_none
from orders.models import Order

_COUNTED_TO: Final = 99


def needs_revert_badge(request: HttpRequest) -> str:
    """How many orders need a decision (B2), counted to 99; empty for none."""
    store = store_or_none(request)
    if store is None:
        return ""
    count = Order.objects.for_store(store).filter(needs_revert=True).order_by()[: _COUNTED_TO + 1].count()
    return f"{_COUNTED_TO}+" if count > _COUNTED_TO else str(count or "")


def needs_revert_is_active(request: HttpRequest) -> bool:
    """Whether the page is the queue."""
    return request.path == reverse("admin:orders_order_changelist") and request.GET.get("needs_revert") == "yes"


def all_orders_is_active(request: HttpRequest) -> bool:
    """Whether the page is about orders, but not the queue."""
    return request.path.startswith(reverse("admin:orders_order_changelist")) and not needs_revert_is_active(request)
