"""The order list and the order page."""

from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.badges import DASH
from loyalty.backoffice.base import StoreModelAdmin, StoreView
from loyalty.backoffice.links import order_address
from loyalty.backoffice.outcome_messages import telling_outcome
from loyalty.core.clock import read_clock
from loyalty.customers.search import find_customers
from loyalty.languages.own_names import both_names, own_words_lazy
from loyalty.platforms.registry import LABELS
from loyalty.stores.active_store import acting, active_store, may
from loyalty.stores.dates import show_moment
from loyalty.stores.roles import Can
from orders.admin.automation.hold import hold_page, release_page
from orders.admin.automation.upcoming_page import upcoming_page
from orders.admin.backtests.cancels_page import backtest_page
from orders.admin.backtests.rules_page import rules_backtest_page
from orders.admin.bulk_cancels.page import choose_all, choose_all_page, choose_orders
from orders.admin.display import (
    has_in_hand,
    has_left,
    money_words,
    payment_badge,
    revert_badge,
    status_badge,
    used_words,
)
from orders.admin.exports.orders import ORDER_EXPORTS
from orders.admin.orders.alerts import standing_cards
from orders.admin.orders.enter_page import enter_page
from orders.admin.orders.filters import OrderFilter
from orders.admin.orders.record_page import record_page
from orders.admin.orders.saved_views import delete_view_page, keep_view_page, rename_view_page, views_context
from orders.admin.orders.tabs import TABS, tab_context
from orders.admin.orders.used_there import used_there_card
from orders.admin.redemptions.late_codes import late_codes, settle_page
from orders.admin.reverts.cancel_page import cancel_page
from orders.admin.reverts.dismiss_page import (
    can_be_dismissed,
    can_be_put_back,
    dismiss_page,
    put_back_all,
    put_back_page,
)
from orders.admin.reverts.late_payments import keep_all_cancelled, refund_page
from orders.admin.reverts.queue_page import queue_page
from orders.admin.reverts.reinstate_page import reinstate_address, reinstate_page
from orders.admin.reverts.undo_page import undo_page
from orders.admin.reverts.walk import skip_page, start_page
from orders.models import OPEN_ON_PLATFORM, WAITING_SINCE, Order, OrderStatus, PaymentStatus, light
from orders.services.intake.change import change_order
from orders.services.intake.spend import can_be_recorded

_CUSTOMERS_LOOKED_AT = 200
_DECIDED_AT_ONCE = 500
_CANCELLED_BY = {
    "admin": gettext_lazy("staff"),
    "bulk": gettext_lazy("staff, several at once"),
    "api": gettext_lazy("REST API"),
    "payment_expired": gettext_lazy("payment expired"),
    "payment_failed": gettext_lazy("payment failed"),
    "platform": gettext_lazy("shop platform"),
}
_IS_NOW: Final[dict[str, str]] = {
    OrderStatus.PENDING: gettext_noop("Order %(number)s is now pending."),
    OrderStatus.CONFIRMED: gettext_noop("Order %(number)s is now confirmed."),
    OrderStatus.COMPLETED: gettext_noop("Order %(number)s is now completed."),
    OrderStatus.CANCELLED: gettext_noop("Order %(number)s is now cancelled."),
}
_PAYMENT_IS_NOW: Final[dict[str, str]] = {
    PaymentStatus.PENDING: gettext_noop("The payment of order %(number)s is now pending."),
    PaymentStatus.PAID: gettext_noop("The payment of order %(number)s is now paid."),
    PaymentStatus.FAILED: gettext_noop("The payment of order %(number)s has now failed."),
    PaymentStatus.EXPIRED: gettext_noop("The payment of order %(number)s has now expired."),
    PaymentStatus.PARTIALLY_REFUNDED: gettext_noop("The payment of order %(number)s is now partially refunded."),
    PaymentStatus.REFUNDED: gettext_noop("The payment of order %(number)s is now refunded."),
}


@admin.register(Order)
class OrderAdmin(StoreModelAdmin):
    """Orders: found, looked at, cancelled. Value and facts are read-only here; services change them."""

    related = ("store",)
    list_display = (
        "order",
        "who",
        "status_shown",
        "payment_shown",
        "total_shown",
        "credits_used",
        "points_used",
        "credit_status",
        "points_status",
        "tags_shown",
        "cancelled",
    )
    list_display_links = ("order",)
    list_filter = (OrderFilter,)
    list_before_template = "orders/admin/orders/views.html"
    exports = ORDER_EXPORTS
    search_fields = ("number",)
    search_help_text = gettext_lazy("Number, external id, e-mail or name")
    actions = ("cancel_one", "cancel_several", "reinstate_one", "keep_cancelled", "put_back")
    empty_title = gettext_noop("No orders yet")
    add_needs = Can.ENTER_ORDERS
    empty_hint = gettext_noop(
        "Orders arrive from the shop platforms, through the REST API or from a file, or are entered here."
    )

    class Media:
        """The cancel form as a dialog over the list."""

        css: ClassVar[dict[str, tuple[str, ...]]] = {"all": ("orders/cancel_form.css",)}
        js: ClassVar[tuple[str, ...]] = ("orders/cancel_form.js",)

    store_views: ClassVar[tuple[StoreView, ...]] = (
        StoreView("backtest/", "backtest", backtest_page),
        StoreView("rules-backtest/", "rules_backtest", rules_backtest_page),
        StoreView("bulk-cancel/", "bulk_cancel", choose_all_page),
        StoreView("views/", "keep_view", keep_view_page),
        StoreView("views/<int:view_id>/rename/", "rename_view", rename_view_page),
        StoreView("views/<int:view_id>/delete/", "delete_view", delete_view_page),
        StoreView("upcoming/", "upcoming", upcoming_page),
        StoreView("queue/", "queue", queue_page),
        StoreView("queue/start/", "queue_start", start_page),
        StoreView("<path:object_id>/queue/skip/", "queue_skip", skip_page),
        StoreView("<path:object_id>/dismiss/", "dismiss", dismiss_page),
        StoreView("<path:object_id>/put-back/", "put_back", put_back_page),
        StoreView("<path:object_id>/undo/", "undo", undo_page),
        StoreView("<path:object_id>/cancel/", "cancel", cancel_page),
        StoreView("<path:object_id>/reinstate/", "reinstate", reinstate_page),
        StoreView("<path:object_id>/record/", "record", record_page),
        StoreView("<path:object_id>/refund-later/", "refund_later", refund_page),
        StoreView("<path:object_id>/settle-codes/", "settle_codes", settle_page),
        StoreView("<path:object_id>/hold/", "hold", hold_page),
        StoreView("<path:object_id>/release/", "release", release_page),
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Order]":
        """The store's orders with their customers, without what only one order's page needs."""
        rows: QuerySet[Order] = super().get_queryset(request)
        rows = rows.annotate(open_there=Case(When(OPEN_ON_PLATFORM, then=True), default=False))
        # Joined, everybody of all orders that fit would be looked up and sorted along, for the fifty that are shown.
        return light(rows).prefetch_related("customer")

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        """Newest first; the queue with what waits longest first (B2)."""
        queue = request.GET.get("needs_revert") == "yes"
        return (WAITING_SINCE, "id") if queue else ("-placed_at", "-id")

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Order]", search_term: str
    ) -> tuple["QuerySet[Order]", bool]:
        """An exact number first; else an external id, an e-mail, or the beginning of one, or of a name."""
        term = search_term.strip()
        if not term:
            return queryset, False
        for exact in ("number", "external_id"):
            ids = list(queryset.order_by().filter(**{exact: term}).values_list("pk", flat=True)[:100])
            if ids:
                return queryset.filter(pk__in=ids), False
        # Their ids are read first: joined, the database may walk through all orders instead of these customers'.
        customers = find_customers(active_store(request), term).values_list("pk", flat=True)
        return queryset.filter(customer__in=list(customers[:_CUSTOMERS_LOOKED_AT])), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list under its saved views."""
        more = {"title": _("Orders")} | views_context(request)
        response: HttpResponse = super().changelist_view(request, more | (extra_context or {}))
        return response

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Staff enter an order (O2)."""
        return enter_page(self, request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The order page: a tab to look at, and the status field."""
        order: Order = self.row_or_404(request, object_id)
        if request.method == "POST":
            return self._change_status(request, order)
        store, now = active_store(request), read_clock()
        tab = request.GET.get("tab", "")
        shown = tab if tab in TABS else "details"
        context = {
            **self.admin_site.each_context(request),
            **tab_context(shown, order, store, now=now),
            "title": _("Order %(number)s") % {"number": order.number},
            "opts": self.opts,
            "original": order,
            "order": order,
            "customer": order.customer,
            "standing": standing_cards(order, store),
            "late_codes": late_codes(order, store),
            "used_there": used_there_card(order, store, may_record=may(request, Can.ADJUST_LEDGER), now=now),
            "may_record": may(request, Can.ADJUST_LEDGER) and bool(can_be_recorded(order)),
            "badges": [status_badge(order), payment_badge(order)],
            "may_cancel": may(request, Can.CANCEL_ORDERS),
            "may_redeem": may(request, Can.REDEEM),
            "can_be_cancelled": order.status != OrderStatus.CANCELLED,
            "something_left": order.fell_through and has_left(order),
            "something_in_hand": not order.fell_through and has_in_hand(order),
            "can_be_dismissed": order.needs_revert and can_be_dismissed(order),
            "can_be_put_back": can_be_put_back(order),
            "may_undo": may(request, Can.UNDO_REVERTS) and has_in_hand(order),
            "status_choices": OrderStatus.choices,
            "payment_choices": PaymentStatus.choices,
            "tabs": TABS,
            "tab": shown,
            "tab_template": f"orders/admin/orders/tab_{shown}.html",
        }
        return TemplateResponse(request, "orders/admin/orders/order.html", context)

    def _change_status(self, request: HttpRequest, order: Order) -> HttpResponse:
        if not may(request, Can.CANCEL_ORDERS):
            raise PermissionDenied
        status = request.POST.get("status", "")
        if "payment_status" in request.POST:
            return self._change_payment(request, order)
        here = order_address(order.pk)
        if status == OrderStatus.CANCELLED:
            # M1, M8: cancelling is decided on its own form; nothing is saved here.
            return HttpResponseRedirect(f"{reverse('admin:orders_order_cancel', args=[order.pk])}?intent=cancel")
        if order.status == OrderStatus.CANCELLED and status in OrderStatus.values:
            # M10: bringing an order back asks what becomes of the value that was returned.
            return HttpResponseRedirect(f"{reinstate_address(order.pk)}?status={status}")
        if status not in OrderStatus.values:
            messages.error(request, _("Choose one of the statuses."))
            return HttpResponseRedirect(here)
        with telling_outcome(request, _(_IS_NOW[OrderStatus(status)]) % {"number": order.number}):
            change_order(
                store=active_store(request),
                order_id=order.pk,
                values={"status": status},
                actor=acting(request),
                now=read_clock(),
            )
        return HttpResponseRedirect(here)

    def _change_payment(self, request: HttpRequest, order: Order) -> HttpResponse:
        """Staff say what became of the payment; Expired and Failed have their consequences within seconds (E5)."""
        payment = request.POST.get("payment_status", "")
        here = order_address(order.pk)
        if payment not in PaymentStatus.values:
            messages.error(request, _("Choose one of the payment statuses."))
            return HttpResponseRedirect(here)
        values = {"payment_status": payment}
        change_order(
            store=active_store(request), order_id=order.pk, values=values, actor=acting(request), now=read_clock()
        )
        messages.success(request, _(_PAYMENT_IS_NOW[PaymentStatus(payment)]) % {"number": order.number})
        return HttpResponseRedirect(here)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Who may cancel: asked by the list's actions."""
        return may(request, Can.CANCEL_ORDERS)

    @admin.action(description=gettext_lazy("Cancel order…"), permissions=["cancel"])
    def cancel_one(self, request: HttpRequest, queryset: "QuerySet[Order]") -> HttpResponse | None:
        """Open the cancel form of the one order that is chosen (M1)."""
        ids = list(queryset.order_by().values_list("pk", flat=True)[:2])
        if len(ids) != 1:
            words = _("Choose exactly one order to cancel it with its %(credits)s and %(points)s.")
            messages.warning(request, words % both_names())
            return None
        return HttpResponseRedirect(reverse("admin:orders_order_cancel", args=ids))

    @admin.action(description=gettext_lazy("Cancel selected orders (nothing is returned)…"), permissions=["cancel"])
    def cancel_several(self, request: HttpRequest, queryset: "QuerySet[Order]") -> HttpResponse:
        """Show the page that says what cancelling them all means (B1); they may be the whole filtered list."""
        if request.POST.get("select_across") == "1":
            return choose_all(self, request)
        return choose_orders(request, queryset)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """All actions; deciding about late payments, and putting back what was decided, only in the lists of those."""
        actions = super().get_actions(request)
        if request.GET.get("paid_after_cancellation") != "yes":
            actions.pop("keep_cancelled", None)
        if not request.GET.get("decision"):
            actions.pop("put_back", None)
        return actions

    @admin.action(description=gettext_lazy("Reinstate order…"), permissions=["cancel"])
    def reinstate_one(self, request: HttpRequest, queryset: "QuerySet[Order]") -> HttpResponse | None:
        """Open the page that brings the one chosen order back (M10)."""
        ids = list(queryset.order_by().values_list("pk", flat=True)[:2])
        if len(ids) != 1:
            messages.warning(request, _("Choose exactly one order to reinstate it."))
            return None
        return HttpResponseRedirect(reinstate_address(ids[0]))

    @admin.action(description=gettext_lazy("Keep cancelled and mark for refund"), permissions=["cancel"])
    def keep_cancelled(self, request: HttpRequest, queryset: "QuerySet[Order]") -> None:
        """Decide so about the chosen orders that were paid after they were cancelled automatically (E6)."""
        keep_all_cancelled(request, list(queryset.order_by("pk").values_list("pk", "number")[:_DECIDED_AT_ONCE]))

    @admin.action(description=gettext_lazy("Bring back into the queue"), permissions=["cancel"])
    def put_back(self, request: HttpRequest, queryset: "QuerySet[Order]") -> None:
        """Take back what was decided about the chosen orders: they wait in the queue again (B2)."""
        put_back_all(request, list(queryset.order_by("pk").values_list("pk", "number")[:_DECIDED_AT_ONCE]))

    @admin.display(description=gettext_lazy("Order"))
    def order(self, order: Order) -> SafeString:
        """Number, and when it was placed."""
        return _two_lines(order.number, show_moment(order.placed_at, order.store))

    @admin.display(description=gettext_lazy("Customer"))
    def who(self, order: Order) -> SafeString | str:
        """Name and e-mail."""
        customer = order.customer
        if customer is None:
            return DASH
        return _two_lines(customer.name or str(customer), customer.email if customer.name else "")

    @admin.display(description=gettext_lazy("Status"))
    def status_shown(self, order: Order) -> SafeString:
        return status_badge(order)

    @admin.display(description=gettext_lazy("Payment"))
    def payment_shown(self, order: Order) -> SafeString:
        return payment_badge(order)

    @admin.display(description=gettext_lazy("Total"))
    def total_shown(self, order: Order) -> str:
        return money_words(order, order.store)

    @admin.display(description=own_words_lazy("Credits used"))
    def credits_used(self, order: Order) -> str:
        return used_words(order, "credits", order.store)

    @admin.display(description=own_words_lazy("Points used"))
    def points_used(self, order: Order) -> str:
        return used_words(order, "points", order.store)

    @admin.display(description=gettext_lazy("Credit Revert Status"))
    def credit_status(self, order: Order) -> SafeString | str:
        return revert_badge(order, "credits", order.store)

    @admin.display(description=gettext_lazy("Points Revert Status"))
    def points_status(self, order: Order) -> SafeString | str:
        return revert_badge(order, "points", order.store)

    @admin.display(description=gettext_lazy("Tags"))
    def tags_shown(self, order: Order) -> str:
        return ", ".join(order.tags) or DASH

    @admin.display(description=gettext_lazy("Cancelled"))
    def cancelled(self, order: Order) -> SafeString | str:
        """When, and by whom or what."""
        if order.cancelled_at is None:
            return DASH
        by = _CANCELLED_BY.get(order.cancelled_by, order.cancelled_by)
        where = LABELS.get(order.platform, order.platform)
        if getattr(order, "open_there", False):
            by = _("%(by)s, open on %(platform)s") % {"by": by, "platform": where}
        return _two_lines(show_moment(order.cancelled_at, order.store), str(by))


def _two_lines(first: str, second: str) -> SafeString:
    return format_html('<span class="cell-lines"><span>{}</span><small>{}</small></span>', first, second)
