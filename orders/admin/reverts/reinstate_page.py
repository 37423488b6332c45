"""The page that brings a cancelled order back, or deducts again on one that came back (M10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.forms import OnceForm, first_time
from loyalty.core.errors import VersionConflict
from loyalty.ledger.planner import InsufficientBalance
from loyalty.stores.active import acting, active_store
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.admin.reverts.reinstate_rows import Choice, choices_of, held_words, message_words, unpaid_words
from orders.models import Order, OrderStatus
from orders.services.reverts.reinstate import Deduct, ReinstateResult, in_hand, reinstate

_CHANGED: Final = "The order has changed since this was shown. Nothing was done: check it and confirm again."
_TOO_LITTLE: Final = "The customer’s balance has become too small for that. Nothing was done: choose again."
_DONE_BEFORE: Final = "This had been done already; nothing was done twice."
_STATUSES: Final = [choice for choice in OrderStatus.choices if choice[0] != OrderStatus.CANCELLED]


class ReinstateForm(OnceForm):
    """What the order becomes, how much is deducted again, and which state of the order was shown."""

    status = forms.ChoiceField(label="The order becomes", choices=_STATUSES)
    deduct = forms.ChoiceField(choices=[(deduct.value, deduct.value) for deduct in Deduct])
    version = forms.IntegerField(widget=forms.HiddenInput)


@dataclass(frozen=True, slots=True)
class _Case:
    """One order's page in one request."""

    request: HttpRequest
    admin: BackOfficeAdmin
    store: Store
    order: Order
    now: datetime


@store_view(needs=Can.CANCEL_ORDERS)
def reinstate_page(admin: BackOfficeAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """``admin:orders_order_reinstate``: what is in the customer's hands and the choices; confirmed, do it."""
    case = _Case(request, admin, active_store(request), order, timezone.now())
    if request.method != "POST":
        return _show(case)
    form = ReinstateForm(request.POST)
    if not form.is_valid():
        return _show(case, said="Choose what is deducted again.", status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        words = _carry_out(case, form)
    except VersionConflict:
        return _again(case, _CHANGED)
    except InsufficientBalance:
        return _again(case, _TOO_LITTLE)
    messages.success(request, words)
    return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order.pk]))


def reinstate_address(order_id: int) -> str:
    """Where an order is brought back."""
    return reverse("admin:orders_order_reinstate", args=[order_id])


@transaction.atomic
def _carry_out(case: _Case, form: ReinstateForm) -> str:
    """Do what the form says, once; answers what happened. When it is refused, the form can be sent again."""
    data = form.cleaned_data
    if not first_time(data["once"], store=case.store, now=case.now):
        return _DONE_BEFORE
    result: ReinstateResult = reinstate(
        store=case.store,
        order_id=case.order.pk,
        status=data["status"],
        deduct=Deduct(data["deduct"]),
        version=data["version"],
        actor=acting(case.request),
        trigger=Trigger.ADMIN,
        now=case.now,
    )
    return message_words(result, case.store)


def _again(case: _Case, said: str) -> HttpResponse:
    order = case.admin.row_or_404(case.request, str(case.order.pk))
    fresh = _Case(case.request, case.admin, case.store, order, case.now)
    return _show(fresh, said=said, status=HTTPStatus.CONFLICT)


def _show(case: _Case, *, said: str = "", status: int = HTTPStatus.OK) -> HttpResponse:
    order, store = case.order, case.store
    held = in_hand(order, now=case.now)
    comes_back = order.status == OrderStatus.CANCELLED
    choices = choices_of(order, held, store, comes_back=comes_back)
    title = f"Reinstate order {order.number}" if comes_back else f"Deduct again for order {order.number}"
    context: dict[str, Any] = {
        **case.admin.admin_site.each_context(case.request),
        "title": title,
        "order": order,
        "comes_back": comes_back,
        "held": [held_words(order, kind, value, store) for kind, value in held.items()],
        "partly": any(value.available < value.returned for value in held.values()),
        "choices": choices,
        "chosen": _offered(choices, case.request.POST.get("deduct", "")),
        "form": ReinstateForm(initial={"status": _status(case), "version": order.version}),
        "unpaid": unpaid_words(order) if comes_back else "",
        "said": said,
        "action": reinstate_address(order.pk),
        "back": reverse("admin:orders_order_change", args=[order.pk]),
    }
    return TemplateResponse(case.request, "orders/admin/reverts/reinstate.html", context, status=status)


def _offered(choices: Sequence[Choice], sent: str) -> str:
    """What is ticked at first: what was sent where it can still be done, else the last choice, which takes least."""
    possible = [choice.value for choice in choices if choice.possible]
    return sent if sent in possible else possible[-1] if possible else ""


def _status(case: _Case) -> str:
    if case.order.status != OrderStatus.CANCELLED:
        return str(case.order.status)
    wanted = case.request.POST.get("status") or case.request.GET.get("status")
    return wanted if wanted in dict(_STATUSES) else OrderStatus.CONFIRMED.value
