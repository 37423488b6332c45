"""Deciding on a page not to return what is left of an order, and bringing the order back into the queue (B2)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.confirm import Case
from loyalty.backoffice.links import order_address
from loyalty.core.clock import read_clock
from loyalty.core.errors import Conflict
from loyalty.core.phrases import sentences
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount
from loyalty.stores.active_store import acting, active_store
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.roles import Can
from orders.admin.reverts.cancel_rows import amounts_words
from orders.admin.reverts.walk import WALKING, go_on, is_walking, walk_bar
from orders.kinds import applied, reverted
from orders.models import Order
from orders.services.reverts.dismiss import decided_kinds, dismiss_revert, dismissible_kinds, put_back_in_queue

_SUGGESTIONS: Final = (
    gettext_lazy("The customer did not want it back"),
    gettext_lazy("Settled in another way"),
    gettext_lazy("The value had expired"),
)


class DismissForm(forms.Form):
    """Why what is left is not returned."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=200)


@store_view(needs=Can.CANCEL_ORDERS)
def dismiss_page(admin: BackOfficeAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """``admin:orders_order_dismiss``: what will not be returned, and why; on a walk through the queue on to the next.

    A form sent twice changes nothing the second time.
    """
    case, form = Case(admin, request, order), DismissForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _show(case, form)
    left = _left(order)
    try:
        dismiss_revert(
            store=case.store,
            order_id=order.pk,
            reason=form.cleaned_data["reason"],
            act=Act(case.actor, Trigger.ADMIN, case.now),
        )
    except Conflict as refused:
        messages.warning(
            request,
            sentences([_("Order %(number)s was not dismissed.") % {"number": order.number}, refused.detail]),
        )
    else:
        words = _("Order %(number)s: dismissed, what is left will not be returned.")
        amounts = amounts_words(left, order, case.store)
        if amounts:
            words = _("Order %(number)s: dismissed, %(amounts)s will not be returned.")
        messages.success(request, words % {"number": order.number, "amounts": amounts})
    return go_on(request) if is_walking(request) else HttpResponseRedirect(order_address(order.pk))


@store_view(needs=Can.CANCEL_ORDERS, methods=("POST",))
def put_back_page(admin: BackOfficeAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """``admin:orders_order_put_back``: what was decided counts no longer, the order waits again; twice is as once."""
    put_back_all(request, [(order.pk, order.number)])
    return HttpResponseRedirect(order_address(order.pk))


def put_back_all(request: HttpRequest, orders: list[tuple[int, str]]) -> None:
    """Bring these orders of the active store, given by id and number, back into the queue, and say what came of it."""
    store, actor, now = active_store(request), acting(request), read_clock()
    for order_id, number in orders:
        order = put_back_in_queue(store=store, order_id=order_id, act=Act(actor, Trigger.ADMIN, now))
        if order.needs_revert:
            messages.success(
                request, _("Order %(number)s is back in the queue of what needs a revert.") % {"number": number}
            )
        else:
            messages.warning(
                request, _("Order %(number)s has nothing that could wait in the queue.") % {"number": number}
            )


def can_be_put_back(order: Order) -> bool:
    """Whether somebody decided about something that is left of an order that fell through."""
    return order.to_be_decided and bool(decided_kinds(order))


def can_be_dismissed(order: Order) -> bool:
    """Whether something is left of an order that fell through, and nobody has declined or dismissed it."""
    return order.to_be_decided and bool(dismissible_kinds(order))


def _show(case: Case[Order], form: DismissForm) -> HttpResponse:
    order, walking = case.row, is_walking(case.request)
    context: dict[str, Any] = {
        "title": _("Dismiss order %(number)s") % {"number": order.number},
        "order": order,
        "left": amounts_words(_left(order), order, case.store) if can_be_dismissed(order) else "",
        "form": form,
        "suggestions": _SUGGESTIONS,
        "walk": walk_bar(case.request, order) if walking else None,
        "back": f"{reverse('admin:orders_order_cancel', args=[order.pk])}{WALKING if walking else ''}",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return case.show("orders/admin/reverts/dismiss.html", context, status)


def _left(order: Order) -> Mapping[Kind, Amount]:
    return {kind: applied(order, kind) - reverted(order, kind) for kind in dismissible_kinds(order)}
