"""Cancelling many orders at once, after a page that says what it means (B1)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.stores.active import acting, active_store
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.kinds import KINDS, applied, currency_of, show
from orders.models import CancelReason, Order, OrderStatus, RevertStatus
from orders.services.applying import CancelResult, Details
from orders.services.cancelling import cancel_many

LIMIT: Final = 500
_LARGEST_ID: Final = 2**63 - 1
_INPUT: Final = {"class": "cf-input"}


class BulkCancelForm(forms.Form):
    """What is said beside a bulk cancel."""

    reason = forms.ChoiceField(
        choices=[("", "No reason given"), *CancelReason.choices], required=False, widget=forms.Select(attrs=_INPUT)
    )
    note = forms.CharField(
        label="Staff note", required=False, max_length=2000, widget=forms.Textarea(attrs=_INPUT | {"rows": 2})
    )

    def details(self) -> Details:
        """The reason and the note; customers are not told in bulk."""
        return Details(reason=self.cleaned_data["reason"], note=self.cleaned_data["note"].strip())


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One of the orders: number, whose, what it used."""

    number: str
    customer: str
    used: str


@store_view(needs=Can.CANCEL_ORDERS)
def bulk_cancel_page(admin: BackOfficeAdmin, request: HttpRequest, _order: None) -> HttpResponse:
    """``admin:orders_order_bulk_cancel``: say what cancelling the orders ``ids=1,2,3`` means; confirmed, do it."""
    ids = _ids(request.POST.get("ids") or request.GET.get("ids") or "")
    form = BulkCancelForm(request.POST or None)
    if "_confirm" in request.POST and 0 < len(ids) <= LIMIT and form.is_valid():
        return _carry_out(request, ids, form)
    return show_bulk_cancel(admin, request, ids, form)


def show_bulk_cancel(
    admin: BackOfficeAdmin, request: HttpRequest, ids: Sequence[int], form: BulkCancelForm | None = None
) -> HttpResponse:
    """The page about these orders of the active store; back to the list when there are none, or more than the limit."""
    if len(ids) > LIMIT:
        messages.error(request, f"At most {LIMIT} orders can be cancelled at once. Nothing was done: choose fewer.")
        return HttpResponseRedirect(_list_address())
    store = active_store(request)
    orders = list(Order.objects.for_store(store).filter(pk__in=ids).select_related("customer").order_by("pk"))
    if not orders:
        messages.warning(request, "Choose the orders to cancel in the list first.")
        return HttpResponseRedirect(_list_address())
    cancelled = [order for order in orders if order.status == OrderStatus.CANCELLED]
    going = [order for order in orders if order.status != OrderStatus.CANCELLED]
    context = admin.admin_site.each_context(request) | {
        "title": "Cancel selected orders",
        "form": form or BulkCancelForm(),
        "ids": ",".join(str(order.pk) for order in orders),
        "already": [order.number for order in cancelled],
        "lines": [_line(order, store) for order in going],
        "used": used_words(going, store),
        "confirm": f"Cancel {count_words(len(going))}, return nothing",
        "action": reverse("admin:orders_order_bulk_cancel"),
        "back": _list_address(),
    }
    return TemplateResponse(request, "orders/admin/bulk_cancel.html", context)


def used_words(orders: Iterable[Order], store: Store) -> str:
    """How much these orders used, each kind and currency by itself: ``150.00 USD credits and 300 points``."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for order in orders:
        for kind in KINDS:
            sums[kind, currency_of(order, kind)] += applied(order, kind)
    words = [
        f"{show(amount, currency, store)}{' credits' if currency else ''}"
        for (_, currency), amount in sorted(sums.items())
        if amount
    ]
    return " and ".join(words)


def count_words(count: int) -> str:
    """``1 order``, ``12 orders``."""
    return "1 order" if count == 1 else f"{count} orders"


def _ids(text: str) -> list[int]:
    """The ids in a list with commas; what is no id is no order of this store either."""
    numbers = (int(part) for part in text.split(",") if part.strip().isascii() and part.strip().isdigit())
    return sorted({number for number in numbers if number <= _LARGEST_ID})


def _line(order: Order, store: Store) -> OrderLine:
    used = [show(applied(order, kind), currency_of(order, kind), store) for kind in KINDS if applied(order, kind)]
    return OrderLine(order.number, str(order.customer or ""), " + ".join(used))


def _carry_out(request: HttpRequest, ids: Sequence[int], form: BulkCancelForm) -> HttpResponse:
    done = cancel_many(
        store=active_store(request),
        order_ids=ids,
        details=form.details(),
        actor=acting(request),
        now=timezone.now(),
    )
    results = [result for result in done.values() if result is not None]
    messages.success(request, _told(results))
    return HttpResponseRedirect(_list_address())


def _told(results: Sequence[CancelResult]) -> SafeString:
    """What happened, with a link to those orders still Not Reverted now."""
    done = [result.order for result in results if result.cancelled_now]
    before = len(results) - len(done)
    words = [f"{count_words(len(done))} cancelled, nothing was returned."] if done else []
    if before:
        words.append(f"{count_words(before)} had been cancelled already.")
    # A second sending finds them all cancelled: it names the same orders as the first.
    mine = done or [result.order for result in results if result.order.cancelled_by == Trigger.BULK]
    left = [order for order in mine if is_not_reverted(order)]
    moments = {order.cancelled_at.isoformat() for order in mine if order.cancelled_at}
    if not left or len(moments) != 1:
        return format_html("{}", " ".join(words))
    address = f"{_list_address()}?{urlencode({'cancelled_at': moments.pop(), 'not_reverted': 'yes'})}"
    link = format_html('<a href="{}" class="underline">Show {} still Not Reverted</a>', address, count_words(len(left)))
    return format_html("{} {}", " ".join(words), link)


def is_not_reverted(order: Order) -> bool:
    """Whether either kind shows Not Reverted (O3)."""
    return RevertStatus.NOT_REVERTED in {order.credit_revert_status, order.points_revert_status}


def _list_address() -> str:
    return reverse("admin:orders_order_changelist")
