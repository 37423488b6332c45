"""Merging customers from the customer page: whom with, what moves and what is said of it, and then for good (O7)."""

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
from loyalty.core.errors import Conflict, Invalid
from loyalty.core.phrases import listed
from loyalty.core.values import parse_id
from loyalty.customers.merged import find_person
from loyalty.customers.search import find_customers, namesakes_of, shared_by
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Customer, Store
from loyalty.stores.roles import Can
from orders.admin.customers.merge_rows import amount_words, candidate_rows, shown_merge
from orders.services.customers.merge import merge_customers
from orders.services.customers.merge_plans import MergePlan, MergeStale, plan_merge

_AT_MOST: Final = 20
_CHANGED: Final = gettext_noop(
    "Something has changed since this was shown. Nothing was done: check it and confirm again."
)
_NOT_SURE: Final = gettext_noop("Nothing was done. Tick the box first: a merge cannot be undone.")
_UNKNOWN: Final = gettext_noop("This store has no such customer. Choose one of the list, or search.")


class MergeForm(forms.Form):
    """That somebody is sure, why, and what was shown to him."""

    token = forms.CharField(max_length=64, widget=forms.HiddenInput)
    sure = forms.BooleanField()
    reason = forms.CharField(label=gettext_lazy("Reason (optional)"), max_length=200, required=False)


@store_view(needs=Can.MERGE_CUSTOMERS)
def merge_page(admin: BackOfficeAdmin, request: HttpRequest, customer: Customer) -> HttpResponse:
    """``admin:stores_customer_merge``: choose whom ``customer`` is one with, see what moves, confirm it.

    ``?other=`` names the one who is merged into him. Two who are one already, in whichever order and tab that came to
    be, are said to be: sent twice is as once.
    """
    case = Case(admin, request, customer)
    asked = request.POST if request.method == "POST" else request.GET
    if "other" not in asked:
        return _choose(case)
    other = _other(case, asked["other"])
    if other is None:
        return _choose(case, said=_(_UNKNOWN), status=HTTPStatus.NOT_FOUND)
    if other == customer:
        return _one_already(request, customer)
    try:
        return _carry_out(case, other) if request.method == "POST" else _show(case, other)
    except Conflict as refused:
        return _choose(case, said=refused.detail, status=HTTPStatus.CONFLICT)


def merge_hints(customer: Customer) -> list[dict[str, Any]]:
    """Customers who may be the same person, for the page of ``customer``; one query."""
    return candidate_rows(namesakes_of(customer)[:_AT_MOST], customer)


def _other(case: Case[Customer], asked: str) -> Customer | None:
    """The customer to whom the id in the address leads; another store's is an unknown one (T1)."""
    known = parse_id(asked)
    return None if known is None else find_person(case.store, known)


def _carry_out(case: Case[Customer], other: Customer) -> HttpResponse:
    form = MergeForm(case.request.POST)
    if not form.is_valid():
        said = _(_NOT_SURE) if "sure" in form.errors else _(_CHANGED)
        return _show(case, other, said=said, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    plan = plan_merge(case.store, merged=other, kept=case.row, now=case.now)
    try:
        merge = merge_customers(
            store=case.store,
            kept_id=case.row.pk,
            merged_id=other.pk,
            reason=form.cleaned_data["reason"],
            token=form.cleaned_data["token"],
            act=Act(case.actor, Trigger.ADMIN, case.now),
        )
    except (MergeStale, Invalid):
        return _show(case, other, said=_(_CHANGED), status=HTTPStatus.CONFLICT)
    if not merge.done:
        return _one_already(case.request, merge.kept)
    messages.success(case.request, _done_words(plan, case.store))
    return HttpResponseRedirect(_address("change", merge.kept))


def _done_words(plan: MergePlan, store: Store) -> str:
    has = listed(amount_words(item, item.together, store) for item in plan.holdings)
    words = _("%(merged)s was merged into %(kept)s, who now has %(amounts)s. Every address and id leads here.")
    if not has:
        words = _("%(merged)s was merged into %(kept)s, who has nothing to spend. Every address and id leads here.")
    return words % {"merged": plan.merged, "kept": plan.kept, "amounts": has}


def _one_already(request: HttpRequest, kept: Customer) -> HttpResponse:
    words = _("These are one customer already: %(customer)s. Nothing was changed this time.")
    messages.info(request, words % {"customer": kept})
    return HttpResponseRedirect(_address("change", kept))


def _choose(case: Case[Customer], *, said: str = "", status: int = HTTPStatus.OK) -> HttpResponse:
    term = case.request.GET.get("q", "").strip()
    found = find_customers(case.store, term).exclude(pk=case.row.pk).order_by("-id") if term else None
    rows = namesakes_of(case.row) if found is None else found
    candidates = candidate_rows(rows[:_AT_MOST], case.row)
    context = {
        "term": term,
        "candidates": candidates,
        "more": len(candidates) == _AT_MOST,
        "said": said,
        "title": _("Merge %(customer)s with another customer") % {"customer": case.row},
    }
    return _answer(case, "orders/admin/customers/merge_choose.html", context, status)


def _show(case: Case[Customer], other: Customer, *, said: str = "", status: int = HTTPStatus.OK) -> HttpResponse:
    plan = plan_merge(case.store, merged=other, kept=case.row, now=case.now)
    context = {
        "merge": shown_merge(plan, case.store),
        "token": plan.token,
        "other": other,
        "shared": shared_by(other, case.row),
        "reason": case.request.POST.get("reason", ""),
        "said": said,
        "swap": f"{_address('merge', other)}?other={case.row.pk}",
        "title": _("Merge %(merged)s into %(kept)s") % {"merged": other, "kept": case.row},
    }
    return _answer(case, "orders/admin/customers/merge.html", context, status)


def _answer(case: Case[Customer], template: str, context: dict[str, Any], status: int) -> HttpResponse:
    shared = {
        "opts": case.admin.opts,
        "original": case.row,
        "customer": case.row,
        "back": _address("change", case.row),
    }
    return case.show(template, shared | context, status)


def _address(name: str, customer: Customer) -> str:
    return reverse(f"admin:stores_customer_{name}", args=[customer.pk])
