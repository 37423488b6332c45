"""Redeeming for a customer, by staff: from the customer's page (R2)."""

from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.confirm import Case
from loyalty.backoffice.forms import OnceForm
from loyalty.core.errors import DomainError, Invalid
from loyalty.languages.own_names import own_words
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Customer, Store
from loyalty.stores.roles import Can
from orders.admin.redemptions.rows import worth_words
from orders.kinds import show
from orders.models import Redemption, Reward
from orders.services.redemptions.redeem import redeem
from points.ledger import POINTS


class RedeemForm(OnceForm):
    """Which reward."""

    reward = forms.TypedChoiceField(
        label=gettext_lazy("Reward"), coerce=int, widget=forms.RadioSelect(attrs={"class": "cf-check"})
    )

    def __init__(self, *args: Any, rewards: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reward"].choices = rewards  # type: ignore[attr-defined]


@store_view(needs=Can.REDEEM)
def redeem_page(admin: BackOfficeAdmin, request: HttpRequest, customer: Customer) -> HttpResponse:
    """``admin:stores_customer_redeem``: the rewards that are offered; confirmed, redeem one."""
    case = Case(admin, request, customer)
    store = case.store
    available = int(POINTS.available([customer.pk], now=case.now).get((customer.pk, ""), 0))
    offered = list(Reward.objects.for_store(store).filter(active=True).order_by("points", "pk"))
    within = [reward for reward in offered if reward.points <= available]
    form = RedeemForm(request.POST or None, rewards=[(reward.pk, _words(reward, store)) for reward in within])
    if request.method == "POST" and form.is_valid():
        try:
            return _done(case, _carry_out(case, form))
        except DomainError as error:
            form.add_error(None, error.detail)
    context = {
        "title": own_words("Redeem points of %(customer)s") % {"customer": customer},
        "opts": admin.opts,
        "original": customer,
        "form": form,
        "offered": bool(offered),
        "within": bool(within),
        "available": show(available, "", store),
        "beyond": [_words(reward, store) for reward in offered if reward.points > available],
        "back": _tab(customer),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return case.show("orders/admin/redemptions/redeem.html", context, status)


def _carry_out(case: Case[Customer], form: RedeemForm) -> Redemption | None:
    """Redeem once; None when this form had been sent before."""
    try:
        return case.once(
            form.cleaned_data["once"],
            lambda: redeem(
                store=case.store,
                customer_id=case.row.pk,
                reward_id=form.cleaned_data["reward"],
                act=Act(case.actor, Trigger.ADMIN, case.now),
            ),
        )
    except Invalid as error:
        raise Invalid(error.detail) from error


def _done(case: Case[Customer], made: Redemption | None) -> HttpResponse:
    store, customer = case.store, case.row
    if made is None:
        messages.info(case.request, _("Already redeemed. Nothing was changed this time."))
        return HttpResponseRedirect(_tab(customer))
    words = _("%(points)s redeemed. The code is %(code)s. It can be used at once.")
    if made.code is None:
        words = _("%(points)s redeemed. %(worth)s given to %(customer)s.")
    elif made.platform:
        words = _(
            "%(points)s redeemed. The code %(code)s is being made on the shop platform. It can be used once that has "
            "confirmed it."
        )
    facts = {
        "points": show(made.points, "", store),
        "code": made.code,
        "worth": worth_words(made, store),
        "customer": customer,
    }
    messages.success(case.request, words % facts)
    return HttpResponseRedirect(_tab(customer))


def _words(reward: Reward, store: Store) -> str:
    return _("%(reward)s: %(worth)s for %(points)s") % {
        "reward": reward.name,
        "worth": worth_words(reward, store),
        "points": show(reward.points, "", store),
    }


def _tab(customer: Customer) -> str:
    return f"{reverse('admin:stores_customer_change', args=[customer.pk])}?tab=redemptions"
