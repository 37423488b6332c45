"""The form that reverses a redemption: full page and, as the same form, content of a dialog (R3, R4)."""

from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final, Self

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.confirm import Case
from loyalty.core.clock import read_clock
from loyalty.core.errors import Busy, Invalid
from loyalty.core.phrases import sentences
from loyalty.languages.own_names import own_words
from loyalty.notices.voice import Voice
from loyalty.store_settings.sections import StoreSettings, current_settings
from loyalty.stores.active_store import may
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.admin.redemptions.reverse_form import ReversalForm
from orders.admin.redemptions.reverse_rows import reversal_warnings, shown_reversal
from orders.admin.redemptions.rows import redemption_address
from orders.admin.reverts.plan_page import FACTS_CHANGED, go_on_to, show_plan
from orders.admin.reverts.plan_rows import Seen
from orders.kinds import show
from orders.models import Redemption
from orders.services.codes.on_platform import Asked, whether_used
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

_USED_NOW: Final = gettext_noop("The code has been used meanwhile. Nothing was done.")
_DONE: Final = gettext_noop("This redemption was reversed already. Nothing was changed this time.")
_NO_FORCE: Final = gettext_noop("The code has already been used. Tick the box to reverse it all the same, and say why.")


@dataclass(frozen=True)
class _Case(Case[Redemption]):
    """One redemption's form in one request, and what its platform said when it was asked."""

    asked: Asked = Asked.NOT_ASKED

    @cached_property
    def settings(self) -> StoreSettings:
        """The store's settings."""
        return current_settings(self.store)

    def again(self, **changes: Any) -> Self:
        """The same with the redemption as it is now, which asking the platform may have changed."""
        fresh = super().again(**changes)
        fresh.row.store = fresh.store
        return fresh

    @property
    def may_force(self) -> bool:
        """Whether this person may reverse a used code."""
        return may(self.request, Can.FORCE_REVERSALS)

    def form(self) -> ReversalForm:
        """The fields, filled with what was sent."""
        bare = preview_reversal(
            self.row, CancelChoice({"points": True}), store=self.store, settings=self.settings, now=self.now
        )
        data = self.request.POST if self.request.method == "POST" else None
        return ReversalForm(
            data,
            lots=part_of(bare.plan.used, bare.plan.share),
            used=needs_force(self.row) and self.may_force,
            store=self.store,
            settings=self.settings,
            now=self.now,
        )


@store_view(needs=Can.REDEEM)
def reverse_page(admin: BackOfficeAdmin, request: HttpRequest, redemption: Redemption) -> HttpResponse:
    """``admin:orders_redemption_reverse``: the form; on *Preview* again with the result; confirmed, do it.

    A worker asks the platform whether the code was used when the form is opened and again when it is confirmed; no
    transaction is open meanwhile.
    """
    previews = request.method == "POST" and "_confirm" not in request.POST
    try:
        asked = _asked_before(request) if previews else whether_used(redemption, now=read_clock())
    except Busy as error:
        return _busy(_Case(admin, request, redemption, asked=Asked.UNREACHABLE).again(), error)
    case = _Case(admin, request, redemption, asked=asked).again()
    form = case.form()
    if form.is_valid() and "_confirm" in request.POST:
        return _confirm(case, form)
    return _show(case, form, status=HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK)


def _busy(case: _Case, error: Busy) -> HttpResponse:
    """The form all the same, to look at; what was confirmed has to be confirmed again."""
    if case.request.method == "GET":
        return _show(case, case.form())
    return _show(case, case.form(), said=error.detail, status=HTTPStatus.SERVICE_UNAVAILABLE)


def _asked_before(request: HttpRequest) -> Asked:
    sent = request.POST.get("asked", "")
    return Asked(sent) if sent in set(Asked) else Asked.NOT_ASKED


def _confirm(case: _Case, form: ReversalForm) -> HttpResponse:
    seen = Seen.read(case.request.POST.get("seen", ""))
    ask = form.ask()
    try:
        done = reverse_redemption(
            store=case.store,
            redemption_id=case.row.pk,
            ask=ask,
            token=case.request.POST.get("token", ""),
            asked=case.asked,
            act=Act(case.actor, Trigger.ADMIN, case.now),
        )
    except ReversalStale:
        return _again(case, _(FACTS_CHANGED), seen)
    except NothingLeft as error:
        return _again(case, error.detail, seen)
    except CodeUsed:
        return _again(case, _(_NO_FORCE if case.may_force else _USED_NOW), seen)
    except Invalid as error:
        for item in error.errors:
            form.add_error("reason" if item.pointer == "/reason" else None, item.detail)
        return _show(case, form, seen=seen, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    messages.success(case.request, _words(done, case.store))
    return go_on_to(case.request, redemption_address(case.row))


def _again(case: _Case, said: str, seen: Seen | None) -> HttpResponse:
    fresh = case.again()
    return _show(fresh, fresh.form(), seen=seen, said=said, status=HTTPStatus.CONFLICT)


def _show(
    case: _Case,
    form: ReversalForm,
    *,
    seen: Seen | None = None,
    said: str = "",
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    if not form.is_bound or not hasattr(form, "cleaned_data"):
        form.full_clean()
    shown = preview_reversal(case.row, form.choice(), store=case.store, settings=case.settings, now=case.now)
    voice = Voice(case.store, case.settings)
    page = shown_reversal(form, shown, may_force=case.may_force, voice=voice, seen=seen, now=case.now)
    context: dict[str, Any] = {
        "form": form,
        "said": said,
        "asked": case.asked.value,
        "max_days": case.settings.extend.max_days,
        "warnings": reversal_warnings(shown.plan, case.asked, case.store),
        "action": reverse("admin:orders_redemption_reverse", args=[case.row.pk]),
        "back": redemption_address(case.row),
    }
    return show_plan(case, "orders/admin/redemptions/reverse_form.html", page, context, status)


def _words(done: Reversed, store: Store) -> str:
    """The message with the amounts, on the redemption's page."""
    redemption = done.redemption
    if done.plan is None:
        return _(_DONE)
    parts = [
        _("“%(reward)s” is reversed: %(points)s are back.")
        % {"reward": redemption.reward_name, "points": show(done.plan.returns, "", store)}
    ]
    if done.plan.takes:
        parts.append(
            own_words(
                "%(amount)s of credits were taken back.", amount=show(done.plan.taken, redemption.currency, store)
            )
        )
    if redemption.platform:
        parts.append(_("The code is being deleted on the shop platform."))
    if done.notice:
        parts.append(_("The message to %(email)s is on its way.") % {"email": done.notice.to_email})
    return sentences(parts)
