"""The queue of orders that need a decision: oldest first, with age, amounts and the reason why they are there (B2)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.backoffice.badges import DASH
from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.lists.paging import BriefPage, page_of
from loyalty.core.clock import read_clock
from loyalty.core.locales import count_text
from loyalty.ledger.ledger import Kind
from loyalty.stores.active_store import active_store, may
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.admin.display import payment_badge, status_badge
from orders.admin.reverts.walk import COUNTED_TO, age, count, looked_at_words, stop
from orders.admin.reverts.why import reasons
from orders.kinds import applied, currency_of, reverted, show
from orders.models import Look, Order, OrderStatus, light
from orders.services.reverts.queue import looks, waiting


@store_view(needs=Can.VIEW, methods=("GET",))
def queue_page(admin: BackOfficeAdmin, request: HttpRequest, _row: None) -> HttpResponse:
    """``admin:orders_order_queue``: what is still owed; who may return it starts with the oldest."""
    store, now = active_store(request), read_clock()
    may_decide = may(request, Can.CANCEL_ORDERS)
    if may_decide:
        stop(request)
    page = page_of(request, light(waiting(store)).select_related("customer"))
    number = count(store)
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Needs revert"),
        "content_title": _("Needs revert"),
        "page": page,
        "rows": _rows(page, store, now),
        "heading": _heading(number),
        "may_decide": may_decide,
    }
    return TemplateResponse(request, "orders/admin/reverts/queue.html", context)


def _heading(number: int) -> str:
    if number > COUNTED_TO:
        return _("More than %(count)s orders wait") % {"count": count_text(COUNTED_TO)}
    return ngettext("%(count)s order waits", "%(count)s orders wait", number) % {"count": count_text(number)}


def _rows(page: BriefPage, store: Store, now: datetime) -> list[dict[str, Any]]:
    orders = list(page)
    why = reasons(orders, store)
    looked_at = looks(store, [order.pk for order in orders], now=now)
    names = actor_names(look.actor for look in looked_at.values())
    return [_row(order, why[order.pk], looked_at.get(order.pk), names, store, now) for order in orders]


def _row(
    order: Any,
    why: Sequence[str],
    look: Look | None,
    names: dict[str, str],
    store: Store,
    now: datetime,
) -> dict[str, Any]:
    return {
        "order": order,
        "customer": str(order.customer) if order.customer else _("Guest"),
        "badge": status_badge(order) if order.status == OrderStatus.CANCELLED else payment_badge(order),
        "age": age(order.waiting_since, store, now),
        "since": show_moment(order.waiting_since, store),
        "credits": _left(order, "credits", store),
        "points": _left(order, "points", store),
        "reasons": why,
        "look": looked_at_words(look, names, store) if look else "",
    }


def _left(order: Order, kind: Kind, store: Store) -> str:
    left = applied(order, kind) - reverted(order, kind)
    if not left:
        return DASH
    words = show(left, currency_of(order, kind), store)
    used = show(applied(order, kind), currency_of(order, kind), store)
    return _("%(amount)s of %(total)s") % {"amount": words, "total": used} if reverted(order, kind) else words
