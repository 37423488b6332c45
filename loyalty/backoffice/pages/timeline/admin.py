"""The timeline of everything that happened in the store, and how its books looked when they were last checked."""

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.badges import DASH
from loyalty.backoffice.base import BackOfficeAdmin, OperatorsPage, StoreModelAdmin
from loyalty.backoffice.links import cell_link, customer_address, order_address
from loyalty.backoffice.site import platform_site
from loyalty.journal.models import JournalEntry, LedgerCheck
from loyalty.proof.outcomes import last_check, last_checks
from loyalty.stores.active_store import active_store
from loyalty.stores.actors import actor_names
from loyalty.stores.compared import NameKey
from loyalty.stores.dates import show_moment
from loyalty.timeline.sentences import sentence

_CHECKS_SHOWN: Final = 500


@admin.register(JournalEntry)
class JournalEntryAdmin(StoreModelAdmin):
    """The journal, newest first; read-only."""

    list_display = ("when", "what", "order_link", "customer_link", "who")
    list_display_links = None
    ordering = ("-id",)
    empty_title = gettext_noop("Nothing has happened yet")
    empty_hint = gettext_noop("Orders, cancels, returns and changes of balances are listed here as they happen.")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[JournalEntry]":
        rows: QuerySet[JournalEntry] = super().get_queryset(request)
        return rows.select_related("order", "customer", "store").only(
            "event",
            "actor",
            "data",
            "created_at",
            "store",
            "order__number",
            "order__store",
            "customer__name",
            "customer__email",
            "customer__external_id",
            "customer__store",
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, with the names of who acted read for the whole page at once."""
        changes = super().get_changelist_instance(request)
        names = actor_names(entry.actor for entry in changes.result_list)
        for entry in changes.result_list:
            entry.actor_name = names[entry.actor]
        return changes

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """An entry has no page of its own: its order's timeline, or the list."""
        entry: JournalEntry = self.row_or_404(request, object_id)
        if entry.order_id:
            return HttpResponseRedirect(f"{order_address(entry.order_id)}?tab=timeline")
        return HttpResponseRedirect(reverse("admin:journal_journalentry_changelist"))

    @admin.display(description=gettext_lazy("When"))
    def when(self, entry: JournalEntry) -> str:
        return show_moment(entry.created_at, entry.store)

    @admin.display(description=gettext_lazy("What happened"))
    def what(self, entry: JournalEntry) -> str:
        return sentence(entry, entry.store)

    @admin.display(description=gettext_lazy("Order"))
    def order_link(self, entry: JournalEntry) -> SafeString | str:
        return cell_link(order_address(entry.order_id), entry.order) if entry.order_id else DASH

    @admin.display(description=gettext_lazy("Customer"))
    def customer_link(self, entry: JournalEntry) -> SafeString | str:
        return cell_link(customer_address(entry.customer_id), entry.customer) if entry.customer_id else DASH

    @admin.display(description=gettext_lazy("By"))
    def who(self, entry: JournalEntry) -> str:
        return getattr(entry, "actor_name", entry.actor)


@admin.register(LedgerCheck)
class LedgerCheckAdmin(StoreModelAdmin):
    """How the last check of the store's books ended (H5)."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        check = last_check(active_store(request))
        return _checks_page(self, request, {"check": _check_row(check) if check else None})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A check has no page of its own."""
        self.row_or_404(request, object_id)
        return HttpResponseRedirect(reverse("admin:journal_ledgercheck_changelist"))


@admin.register(LedgerCheck, site=platform_site)
class AllLedgerChecksAdmin(OperatorsPage):
    """How the last check of every store's books ended, for operators: those with faults first (H5, T2)."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The page; everybody else's is the one of the store last worked in, which stood here before."""
        if not self.has_view_permission(request):
            return platform_site.old_address(request)
        by_name = last_checks().select_related("store").annotate(by_name=NameKey("store__name"))
        checks = sorted(by_name, key=lambda check: (-check.faults, check.by_name))
        return _checks_page(self, request, {"checks": [_check_row(check) for check in checks[:_CHECKS_SHOWN]]})


def _checks_page(model_admin: BackOfficeAdmin, request: HttpRequest, more: dict[str, Any]) -> HttpResponse:
    context = model_admin.admin_site.each_context(request) | {
        "title": _("Ledger check"),
        "content_title": _("Ledger check"),
        "opts": model_admin.opts,
        **more,
    }
    return TemplateResponse(request, "loyalty/timeline/ledger_check.html", context)


def _check_row(check: LedgerCheck) -> dict[str, Any]:
    return {
        "store": check.store,
        "when": show_moment(check.checked_at, check.store),
        "faults": check.faults,
        "examples": check.examples,
    }
