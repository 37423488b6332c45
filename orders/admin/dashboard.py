"""The start page's tiles: what waits, each with a link to the list behind it. Counts are bounded."""

from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from loyalty.ledger.expiry import end_of_day, local_day
from loyalty.stores.active import store_or_none
from orders.admin.order_filters import AUTOMATIC
from orders.models import Order

_COUNTED_TO: Final = 999


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the start page, with its tiles."""
    store = store_or_none(request)
    if store is None:
        return context
    today = local_day(timezone.now(), store.tz)
    midnight = end_of_day(today - timedelta(days=1), store.tz)
    orders, address = Order.objects.for_store(store), reverse("admin:orders_order_changelist")
    waiting = orders.filter(needs_revert=True)
    automatic = orders.filter(cancelled_at__gte=midnight, cancelled_by__in=AUTOMATIC)
    placed = orders.filter(placed_at__gte=midnight)
    tiles = [
        ("Needs revert", waiting, f"{address}?needs_revert=yes", "Cancelled or refunded, and nobody has decided yet"),
        (
            "Cancelled automatically today",
            automatic,
            f"{address}?cancelled_by=automatic&cancelled_from={today}",
            "Payment expired or failed",
        ),
        ("Orders placed today", placed, f"{address}?placed_from={today}", "All statuses"),
    ]
    return context | {
        "tiles": [
            {"title": title, "figure": _bounded(rows), "link": link, "words": words}
            for title, rows, link, words in tiles
        ]
    }


def _bounded(rows: Any) -> str:
    count = rows.order_by()[: _COUNTED_TO + 1].count()
    return f"more than {_COUNTED_TO}" if count > _COUNTED_TO else str(count)
