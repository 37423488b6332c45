"""The list of what will be cancelled automatically in the next 24 hours, and of what is held back from it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from loyalty.backoffice.badges import DASH
from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.lists.paging import PER_PAGE, BriefPage, page_of
from loyalty.core.clock import read_clock
from loyalty.store_settings.sections import StoreSettings, current_settings
from loyalty.stores.active_store import active_store, may
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.admin.automation.hold import held_by
from orders.admin.display import money_words, payment_badge, used_words
from orders.models import Order, light
from orders.services.automation.upcoming import due_at, held_orders, upcoming

# How far the list goes; the database reads at most this many orders from each index. The next page is tomorrow.
MOST: Final = 1000


@store_view(needs=Can.VIEW, methods=("GET",))
def upcoming_page(self: BackOfficeAdmin, request: HttpRequest, _row: None) -> HttpResponse:
    """Orders that will be cancelled, oldest due first; under *Held* those that staff hold."""
    store, now = active_store(request), read_clock()
    settings = current_settings(store)
    held = request.GET.get("show") == "held"
    page = page_of(request, held_orders(store) if held else upcoming(store, settings, now, most=MOST))
    rows = _held_rows(page, store, settings) if held else _upcoming_rows(page, store, now)
    context = {
        **self.admin_site.each_context(request),
        "title": _("Cancelled next"),
        "content_title": _("Cancelled next"),
        "held": held,
        "page": page,
        "rows": rows,
        "switched_off": settings.auto_cancel.expired == settings.auto_cancel.failed == "off",
        "expired_off": settings.auto_cancel.expired == "off",
        "most": MOST,
        "at_the_end": not held and page.number * PER_PAGE >= MOST,
        "may_cancel": may(request, Can.CANCEL_ORDERS),
    }
    return TemplateResponse(request, "orders/admin/automation/upcoming.html", context)


def _upcoming_rows(page: BriefPage, store: Store, now: datetime) -> list[dict[str, Any]]:
    ids = [order_id for order_id, _due in page]
    orders = light(Order.objects.for_store(store)).select_related("customer").in_bulk(ids)
    return [
        _row(orders[order_id], store)
        | {"when": _("with the next run, within a minute") if due <= now else show_moment(due, store)}
        for order_id, due in page
        if order_id in orders
    ]


def _held_rows(page: BriefPage, store: Store, settings: StoreSettings) -> list[dict[str, Any]]:
    orders: Sequence[Order] = list(page)
    names = held_by(orders, store)
    return [
        _row(order, store)
        | {"when": show_moment(due_at(order, settings.auto_cancel), store) or DASH, "held": names[order.pk]}
        for order in orders
    ]


def _row(order: Order, store: Store) -> dict[str, Any]:
    return {
        "order": order,
        "customer": str(order.customer) if order.customer else _("Guest"),
        "payment": payment_badge(order),
        "placed": show_moment(order.placed_at, store),
        "total": money_words(order, store),
        "credits": used_words(order, "credits", store),
        "points": used_words(order, "points", store),
    }
