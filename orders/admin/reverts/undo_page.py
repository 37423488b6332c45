"""The page that undoes what was returned on an order: what is taken from which lots, and the balance after it (M11)."""

from collections.abc import Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.confirm import Case
from loyalty.backoffice.forms import OnceForm
from loyalty.backoffice.links import order_address
from loyalty.core.errors import VersionConflict
from loyalty.core.phrases import sentences
from loyalty.stores.active_store import may
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.roles import Can
from orders.admin.display import CHANGED, DONE_BEFORE
from orders.admin.reverts.cancel_rows import amounts_words
from orders.admin.reverts.undo_rows import shown_undos
from orders.kinds import KINDS
from orders.models import Order, Revert
from orders.services.reverts.undo import UndoNotPossible, UndoPlan, UndoResult, undo_plans, undo_reverts, undos_of

_NOTHING_TICKED: Final = gettext_noop("Tick what is to be undone.")
# How many returns of one order the page shows; there are seldom more than two.
_AT_MOST: Final = 20


class UndoForm(OnceForm):
    """Which returns are undone, why, and which state of the order was shown."""

    revert = forms.MultipleChoiceField()
    reason = forms.CharField(label=gettext_lazy("Reason (optional)"), max_length=200, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, possible: Sequence[UndoPlan], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: Any = self.fields["revert"]
        choices.choices = [(str(plan.revert.pk), str(plan.revert.pk)) for plan in possible]


class _Case(Case[Order]):
    """One order's page in one request."""

    @cached_property
    def plans(self) -> Sequence[UndoPlan]:
        """Its returns that were not undone yet, newest first."""
        rows = Revert.objects.for_store(self.store).filter(order=self.row).select_related("remark", "store")
        reverts = list(rows.order_by("-id")[:_AT_MOST])
        undone = undos_of(reverts)
        left = [revert for revert in reverts if revert.pk not in undone]
        return undo_plans(left, store=self.store, now=self.now)

    @property
    def possible(self) -> list[UndoPlan]:
        """Those that can be undone."""
        return [plan for plan in self.plans if plan.refusal is None]


@store_view(needs=Can.UNDO_REVERTS)
def undo_page(admin: BackOfficeAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """``admin:orders_order_undo``: the order's returns, those of ``?revert=`` ticked; confirmed, undo them."""
    case = _Case(admin, request, order)
    if request.method != "POST":
        return _show(case)
    form = UndoForm(request.POST, possible=case.possible)
    if not form.is_valid():
        said = _(_NOTHING_TICKED) if "revert" not in request.POST else _(CHANGED)
        return _show(case, said=said, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        words = _carry_out(case, form)
    except VersionConflict:
        return _show(case.again(), said=_(CHANGED), status=HTTPStatus.CONFLICT)
    except UndoNotPossible as refused:
        return _show(
            case.again(),
            said=sentences([_("Nothing was done."), refused.detail]),
            status=HTTPStatus.CONFLICT,
        )
    messages.success(request, words)
    return HttpResponseRedirect(order_address(order.pk))


def undo_address(order_id: int, reverts: Sequence[Revert] = ()) -> str:
    """Where returns of an order are undone, with these ticked."""
    address = reverse("admin:orders_order_undo", args=[order_id])
    return f"{address}?{urlencode([('revert', revert.pk) for revert in reverts])}" if reverts else address


def undo_link(request: HttpRequest, reverts: Sequence[Revert]) -> SafeString | str:
    """*Undo* behind a message about what was just returned; nothing for who may not."""
    if not reverts or not may(request, Can.UNDO_REVERTS):
        return ""
    address = undo_address(reverts[0].order_id, reverts)
    return format_html(' <a href="{}" class="underline">{}</a>', address, _("Undo…"))


def _carry_out(case: _Case, form: UndoForm) -> str:
    """Undo what is ticked, once; answers what happened."""
    data = form.cleaned_data
    results = case.once(
        data["once"],
        lambda: undo_reverts(
            store=case.store,
            order_id=case.row.pk,
            revert_ids=[int(revert_id) for revert_id in data["revert"]],
            reason=data["reason"],
            version=data["version"],
            act=Act(case.actor, Trigger.ADMIN, case.now),
        ),
    )
    return _(DONE_BEFORE) if results is None else _message(results, case)


def _message(results: Sequence[UndoResult], case: _Case) -> str:
    order = results[-1].order
    taken: Any = {kind: sum(result.revert.amount for result in results if result.revert.kind == kind) for kind in KINDS}
    words = [
        _("%(amounts)s taken back from %(customer)s: the return is undone.")
        % {"amounts": amounts_words(taken, order, case.store), "customer": order.customer}
    ]
    if any(result.withdrawn for result in results):
        words.append(_("The message to the customer had not gone out and is withdrawn."))
    return sentences(words)


def _show(case: _Case, *, said: str = "", status: int = HTTPStatus.OK) -> HttpResponse:
    order = case.row
    context: dict[str, Any] = {
        "title": _("Undo a return on order %(number)s") % {"number": order.number},
        "order": order,
        "undos": shown_undos(case.plans, order, case.store, ticked=_ticked(case), now=case.now),
        "possible": len(case.possible),
        "form": UndoForm(possible=case.possible, initial={"version": order.version}),
        "reason": case.request.POST.get("reason", ""),
        "said": said,
        "back": order_address(order.pk),
    }
    return case.show("orders/admin/reverts/undo.html", context, status)


def _ticked(case: _Case) -> set[str]:
    """What was sent or asked for; without either, what the newest operation returned."""
    if case.request.method == "POST":
        return set(case.request.POST.getlist("revert"))
    if asked := case.request.GET.getlist("revert"):
        return set(asked)
    newest = case.plans[0].revert.created_at if case.plans else None
    return {str(plan.revert.pk) for plan in case.plans if plan.revert.created_at == newest}
