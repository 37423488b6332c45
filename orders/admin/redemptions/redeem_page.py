"""Redeeming for a customer, by staff: from the customer's page (R2)."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.forms import OnceForm, first_time
from loyalty.core.errors import DomainError, Invalid
from loyalty.stores.active import acting, active_store
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Customer, Store
from loyalty.stores.roles import Can
from orders.admin.redemptions.rows import worth_words
from orders.kinds import show
from orders.models import Redemption, Reward
from orders.services.redemptions.redeem import redeem
from points.ledger import POINTS


class RedeemForm(OnceForm):
    """Which reward."""

    reward = forms.TypedChoiceField(label="Reward", coerce=int, widget=forms.RadioSelect(attrs={"class": "cf-check"}))

    def __init__(self, *args: Any, rewards: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reward"].choices = rewards  # type: ignore[attr-defined]


@store_view(needs=Can.REDEEM)
def redeem_page(admin: BackOfficeAdmin, request: HttpRequest, customer: Customer) -> HttpResponse:
    """``admin:stores_customer_redeem``: the rewards that are offered; confirmed, redeem one."""
    store, now = active_store(request), timezone.now()
    available = int(POINTS.available([customer.pk], now=now).get((customer.pk, ""), 0))
    offered = list(Reward.objects.for_store(store).filter(active=True).order_by("points", "pk"))
    within = [reward for reward in offered if reward.points <= available]
    form = RedeemForm(request.POST or None, rewards=[(reward.pk, _words(reward, store)) for reward in within])
    if request.method == "POST" and form.is_valid():
        try:
            return _done(request, customer, _carry_out(form, request, customer, now))
        except DomainError as error:
            form.add_error(None, error.detail)
    context = {
        **admin.admin_site.each_context(request),
        "title": f"Redeem points of {customer}",
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
    return TemplateResponse(request, "orders/admin/redemptions/redeem.html", context, status=status)


@transaction.atomic
def _carry_out(form: RedeemForm, request: HttpRequest, customer: Customer, now: datetime) -> Redemption | None:
    """Redeem once; None when this form had been sent before."""
    store = active_store(request)
    if not first_time(form.cleaned_data["once"], store=store, now=now):
        return None
    try:
        return redeem(
            store=store,
            customer_id=customer.pk,
            reward_id=form.cleaned_data["reward"],
            actor=acting(request),
            trigger=Trigger.ADMIN,
            now=now,
        )
    except Invalid as error:
        raise Invalid(error.detail) from error


def _done(request: HttpRequest, customer: Customer, made: Redemption | None) -> HttpResponse:
    if made is None:
        messages.info(request, "This had been redeemed already; nothing was done twice.")
        return HttpResponseRedirect(_tab(customer))
    store = active_store(request)
    if made.code is None:
        words = f"{worth_words(made, store)} given to {customer}."
    elif made.platform:
        words = f"The code {made.code} is being made on the shop platform. It can be used once that has confirmed it."
    else:
        words = f"The code is {made.code}. It can be used at once."
    messages.success(request, f"{show(made.points, '', store)} redeemed. {words}")
    return HttpResponseRedirect(_tab(customer))


def _words(reward: Reward, store: Store) -> str:
    return f"{reward.name}: {worth_words(reward, store)} for {show(reward.points, '', store)}"


def _tab(customer: Customer) -> str:
    return f"{reverse('admin:stores_customer_change', args=[customer.pk])}?tab=redemptions"
