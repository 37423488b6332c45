"""*Move in*: the list of balance imports, and the page of each for all of its life."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.base import StoreModelAdmin, StoreView
from loyalty.backoffice.confirm import Case
from loyalty.core.locales import count_text
from loyalty.stores.active_store import may
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import show_moment
from loyalty.stores.roles import Can
from orders.admin.balance_imports.act_pages import discard_page, start_page, take_back_page
from orders.admin.balance_imports.addresses import import_address, layout_address
from orders.admin.balance_imports.certificate_page import certificate_page
from orders.admin.balance_imports.layout_page import layout_page
from orders.admin.balance_imports.rows_file import bad_rows_page, rows_page
from orders.admin.balance_imports.show_import import import_context
from orders.admin.balance_imports.show_rows import state_badge
from orders.admin.balance_imports.upload_page import bring_page, part_page
from orders.models import BalanceImport, ImportState


@admin.register(BalanceImport)
class BalanceImportAdmin(StoreModelAdmin):
    """Balance imports. Only who may import sees them: there are people's data in them."""

    view_needs = Can.IMPORT_BALANCES
    list_display = ("file", "state_shown", "came_of_it", "who", "when")
    list_display_links = ("file",)
    ordering = ("-id",)
    empty_title = gettext_noop("Nothing has been imported yet")
    empty_hint = gettext_noop(
        "Export the customers and their balances from your old system, as CSV or Excel, and choose “Import a file”. "
        "Nothing is written before you have seen the result."
    )
    list_before_template = "orders/admin/balance_imports/list_links.html"
    store_views: ClassVar[tuple[StoreView, ...]] = (
        StoreView("bring/", "bring", bring_page),
        StoreView("<path:object_id>/part/", "part", part_page),
        StoreView("<path:object_id>/layout/", "layout", layout_page),
        StoreView("<path:object_id>/start/", "start", start_page),
        StoreView("<path:object_id>/take-back/", "take_back", take_back_page),
        StoreView("<path:object_id>/certificate/", "certificate", certificate_page),
        StoreView("<path:object_id>/discard/", "discard", discard_page),
        StoreView("<path:object_id>/rows.<slug:suffix>", "rows", rows_page),
        StoreView("<path:object_id>/bad-rows.csv", "bad_rows", bad_rows_page),
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[BalanceImport]":
        """The store's, with what names a store."""
        rows: QuerySet[BalanceImport] = super().get_queryset(request)
        return rows.select_related("store", "remark")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, with everybody's names read at once."""
        changes = super().get_changelist_instance(request)
        names = actor_names(held.actor for held in changes.result_list)
        for held in changes.result_list:
            held.actor_name = names[held.actor]
        return changes

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list."""
        response: HttpResponse = super().changelist_view(request, {"title": _("Move in")} | (extra_context or {}))
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What comes next for this import, or what came of it."""
        if not may(request, self.view_needs):
            raise PermissionDenied
        held: BalanceImport = self.row_or_404(request, object_id)
        if held.state == ImportState.UPLOADED:
            return HttpResponseRedirect(layout_address(held))
        case = Case(self, request, held)
        if request.method == "POST":
            return HttpResponseRedirect(import_address(held))
        return case.show("orders/admin/balance_imports/import.html", import_context(case, held))

    @admin.display(description=gettext_lazy("File"))
    def file(self, held: BalanceImport) -> str:
        return held.file_name

    @admin.display(description=gettext_lazy("State"))
    def state_shown(self, held: BalanceImport) -> SafeString:
        return state_badge(held)

    @admin.display(description=gettext_lazy("Rows"))
    def came_of_it(self, held: BalanceImport) -> str:
        return count_text(held.summary.get("rows", held.rows_read))

    @admin.display(description=gettext_lazy("By"))
    def who(self, held: BalanceImport) -> str:
        return getattr(held, "actor_name", held.actor)

    @admin.display(description=gettext_lazy("When"))
    def when(self, held: BalanceImport) -> str:
        return show_moment(held.created_at, held.store)
