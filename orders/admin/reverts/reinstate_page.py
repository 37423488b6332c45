"""The page that brings a cancelled order back, or deducts again on one that came back (M10)."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.confirm import Case
from loyalty.backoffice.forms import OnceForm
from loyalty.backoffice.links import order_address
from loyalty.core.errors import VersionConflict
from loyalty.ledger.planner import InsufficientBalance
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.roles import Can
from orders.admin.display import CHANGED, DONE_BEFORE
from orders.admin.reverts.reinstate_rows import Choice, choices_of, held_words, message_words, unpaid_words
from orders.models import Order, OrderStatus
from orders.services.reverts.reinstate import Deduct, in_hand, reinstate

_TOO_LITTLE: Final = gettext_noop(
    "The customer’s balance has become too small for that. Nothing was done: choose again."
)
_STATUSES: Final = [choice for choice in OrderStatus.choices if choice[0] != OrderStatus.CANCELLED]


class ReinstateForm(OnceForm):
    """What the order becomes, how much is deducted again, and which state of the order was shown."""

    status = forms.ChoiceField(label=gettext_lazy("The order becomes"), choices=_STATUSES)
    deduct = forms.ChoiceField(choices=[(deduct.value, deduct.value) for deduct in Deduct])
    version = forms.IntegerField(widget=forms.HiddenInput)


@store_view(needs=Can.CANCEL_ORDERS)
def reinstate_page(admin: BackOfficeAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """``admin:orders_order_reinstate``: what is in the customer's hands and the choices; confirmed, do it."""
    case = Case(admin, request, order)
    if request.method != "POST":
        return _show(case)
    form = ReinstateForm(request.POST)
    if not form.is_valid():
        return _show(case, said=_("Choose what is deducted again."), status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        words = _carry_out(case, form)
    except VersionConflict:
        return _show(case.again(), said=_(CHANGED), status=HTTPStatus.CONFLICT)
    except InsufficientBalance:
        return _show(case.again(), said=_(_TOO_LITTLE), status=HTTPStatus.CONFLICT)
    messages.success(request, words)
    return HttpResponseRedirect(order_address(order.pk))


def reinstate_address(order_id: int) -> str:
    """Where an order is brought back."""
    return reverse("admin:orders_order_reinstate", args=[order_id])


def _carry_out(case: Case[Order], form: ReinstateForm) -> str:
    """Do what the form says, once; answers what happened."""
    data = form.cleaned_data
    result = case.once(
        data["once"],
        lambda: reinstate(
            store=case.store,
            order_id=case.row.pk,
            status=data["status"],
            deduct=Deduct(data["deduct"]),
            version=data["version"],
            act=Act(case.actor, Trigger.ADMIN, case.now),
        ),
    )
    return _(DONE_BEFORE) if result is None else message_words(result, case.store)


def _show(case: Case[Order], *, said: str = "", status: int = HTTPStatus.OK) -> HttpResponse:
    order, store = case.row, case.store
    held = in_hand(order, now=case.now)
    comes_back = order.status == OrderStatus.CANCELLED
    choices = choices_of(order, held, store, comes_back=comes_back)
    title = (
        _("Reinstate order %(number)s") % {"number": order.number}
        if comes_back
        else _("Deduct again for order %(number)s") % {"number": order.number}
    )
    context: dict[str, Any] = {
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
        "back": order_address(order.pk),
    }
    return case.show("orders/admin/reverts/reinstate.html", context, status)


def _offered(choices: Sequence[Choice], sent: str) -> str:
    """What is ticked at first: what was sent where it can still be done, else the last choice, which takes least."""
    possible = [choice.value for choice in choices if choice.possible]
    return sent if sent in possible else possible[-1] if possible else ""


def _status(case: Case[Order]) -> str:
    if case.row.status != OrderStatus.CANCELLED:
        return str(case.row.status)
    wanted = case.request.POST.get("status") or case.request.GET.get("status")
    return wanted if wanted in dict(_STATUSES) else OrderStatus.CONFIRMED.value
