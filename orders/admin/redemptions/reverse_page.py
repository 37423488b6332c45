"""The form that reverses a redemption: full page and, as the same form, content of a dialog (R3, R4)."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.core.errors import Busy, Invalid
from loyalty.store_settings.sections import StoreSettings, current_settings
from loyalty.stores.active import acting, active_store, may
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.admin.redemptions.reverse_form import ReversalForm
from orders.admin.redemptions.reverse_rows import reversal_warnings, shown_reversal
from orders.admin.redemptions.rows import redemption_address
from orders.admin.reverts.plan_page import FACTS_CHANGED, go_on_to, show_plan
from orders.admin.reverts.plan_rows import Seen
from orders.kinds import show
from orders.models import Redemption
from orders.services.codes.on_platform import Asked, ask_platform
from orders.services.redemptions.plans import part_of, preview_reversal
from orders.services.redemptions.reverse import (
    CodeUsed,
    ReversalStale,
    Reversed,
    needs_force,
    reverse_redemption,
)
from orders.services.reverts.choices import CancelChoice
from orders.services.reverts.dismiss import NothingLeft

_USED_NOW: Final = "The code has been used meanwhile. Nothing was done."
_DONE: Final = "This redemption had been reversed already. Nothing was done twice."
_NO_FORCE: Final = "The code has already been used. Tick the box to reverse it all the same, and say why."


@dataclass(frozen=True, slots=True)
class _Case:
    """One redemption's form in one request."""

    request: HttpRequest
    store: Store
    redemption: Redemption
    settings: StoreSettings
    asked: Asked
    now: datetime

    @property
    def may_force(self) -> bool:
        """Whether this person may reverse a used code."""
        return may(self.request, Can.FORCE_REVERSALS)

    def form(self) -> ReversalForm:
        """The fields, filled with what was sent."""
        bare = preview_reversal(
            self.redemption, CancelChoice({"points": True}), store=self.store, settings=self.settings, now=self.now
        )
        data = self.request.POST if self.request.method == "POST" else None
        return ReversalForm(
            data,
            lots=part_of(bare.plan.used, bare.plan.share),
            used=needs_force(self.redemption) and self.may_force,
            store=self.store,
            settings=self.settings,
            now=self.now,
        )


@store_view(needs=Can.REDEEM)
def reverse_page(admin: BackOfficeAdmin, request: HttpRequest, redemption: Redemption) -> HttpResponse:
    """``admin:orders_redemption_reverse``: the form; on *Preview* again with the result; confirmed, do it.

    The platform is asked whether the code was used when the form is opened and again when it is confirmed, with no
    transaction open.
    """
    previews = request.method == "POST" and "_confirm" not in request.POST
    try:
        asked = _asked_before(request) if previews else ask_platform(redemption, now=timezone.now())
    except Busy as error:
        return _busy(admin, _case(admin, request, redemption, Asked.UNREACHABLE), error)
    case = _case(admin, request, redemption, asked)
    form = case.form()
    if form.is_valid() and "_confirm" in request.POST:
        return _confirm(admin, case, form)
    return _show(admin, case, form, status=HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK)


def _busy(admin: BackOfficeAdmin, case: _Case, error: Busy) -> HttpResponse:
    """The form all the same, to look at; what was confirmed has to be confirmed again."""
    if case.request.method == "GET":
        return _show(admin, case, case.form())
    return _show(admin, case, case.form(), said=error.detail, status=HTTPStatus.SERVICE_UNAVAILABLE)


def _asked_before(request: HttpRequest) -> Asked:
    sent = request.POST.get("asked", "")
    return Asked(sent) if sent in set(Asked) else Asked.NOT_ASKED


def _case(admin: BackOfficeAdmin, request: HttpRequest, redemption: Redemption, asked: Asked) -> _Case:
    """The case with the redemption as it is now: asking the platform may have taught us something."""
    store = active_store(request)
    fresh: Redemption = admin.row_or_404(request, str(redemption.pk))
    fresh.store = store
    return _Case(request, store, fresh, current_settings(store), asked, timezone.now())


def _confirm(admin: BackOfficeAdmin, case: _Case, form: ReversalForm) -> HttpResponse:
    seen = Seen.read(case.request.POST.get("seen", ""))
    ask = form.ask()
    try:
        done = reverse_redemption(
            store=case.store,
            redemption_id=case.redemption.pk,
            ask=ask,
            token=case.request.POST.get("token", ""),
            asked=case.asked,
            actor=acting(case.request),
            trigger=Trigger.ADMIN,
            now=case.now,
        )
    except ReversalStale:
        return _again(admin, case, FACTS_CHANGED, seen)
    except NothingLeft as error:
        return _again(admin, case, error.detail, seen)
    except CodeUsed:
        return _again(admin, case, _NO_FORCE if case.may_force else _USED_NOW, seen)
    except Invalid as error:
        for item in error.errors:
            form.add_error("reason" if item.pointer == "/reason" else None, item.detail)
        return _show(admin, case, form, seen=seen, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    messages.success(case.request, _words(done, case.store))
    return go_on_to(case.request, redemption_address(case.redemption))


def _again(admin: BackOfficeAdmin, case: _Case, said: str, seen: Seen | None) -> HttpResponse:
    fresh = _case(admin, case.request, case.redemption, case.asked)
    return _show(admin, fresh, fresh.form(), seen=seen, said=said, status=HTTPStatus.CONFLICT)


def _show(
    admin: BackOfficeAdmin,
    case: _Case,
    form: ReversalForm,
    *,
    seen: Seen | None = None,
    said: str = "",
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    if not form.is_bound or not hasattr(form, "cleaned_data"):
        form.full_clean()
    shown = preview_reversal(case.redemption, form.choice(), store=case.store, settings=case.settings, now=case.now)
    page = shown_reversal(form, shown, may_force=case.may_force, store=case.store, seen=seen, now=case.now)
    context: dict[str, Any] = {
        "form": form,
        "said": said,
        "asked": case.asked.value,
        "max_days": case.settings.extend.max_days,
        "warnings": reversal_warnings(shown.plan, case.asked, case.store),
        "action": reverse("admin:orders_redemption_reverse", args=[case.redemption.pk]),
        "back": redemption_address(case.redemption),
    }
    return show_plan(admin, case.request, "orders/admin/redemptions/reverse_form.html", page, context, status)


def _words(done: Reversed, store: Store) -> str:
    """The message with the amounts, on the redemption's page."""
    redemption = done.redemption
    if done.plan is None:
        return _DONE
    parts = [f"“{redemption.reward_name}” is reversed: {show(done.plan.returns, '', store)} are back."]
    if done.plan.takes:
        parts.append(f"{show(done.plan.taken, redemption.currency, store)} of credits were taken back.")
    if redemption.platform:
        parts.append("The code is being deleted on the shop platform.")
    if done.notice:
        parts.append(f"The message to {done.notice.to_email} is on its way.")
    return " ".join(parts)
