"""The tabs over the order list: those that are always there, the store's, and one's own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.core.clock import read_clock
from loyalty.core.errors import Invalid, NotFound
from loyalty.stores.active_store import acting_user, active_store, may
from loyalty.stores.roles import Can
from orders.admin.orders.filters import OrderFilterForm
from orders.models import SavedView
from orders.services.saved_views import find_view, rename_view, save_view, views_of


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A tab that every store has: a name and the filters behind it."""

    name: str
    filters: dict[str, str]


BUILT_IN: Final[tuple[BuiltIn, ...]] = (
    BuiltIn(gettext_noop("All"), {}),
    BuiltIn(gettext_noop("Needs revert"), {"needs_revert": "yes"}),
    BuiltIn(gettext_noop("Paid after cancellation"), {"paid_after_cancellation": "yes"}),
    BuiltIn(gettext_noop("Auto-cancelled"), {"cancelled_by": "automatic"}),
    BuiltIn(gettext_noop("Partly reverted"), {"partial": "yes"}),
)
_BUILT_IN_KEYS: Final = frozenset(key for view in BUILT_IN for key in view.filters)


def list_query(request: HttpRequest) -> str:
    """The filters and the search of the list that is shown, as they stand in an address; empty for all orders."""
    names = (*OrderFilterForm.base_fields, SEARCH_VAR)
    return urlencode({name: value for name in names if (value := request.GET.get(name, "").strip())})


def views_context(request: HttpRequest) -> dict[str, Any]:
    """The tabs, which one is shown, and whether what is shown can be kept as a further one. One query."""
    query = list_query(request)
    kept = list(views_of(active_store(request), acting_user(request)))
    shown = next((view for view in kept if view.query == query), None)
    return {
        "saved_views": [*_built_in(query, any_kept=shown is not None), *(_tab(view, shown) for view in kept)],
        "list_query": query,
        "shown_view": shown,
        "may_edit_view": shown is not None and _may_edit(request, shown),
        "may_keep_view": bool(query) and shown is None and query not in {urlencode(view.filters) for view in BUILT_IN},
        "may_keep_for_all": may(request, Can.CHANGE_SETTINGS),
        "may_choose_all": bool(query) and may(request, Can.CANCEL_ORDERS),
    }


def _built_in(query: str, *, any_kept: bool) -> list[dict[str, Any]]:
    shown = {key: value for key, value in parse_qsl(query) if key in _BUILT_IN_KEYS}
    return [
        {
            "name": _(view.name),
            "query": f"?{urlencode(view.filters)}",
            "current": view.filters == shown and not any_kept,
        }
        for view in BUILT_IN
    ]


def _tab(view: SavedView, shown: SavedView | None) -> dict[str, Any]:
    return {"name": view.name, "query": f"?{view.query}", "current": view is shown, "mine": view.owner_id is not None}


def _may_edit(request: HttpRequest, view: SavedView) -> bool:
    return view.owner_id == acting_user(request).pk or (view.owner_id is None and may(request, Can.CHANGE_SETTINGS))


@store_view(needs=Can.VIEW, methods=("POST",))
def keep_view_page(self: BackOfficeAdmin, request: HttpRequest, _order: None) -> HttpResponse:
    """Keep the filters and the search of the address under a name; the store's tabs are managers' to make."""
    for_all = "for_all" in request.POST
    if for_all and not may(request, Can.CHANGE_SETTINGS):
        raise PermissionDenied
    query = list_query(request)
    if OrderFilterForm(request.GET, request=request).errors:
        messages.error(request, _("Nothing was kept: one of the filters is wrong."))
        return _to_list(query)

    def keep() -> str:
        owner = None if for_all else acting_user(request)
        name = request.POST.get("name", "")
        view = save_view(store=active_store(request), owner=owner, name=name, query=query, now=read_clock())
        words = _("“%(name)s” is kept as a tab of yours.")
        if for_all:
            words = _("“%(name)s” is kept as a tab for everybody in the store.")
        return words % {"name": view.name}

    return _say(request, keep, query)


@store_view(needs=Can.VIEW, methods=("POST",))
def rename_view_page(self: BackOfficeAdmin, request: HttpRequest, _order: None, view_id: int) -> HttpResponse:
    """Give a view another name."""
    view = _own(request, view_id)

    def rename() -> str:
        rename_view(view, request.POST.get("name", ""))
        return _("The view is called “%(name)s” now.") % {"name": view.name}

    return _say(request, rename, view.query)


@store_view(needs=Can.VIEW, methods=("POST",))
def delete_view_page(self: BackOfficeAdmin, request: HttpRequest, _order: None, view_id: int) -> HttpResponse:
    """Take a tab away; the orders stay, and links to the filtered list go on working."""
    view = _own(request, view_id)
    view.delete()
    messages.success(request, _("The tab “%(name)s” is gone; its filters are still on.") % {"name": view.name})
    return _to_list(view.query)


def _own(request: HttpRequest, view_id: int) -> SavedView:
    try:
        view = find_view(active_store(request), acting_user(request), view_id)
    except NotFound as error:
        raise Http404 from error
    if not _may_edit(request, view):
        raise PermissionDenied
    return view


def _say(request: HttpRequest, change: Callable[[], str], query: str) -> HttpResponse:
    try:
        messages.success(request, change())
    except Invalid as refused:
        messages.error(request, refused.detail)
    return _to_list(query)


def _to_list(query: str) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('admin:orders_order_changelist')}?{query}")
