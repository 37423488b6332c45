"""The cancel / return form of one order: full page and, as the same form, content of a dialog (M1-M8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.confirm import Case
from loyalty.backoffice.links import order_address
from loyalty.core.phrases import sentences
from loyalty.ledger.ledger import Kind
from loyalty.store_settings.sections import StoreSettings, current_settings
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.roles import Can
from orders.admin.reverts.cancel_form import CancelForm
from orders.admin.reverts.cancel_rows import amounts_words, earned_words, shown_form, state_of
from orders.admin.reverts.dismiss_page import can_be_dismissed
from orders.admin.reverts.plan_page import FACTS_CHANGED, go_on_to, show_plan
from orders.admin.reverts.plan_rows import Seen
from orders.admin.reverts.undo_page import undo_link
from orders.admin.reverts.walk import WALKING, go_on, is_walking, walk_bar
from orders.kinds import KINDS
from orders.models import Order, OrderStatus, PaymentStatus
from orders.services.reverts.apply import CancelResult, Details, Work
from orders.services.reverts.cancel import NotReturnable, PreviewStale, cancel_order, return_value
from orders.services.reverts.plans import load_used, preview
from orders.services.reverts.preview_token import CANCEL, Shown
from orders.services.reverts.warnings import warnings_for

_CHOICE_CHANGED: Final = gettext_noop(
    "You changed something after the result was worked out. Nothing was done yet: check it and confirm."
)
_NO_LONGER_REFUNDED: Final = gettext_noop(
    "The payment is no longer refunded, so nothing was returned. You can cancel the order instead."
)


@dataclass(frozen=True)
class _Case(Case[Order]):
    """One order's form in one request, and whether it is about cancelling."""

    cancels: bool = True

    @cached_property
    def settings(self) -> StoreSettings:
        """The store's settings."""
        return current_settings(self.store)

    @property
    def work(self) -> Work:
        """What confirming would carry out, as far as the form shows it."""
        becomes = self.cancels and self.row.status != OrderStatus.CANCELLED
        return Work(self.store, self.settings, Details(), Act(self.actor, Trigger.ADMIN, self.now), becomes)

    def form(self) -> CancelForm:
        """The fields, filled with what was sent."""
        used = load_used([self.row.pk])
        mine = {kind: used[kind].get(self.row.pk, ()) for kind in KINDS}
        data = self.request.POST if self.request.method == "POST" else None
        return CancelForm(data, used=mine, store=self.store, settings=self.settings, now=self.now)


@store_view(needs=Can.CANCEL_ORDERS)
def cancel_page(admin: BackOfficeAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """``admin:orders_order_cancel``: the form; on *Preview* again with the result; on the confirming button do it.

    A refunded order opens as *Return credits/points*, unless ``?intent=cancel`` asks for cancelling (M8).
    """
    case = _Case(admin, request, order, cancels=_is_about_cancelling(request, order))
    form = case.form()
    if form.is_valid() and "_confirm" in request.POST:
        return _confirm(case, form)
    return _show(case, form, status=HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK)


def _is_about_cancelling(request: HttpRequest, order: Order) -> bool:
    if "intent" in request.POST:
        return request.POST["intent"] == "cancel"
    if request.GET.get("intent") == "cancel":
        return True
    return order.status == OrderStatus.CANCELLED or order.payment_status != PaymentStatus.REFUNDED


def _confirm(case: _Case, form: CancelForm) -> HttpResponse:
    seen = Seen.read(case.request.POST.get("seen", ""))
    # A token of the other form, or none, is one that fits nothing: the form comes back.
    token = case.request.POST.get("token", "") if seen and seen.cancels == case.cancels else ""
    verb = cancel_order if case.cancels else return_value
    try:
        result = verb(
            store=case.store,
            order_id=case.row.pk,
            choice=form.choice(),
            details=form.details(),
            token=token,
            act=Act(case.actor, Trigger.ADMIN, case.now),
        )
    except PreviewStale as stale:
        return _after_stale(case, form, seen, stale)
    except NotReturnable:
        fresh = case.again(cancels=True)
        return _show(fresh, fresh.form(), seen=seen, said=_(_NO_LONGER_REFUNDED), status=HTTPStatus.CONFLICT)
    _tell(case, result)
    return _done(case)


def _after_stale(case: _Case, form: CancelForm, seen: Seen | None, stale: PreviewStale) -> HttpResponse:
    shown = Shown.read(case.request.POST.get("token", ""), CANCEL)
    as_shown = shown is not None and shown.is_of(form.choice())
    if seen and as_shown and state_of(stale.preview.plan.order) == seen.goal:
        # The same form was sent before, or a colleague was quicker with the same: nothing is left to do (M7).
        messages.info(case.request, f"Order {case.row.number}: already done. Nothing was changed this time.")
        return _done(case)
    fresh = case.again()
    said, status = (_(FACTS_CHANGED), HTTPStatus.CONFLICT) if as_shown else (_(_CHOICE_CHANGED), HTTPStatus.OK)
    return _show(fresh, fresh.form(), seen=seen, said=said, status=status)


def _show(
    case: _Case, form: CancelForm, *, seen: Seen | None = None, said: str = "", status: int = HTTPStatus.OK
) -> HttpResponse:
    form.full_clean()
    shown = preview(case.row, form.choice(), store=case.store, settings=case.settings, now=case.now)
    page = shown_form(form, shown, work=case.work, cancels=case.cancels, seen=seen)
    walking = WALKING if is_walking(case.request) else ""
    dismissible = not case.work.cancels and can_be_dismissed(case.row)
    context: dict[str, Any] = {
        "form": form,
        "said": said,
        "intent": "cancel" if case.cancels else "return",
        "may_cancel": not case.cancels and case.row.status != OrderStatus.CANCELLED,
        "earned": earned_words(shown.earned, case.store),
        "max_days": case.settings.extend.max_days,
        "warnings": _warnings(case),
        "action": f"{reverse('admin:orders_order_cancel', args=[case.row.pk])}{walking}",
        "back": reverse("admin:orders_order_queue") if walking else order_address(case.row.pk),
        "dismiss": f"{reverse('admin:orders_order_dismiss', args=[case.row.pk])}{walking}" if dismissible else "",
    }
    context |= {"walk": walk_bar(case.request, case.row), "order": case.row} if walking else {}
    return show_plan(case, "orders/admin/reverts/cancel_form.html", page, context, status)


def _warnings(case: _Case) -> Sequence[str]:
    told = warnings_for(case.row, store=case.store, settings=case.settings, now=case.now)
    return [warning.detail for warning in told if warning.code != "no_email"]


def _done(case: _Case) -> HttpResponse:
    """To the order's page; on a walk through the queue to the next order."""
    if is_walking(case.request):
        return go_on(case.request)
    return go_on_to(case.request, order_address(case.row.pk))


def _tell(case: _Case, result: CancelResult) -> None:
    """The message with the amounts, on the order's page."""
    undo = undo_link(case.request, [made.revert for made in result.reverts])
    messages.success(case.request, format_html("{}{}", sentences(_told(case, result)), undo))


def _told(case: _Case, result: CancelResult) -> list[str]:
    number, customer = result.order.number, result.order.customer
    returned: dict[Kind, Any] = {made.kind: made.revert.amount for made in result.reverts}
    amounts = amounts_words(returned, result.order, case.store)
    facts = {"number": number, "amounts": amounts, "customer": customer}
    told = [_("Order %(number)s is cancelled.") % facts] if result.cancelled_now else []
    if returned and told:
        told.append(_("%(amounts)s returned to %(customer)s.") % facts)
    elif returned:
        told.append(_("Order %(number)s: %(amounts)s returned to %(customer)s.") % facts)
    elif not told:
        told.append(_("Order %(number)s: Nothing was returned.") % facts)
    told += [skip.detail for skip in result.skipped if skip.code in {"declined", "expired"}]
    if result.notice:
        told.append(_("The message to %(email)s is on its way.") % {"email": result.notice.to_email})
    return told
