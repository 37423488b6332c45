"""What the menu says about orders."""

from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from loyalty.platforms.models import PrivacyRequest
from loyalty.stores.active import may, store_or_none
from loyalty.stores.roles import Can
from orders.admin.reverts.walk import is_walking
from orders.models import Order, RequestState, ReversalRequest

_COUNTED_TO: Final = 99


def needs_revert_badge(request: HttpRequest) -> str:
    """How many orders need a decision (B2), counted to 99; empty for none."""
    return _badge(request, needs_revert=True)


def paid_late_badge(request: HttpRequest) -> str:
    """How many orders were paid after an automatic cancel and wait (E6), counted to 99; empty for none."""
    return _badge(request, paid_after_cancellation=True)


def requests_badge(request: HttpRequest) -> str:
    """How many requests for a reversal wait (R5), counted to 99; empty for none."""
    store = store_or_none(request)
    if store is None:
        return ""
    return _counted(ReversalRequest.objects.for_store(store).filter(state=RequestState.OPEN))


def privacy_badge(request: HttpRequest) -> str:
    """How many privacy requests nobody has decided yet, counted to 99; empty for none, and for who may not decide."""
    store = store_or_none(request)
    if store is None or not may(request, Can.CHANGE_SETTINGS):
        return ""
    return _counted(PrivacyRequest.objects.for_store(store).filter(done_at__isnull=True, confirmed_at__isnull=True))


def _badge(request: HttpRequest, **waiting: bool) -> str:
    store = store_or_none(request)
    if store is None:
        return ""
    return _counted(Order.objects.for_store(store).filter(**waiting))


def _counted(rows: "QuerySet[Any]") -> str:
    count = rows.order_by()[: _COUNTED_TO + 1].count()
    return f"{_COUNTED_TO}+" if count > _COUNTED_TO else str(count or "")


def needs_revert_is_active(request: HttpRequest) -> bool:
    """Whether the page is the queue, an order on the walk through it, or its list with filters."""
    queue = request.path == reverse("admin:orders_order_queue") or is_walking(request)
    return queue or _is_list(request, "needs_revert")


def paid_late_is_active(request: HttpRequest) -> bool:
    """Whether the page is the list of late payments."""
    return _is_list(request, "paid_after_cancellation")


def all_orders_is_active(request: HttpRequest) -> bool:
    """Whether the page is about orders, but none of the lists that have an entry of their own."""
    own = needs_revert_is_active(request) or paid_late_is_active(request)
    own = own or request.path == reverse("admin:orders_order_upcoming")
    own = own or order_settings_is_active(request) or spent_revert_is_active(request)
    return request.path.startswith(reverse("admin:orders_order_changelist")) and not own


def customers_is_active(request: HttpRequest) -> bool:
    """Whether the page is about customers, but none that has an entry of its own."""
    own = request.path == reverse("admin:stores_customer_expiring")
    return request.path.startswith(reverse("admin:stores_customer_changelist")) and not own


def order_settings_is_active(request: HttpRequest) -> bool:
    """Whether the page is the order settings, or tries them on the past."""
    return request.path in (reverse("admin:stores_settingsversion_orders"), reverse("admin:orders_order_backtest"))


def spent_revert_is_active(request: HttpRequest) -> bool:
    """Whether the page is the spent-revert rules, or tries them on the past."""
    pages = ("admin:stores_settingsversion_spent_revert", "admin:orders_order_rules_backtest")
    return request.path in map(reverse, pages)


def _is_list(request: HttpRequest, name: str) -> bool:
    return request.path == reverse("admin:orders_order_changelist") and request.GET.get(name) == "yes"
