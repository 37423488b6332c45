"""The customer list and the customer page."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.badges import DASH
from loyalty.backoffice.base import BackOfficeAdmin, StoreModelAdmin, StoreView, store_view
from loyalty.backoffice.links import customer_address
from loyalty.core.clock import read_clock
from loyalty.core.errors import Invalid
from loyalty.core.phrases import enumerated
from loyalty.customers.identify import platform_ids
from loyalty.customers.search import meant_by
from loyalty.languages.own_names import name_of, own_words_lazy
from loyalty.ledger.staff_limits import left_today
from loyalty.platforms.registry import LABELS
from loyalty.store_settings.sections import current_settings
from loyalty.stores.active_store import acting, active_store, may
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Customer
from loyalty.stores.roles import Can
from orders.admin.customers.adjust_form import AdjustForm, adjuster_of, carry_out
from orders.admin.customers.expiring_page import expiring_page
from orders.admin.customers.merge_page import merge_hints, merge_page
from orders.admin.customers.points_sheet_page import choose_for_points, sheet_page
from orders.admin.customers.reminders_page import reminders_page
from orders.admin.customers.statement_page import statement_page
from orders.admin.customers.tabs import TABS, cards, profile_form, tab_context
from orders.admin.exports.customers import CUSTOMER_EXPORTS
from orders.admin.redemptions.redeem_page import redeem_page
from orders.kinds import KINDS


@store_view(needs=Can.ADJUST_LEDGER)
def adjust_page(self: BackOfficeAdmin, request: HttpRequest, customer: Customer, kind: str) -> HttpResponse:
    """Give or remove credits or points by hand (L6)."""
    known = next((item for item in KINDS if item == kind), None)
    if known is None:
        raise Http404
    store, now = active_store(request), read_clock()
    settings = current_settings(store)
    left = left_today(known, adjuster_of(request, settings), now=now)
    initial = {"notify": settings.notify.on_adjustment_default}
    form = AdjustForm(request.POST or None, initial=initial, kind=known, store=store, now=now, left=left)
    if request.method == "POST" and form.is_valid():
        try:
            done = carry_out(form, request=request, customer=customer, now=now)
        except Invalid as error:
            form.show_errors(error, {"/amount": "amount", "/expires_on": "expires_on", "/reason": "reason"})
        else:
            messages.success(request, done)
            tab = "credits" if kind == "credits" else "points"
            return HttpResponseRedirect(f"{reverse('admin:stores_customer_change', args=[customer.pk])}?tab={tab}")
    context = {
        **self.admin_site.each_context(request),
        "title": _("Give or remove %(kind)s") % {"kind": name_of(known)},
        "opts": self.opts,
        "original": customer,
        "form": form,
        "customer": customer,
        "cards": cards(customer, store, now=now),
    }
    return TemplateResponse(request, "orders/admin/customers/adjust.html", context)


def _what_may_be_done(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    """What the page offers; with somebody who was merged nothing is done any more, but with whom he leads to."""
    if customer.merged_into_id:
        return {"may_edit": False, "may_adjust": False, "may_merge": False, "kept": customer.kept}
    may_merge = may(request, Can.MERGE_CUSTOMERS)
    return {
        "may_edit": may(request, Can.EDIT_CUSTOMERS),
        "may_adjust": may(request, Can.ADJUST_LEDGER),
        "may_merge": may_merge,
        "hints": merge_hints(customer) if may_merge else [],
    }


@admin.register(Customer)
class CustomerAdmin(StoreModelAdmin):
    """Customers: who they are, what they have, what happened to it."""

    related = ("store", "merged_into__store")
    list_display = ("__str__", "address", "own_id", "on_platforms", "since")
    ordering = ("-id",)
    exports = CUSTOMER_EXPORTS
    search_fields = ("email",)
    search_help_text = gettext_lazy("Name, e-mail, external id or a platform's id")
    actions = ("give_points",)
    list_before_template = "orders/admin/customers/list_links.html"
    empty_title = gettext_noop("No customers yet")
    empty_hint = gettext_noop("Customers arrive with their orders, or through the REST API.")
    store_views: ClassVar[tuple[StoreView, ...]] = (
        StoreView("<path:object_id>/adjust/<slug:kind>/", "adjust", adjust_page),
        StoreView("<path:object_id>/statement/", "statement", statement_page),
        StoreView("<path:object_id>/merge/", "merge", merge_page),
        StoreView("<path:object_id>/reminders/", "reminders", reminders_page),
        StoreView("expiring/", "expiring", expiring_page),
        StoreView("points/", "points", sheet_page),
        StoreView("<path:object_id>/redeem/", "redeem", redeem_page),
    )

    @admin.display(description=gettext_lazy("E-mail"))
    def address(self, customer: Customer) -> str:
        return customer.email or DASH

    @admin.display(description=gettext_lazy("External id"))
    def own_id(self, customer: Customer) -> str:
        return customer.external_id or DASH

    def row_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """The customer to whom the id leads: beside his page nothing is shown or done with somebody merged (O7)."""
        return super().row_or_404(request, object_id).kept

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, with the platforms' ids read for the whole page at once."""
        changes = super().get_changelist_instance(request)
        ids = platform_ids([customer.pk for customer in changes.result_list])
        for customer in changes.result_list:
            customer.platform_ids = ids.get(customer.pk, {})
        return changes

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with what can be done with many customers at once."""
        more = {"may_adjust": self.has_adjust_permission(request)} | (extra_context or {})
        shown: HttpResponse = super().changelist_view(request, more)
        return shown

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Customer]", search_term: str
    ) -> tuple["QuerySet[Customer]", bool]:
        """By an id, e-mail or name; also for the autocomplete of the order list."""
        queryset = queryset.filter(merged_into__isnull=True)
        if not search_term.strip():
            return queryset, False
        return queryset.filter(meant_by(active_store(request), search_term)), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The customer page: what there is on cards, and a tab to look at."""
        customer: Customer = super().row_or_404(request, object_id)
        store, now = active_store(request), read_clock()
        asked = request.GET.get("tab", "profile")
        tab = asked if asked in TABS else "profile"
        form = profile_form(request, customer)
        if request.method == "POST":
            if not _what_may_be_done(request, customer)["may_edit"]:
                raise PermissionDenied
            tab = "profile"
            if form.save_if_valid(customer, actor=acting(request), now=now):
                messages.success(request, _("The profile is saved."))
                return HttpResponseRedirect(customer_address(customer.pk))
        context = {
            **self.admin_site.each_context(request),
            **tab_context(tab, request, customer, store, now=now),
            "title": str(customer),
            "opts": self.opts,
            "original": customer,
            "customer": customer,
            "cards": cards(customer, store, now=now),
            "form": form,
            **_what_may_be_done(request, customer),
            "tabs": TABS,
            "tab": tab,
            "tab_template": f"orders/admin/customers/{'ledger' if tab in KINDS else tab}.html",
        }
        return TemplateResponse(request, "orders/admin/customers/customer.html", context)

    @admin.action(description=own_words_lazy("Give or remove points…"), permissions=["adjust"])
    def give_points(self, request: HttpRequest, queryset: "QuerySet[Customer]") -> HttpResponse:
        """Show the table with a row for each of the chosen customers (R6)."""
        return choose_for_points(self, request, queryset)

    def has_adjust_permission(self, request: HttpRequest) -> bool:
        """Whether this person may give and remove value."""
        return may(request, Can.ADJUST_LEDGER)

    @admin.display(description=gettext_lazy("Ids on platforms"))
    def on_platforms(self, customer: Any) -> str:
        return (
            enumerated(f"{LABELS[name]} {external_id}" for name, external_id in customer.platform_ids.items()) or DASH
        )

    @admin.display(description=gettext_lazy("Since"))
    def since(self, customer: Customer) -> str:
        return show_moment(customer.created_at, customer.store)
