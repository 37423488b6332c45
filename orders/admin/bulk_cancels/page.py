"""Cancelling many orders at once: choosing them in the list, the page that says what it means, what came of it (B1)."""

from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from loyalty.backoffice.badges import DASH
from loyalty.backoffice.base import BackOfficeAdmin, StoreModelAdmin, StoreView, store_view
from loyalty.backoffice.lists.all_rows import WrongFilter, listed
from loyalty.core.clock import read_clock
from loyalty.core.errors import Invalid
from loyalty.core.locales import count_text
from loyalty.core.phrases import sentences
from loyalty.store_settings.sections import current_settings
from loyalty.stores.active_store import acting, active_store, may
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import show_moment
from loyalty.stores.roles import Can
from orders.admin.bulk_cancels.rows import (
    bulk_address,
    count_words,
    draft_context,
    list_address,
    not_reverted,
    progress_context,
    state_badge,
)
from orders.admin.details_form import DetailsForm
from orders.models import BulkCancel, BulkState, Order
from orders.services.bulk_cancels.run import carry_out, choose, confirm, go_on, stop
from orders.services.bulk_cancels.summary import summary_of
from orders.services.reverts.apply import Details

_CHECK: Final = {"class": "cf-check"}


class BulkCancelForm(DetailsForm):
    """What is left out of a bulk cancel, and what is said beside it."""

    leave_paid = forms.BooleanField(required=False, widget=forms.CheckboxInput(attrs=_CHECK))
    leave_completed = forms.BooleanField(required=False, widget=forms.CheckboxInput(attrs=_CHECK))

    def left(self) -> dict[str, bool]:
        """Which orders are left out, as far as that was said."""
        return {name: name in self.data for name in ("leave_paid", "leave_completed")}

    def shown(self) -> str:
        """The choice that the numbers on the page go with."""
        return ",".join(name for name, chosen in self.left().items() if chosen)

    def details(self) -> Details:
        """The reason and the note; customers are not told in bulk."""
        return Details(reason=self.cleaned_data["reason"], note=self.cleaned_data["note"].strip())


@store_view(needs=Can.CANCEL_ORDERS, methods=("POST",))
def choose_all_page(admin: BackOfficeAdmin, request: HttpRequest, _order: None) -> HttpResponse:
    """``admin:orders_order_bulk_cancel``: :func:`choose_all` without choosing any row first."""
    return choose_all(admin, request)


def choose_all(admin: BackOfficeAdmin, request: HttpRequest) -> HttpResponse:
    """Choose every order of the list whose filters and search stand in the address, on whatever page."""
    try:
        orders: QuerySet[Order] = listed(admin, request)
    except WrongFilter:
        messages.error(request, _("Nothing was chosen: one of the filters is wrong."))
        return HttpResponseRedirect(f"{list_address()}?{request.GET.urlencode()}")
    return choose_orders(request, orders)


def choose_orders(request: HttpRequest, orders: "QuerySet[Order]") -> HttpResponse:
    """Fix these orders as chosen and show what cancelling them means; back to the list where that cannot be."""
    try:
        bulk = choose(
            store=active_store(request),
            orders=orders,
            filters=request.GET.urlencode(),
            actor=acting(request),
            now=read_clock(),
        )
    except Invalid as refused:
        messages.error(request, sentences([refused.detail, _("Nothing was done.")]))
        return HttpResponseRedirect(f"{list_address()}?{request.GET.urlencode()}")
    return HttpResponseRedirect(bulk_address(bulk))


@store_view(needs=Can.CANCEL_ORDERS, methods=("POST",))
def stop_page(self: BackOfficeAdmin, request: HttpRequest, bulk: BulkCancel) -> HttpResponse:
    """Look at no more of the orders."""
    stopped = stop(store=active_store(request), bulk_id=bulk.pk, actor=acting(request), now=read_clock())
    messages.info(request, _stopped_words(stopped.waiting))
    return HttpResponseRedirect(bulk_address(bulk))


@store_view(needs=Can.CANCEL_ORDERS, methods=("POST",))
def go_on_page(self: BackOfficeAdmin, request: HttpRequest, bulk: BulkCancel) -> HttpResponse:
    """Carry on with what was stopped, or try the orders again that could not be cancelled."""
    carry_out(go_on(store=active_store(request), bulk_id=bulk.pk), read_clock())
    return HttpResponseRedirect(bulk_address(bulk))


@admin.register(BulkCancel)
class BulkCancelAdmin(StoreModelAdmin):
    """Bulk cancels: what was confirmed, by whom, and what came of it; each has one page for all of its life."""

    list_display = ("orders", "state_shown", "came_of_it", "who", "when")
    list_display_links = ("orders",)
    ordering = ("-id",)
    empty_title = gettext_noop("Nothing was cancelled in bulk yet")
    empty_hint = gettext_noop(
        "Choose orders in the order list, or filter it, and cancel them together. What came of it is kept here."
    )
    store_views: ClassVar[tuple[StoreView, ...]] = (
        StoreView("<path:object_id>/stop/", "stop", stop_page),
        StoreView("<path:object_id>/go-on/", "go_on", go_on_page),
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[BulkCancel]":
        """The store's; in the list only what was confirmed."""
        rows: QuerySet[BulkCancel] = super().get_queryset(request)
        if str(getattr(request.resolver_match, "url_name", "")).endswith("_changelist"):
            rows = rows.exclude(state=BulkState.DRAFT)
        return rows.select_related("store", "remark")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, with everybody's names read at once."""
        changes = super().get_changelist_instance(request)
        names = actor_names(bulk.actor for bulk in changes.result_list)
        for bulk in changes.result_list:
            bulk.actor_name = names[bulk.actor]
        return changes

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, {"title": _("Bulk cancels")} | (extra_context or {}))
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What confirming would do; once confirmed, how far it is and what came of each order."""
        bulk: BulkCancel = self.row_or_404(request, object_id)
        if request.method == "POST" and not may(request, Can.CANCEL_ORDERS):
            raise PermissionDenied
        if bulk.state == BulkState.DRAFT:
            return self._draft(request, bulk)
        if request.method == "POST":
            # Sent twice: it was confirmed by the first.
            return HttpResponseRedirect(bulk_address(bulk))
        context = self.admin_site.each_context(request) | progress_context(request, bulk)
        return TemplateResponse(request, "orders/admin/bulk_cancels/progress.html", context)

    def _draft(self, request: HttpRequest, bulk: BulkCancel) -> HttpResponse:
        store = active_store(request)
        form = BulkCancelForm(request.POST or None)
        agreed = request.POST.get("shown", "") == form.shown()
        if "_confirm" in request.POST and agreed and form.is_valid():
            return self._carry_out(request, bulk, form)
        summary = summary_of(bulk, store, current_settings(store), **form.left())
        context = self.admin_site.each_context(request) | draft_context(bulk, store, summary, form.left())
        context |= {
            "form": form,
            "shown": form.shown(),
            "recounted": "_confirm" in request.POST and not agreed,
            "may_cancel": may(request, Can.CANCEL_ORDERS),
        }
        return TemplateResponse(request, "orders/admin/bulk_cancels/choose.html", context)

    def _carry_out(self, request: HttpRequest, bulk: BulkCancel, form: BulkCancelForm) -> HttpResponse:
        now = read_clock()
        confirmed = confirm(
            store=active_store(request),
            bulk_id=bulk.pk,
            details=form.details(),
            actor=acting(request),
            now=now,
            **form.left(),
        )
        done = carry_out(confirmed, now)
        if done.state != BulkState.DONE or done.failed:
            return HttpResponseRedirect(bulk_address(done))
        messages.success(request, _told(done))
        return HttpResponseRedirect(list_address())

    @admin.display(description=gettext_lazy("Orders"))
    def orders(self, bulk: BulkCancel) -> str:
        return _("#%(id)s: %(orders)s") % {"id": bulk.pk, "orders": count_words(bulk.total)}

    @admin.display(description=gettext_lazy("State"))
    def state_shown(self, bulk: BulkCancel) -> SafeString:
        return state_badge(bulk)

    @admin.display(description=gettext_lazy("What came of it"))
    def came_of_it(self, bulk: BulkCancel) -> SafeString:
        lines = format_html_join("", "<span>{}</span>", ((words,) for words in result_words(bulk)))
        return format_html('<span class="cell-lines">{}</span>', lines)

    @admin.display(description=gettext_lazy("By"))
    def who(self, bulk: BulkCancel) -> str:
        return getattr(bulk, "actor_name", bulk.actor)

    @admin.display(description=gettext_lazy("When"))
    def when(self, bulk: BulkCancel) -> str:
        return show_moment(bulk.confirmed_at or bulk.created_at, bulk.store)


def result_words(bulk: BulkCancel) -> list[str]:
    """``12 cancelled``, ``1 left as it was``."""
    words = (
        (bulk.cancelled, ngettext("%(count)s cancelled", "%(count)s cancelled", bulk.cancelled)),
        (bulk.skipped, ngettext("%(count)s left as it was", "%(count)s left as they were", bulk.skipped)),
        (bulk.failed, ngettext("%(count)s could not be cancelled", "%(count)s could not be cancelled", bulk.failed)),
    )
    return [one % {"count": count_text(number)} for number, one in words if number] or [DASH]


def _stopped_words(waiting: int) -> str:
    words = ngettext("Stopped. %(count)s order stays as it is.", "Stopped. %(count)s orders stay as they are.", waiting)
    return words % {"count": count_text(waiting)}


def _told(bulk: BulkCancel) -> SafeString:
    """What happened, with links to each order's result and to those still Not Reverted (B1)."""
    words = []
    if bulk.cancelled:
        cancelled = ngettext(
            "%(count)s order cancelled, nothing was returned.",
            "%(count)s orders cancelled, nothing was returned.",
            bulk.cancelled,
        )
        words.append(cancelled % {"count": count_text(bulk.cancelled)})
    if bulk.skipped:
        skipped = ngettext("%(count)s order left as it was.", "%(count)s orders left as they were.", bulk.skipped)
        words.append(skipped % {"count": count_text(bulk.skipped)})
    each = _link(bulk_address(bulk), _("See each order"))
    left = not_reverted(bulk, bulk.store).count()
    if not left:
        return format_html("{} {}", sentences(words), each)
    address = f"{list_address()}?{urlencode({'bulk': bulk.pk, 'not_reverted': 'yes'})}"
    still = ngettext("Show %(count)s order still Not Reverted", "Show %(count)s orders still Not Reverted", left)
    return format_html("{} {} · {}", sentences(words), _link(address, still % {"count": count_text(left)}), each)


def _link(address: str, words: str) -> SafeString:
    return format_html('<a href="{}" class="underline">{}</a>', address, words)
