"""The list of redemptions, the page of one, and what staff do there (R2-R5)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.base import BackOfficeAdmin, StoreModelAdmin, StoreView, store_view
from loyalty.backoffice.links import cell_link, customer_address
from loyalty.backoffice.lists.filters import DayField, FilterForm, FormFilter
from loyalty.backoffice.outcome_messages import telling_outcome
from loyalty.core.clock import read_clock
from loyalty.core.days import end_of_day
from loyalty.journal.models import JournalEntry
from loyalty.languages.own_names import own_words, own_words_lazy
from loyalty.stores.active_store import acting, active_store, may
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import show_last_day, show_moment
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from loyalty.timeline.sentences import lines_of
from orders.admin.display import moment_by, order_link
from orders.admin.exports.redemptions import REDEMPTIONS
from orders.admin.redemptions.reverse_page import reverse_page
from orders.admin.redemptions.rows import facts, redemption_address, state_badges, worth_words
from orders.kinds import show
from orders.models import CodeUse, PlatformState, Redemption, RedemptionState, RequestState, ReversalRequest, Reward
from orders.services.codes.uses import flagged_uses
from orders.services.redemptions.requests import refuse_request, request_reversal
from orders.services.redemptions.reverse import can_be_reversed
from points.ledger import POINTS

_STATES = [
    ("", gettext_lazy("Any")),
    *RedemptionState.choices,
    ("deleting", gettext_lazy("Platform deletion pending")),
    ("refused", gettext_lazy("Platform refused")),
]
_ATTENTION = [
    ("", gettext_lazy("Any")),
    ("requested", gettext_lazy("Reversal requested")),
    ("used_late", gettext_lazy("Came again, or after its return")),
]


class RedemptionFilterForm(FilterForm):
    """The filters of the list of redemptions."""

    state = forms.ChoiceField(label=gettext_lazy("State"), choices=_STATES, required=False)
    attention = forms.ChoiceField(label=gettext_lazy("Waits for staff"), choices=_ATTENTION, required=False)
    reward: Any = forms.ModelChoiceField(label=gettext_lazy("Reward"), queryset=None, required=False)
    code = forms.CharField(label=gettext_lazy("Code"), required=False, max_length=40)
    redeemed_from = DayField(label=gettext_lazy("Redeemed from"), required=False)
    redeemed_to = DayField(label=gettext_lazy("Redeemed until"), required=False)

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, **kwargs)
        self.fields["reward"].queryset = Reward.objects.for_store(self.store)  # type: ignore[attr-defined]

    def narrow(self, rows: "QuerySet[Any]") -> "QuerySet[Any]":
        """The redemptions that fit every filter."""
        if state := self.chosen("state"):
            rows = rows.filter(_in_state(state))
        if attention := self.chosen("attention"):
            rows = rows.filter(_waiting(attention, self.store))
        if reward := self.chosen("reward"):
            rows = rows.filter(reward=reward)
        if code := self.chosen("code"):
            rows = rows.filter(code=code.strip().upper())
        if first := self.chosen("redeemed_from"):
            rows = rows.filter(created_at__gte=end_of_day(first - timedelta(days=1), self.store.tz))
        if last := self.chosen("redeemed_to"):
            rows = rows.filter(created_at__lt=end_of_day(last, self.store.tz))
        return rows


class RedemptionFilter(FormFilter):
    """*Additional filters* of the list of redemptions."""

    form_class = RedemptionFilterForm


def _in_state(state: str) -> Q:
    if state == "deleting":
        return Q(ended_at__isnull=False, platform_state=PlatformState.PENDING)
    return Q(platform_state=PlatformState.FAILED) if state == "refused" else Q(state=state)


def _waiting(attention: str, store: Store) -> Q:
    if attention == "used_late":
        return Q(Exists(flagged_uses(store).filter(redemption=OuterRef("pk"))))
    requests = ReversalRequest.objects.for_store(store).filter(redemption=OuterRef("pk"), state=RequestState.OPEN)
    return Q(Exists(requests))


@store_view(needs=Can.REDEEM, methods=("POST",))
def request_page(admin: BackOfficeAdmin, request: HttpRequest, redemption: Redemption) -> HttpResponse:
    """``admin:orders_redemption_request``: record that the customer asks for a reversal (R5)."""
    return _carry_out(request_reversal, request, redemption, _("The request is recorded. It waits for an answer."))


@store_view(needs=Can.REDEEM, methods=("POST",))
def refuse_page(admin: BackOfficeAdmin, request: HttpRequest, redemption: Redemption) -> HttpResponse:
    """``admin:orders_redemption_refuse``: refuse the open request, with a reason (R5)."""
    return _carry_out(refuse_request, request, redemption, _("The request is refused."))


def _carry_out(verb: Callable[..., object], request: HttpRequest, redemption: Redemption, done: str) -> HttpResponse:
    with telling_outcome(request, done):
        verb(
            store=active_store(request),
            redemption_id=redemption.pk,
            reason=request.POST.get("reason", "")[:200],
            actor=acting(request),
            now=read_clock(),
        )
    return HttpResponseRedirect(redemption_address(redemption))


@admin.register(Redemption)
class RedemptionAdmin(StoreModelAdmin):
    """The list of redemptions, newest first, and the page of one."""

    related = ("customer", "store", "reversal_remark")
    list_display = ("name", "of_customer", "reward_shown", "points_shown", "redeemed", "until", "state_shown")
    list_display_links = ("name",)
    list_filter = (RedemptionFilter,)
    exports = (REDEMPTIONS,)
    ordering = ("-id",)
    empty_title = gettext_noop("No redemptions yet")
    empty_hint = gettext_noop("Open a customer and choose Redeem, or let the web shop do it through the REST API.")
    store_views: ClassVar[tuple[StoreView, ...]] = (
        StoreView("<path:object_id>/reverse/", "reverse", reverse_page),
        StoreView("<path:object_id>/request-reversal/", "request", request_page),
        StoreView("<path:object_id>/refuse-reversal/", "refuse", refuse_page),
    )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One redemption: what is known, the lots it drew on, requests, and what happened."""
        row: Redemption = self.row_or_404(request, object_id)
        store, now = active_store(request), read_clock()
        names = actor_names({row.actor, row.reversed_by} - {""})
        context = {
            **self.admin_site.each_context(request),
            "title": str(row),
            "opts": self.opts,
            "original": row,
            "redemption": row,
            "facts": facts(row, store, names, now),
            "lots": _lots(row, store),
            "requests": _requests(row, store),
            "late": _late_uses(row, store),
            "entries": _timeline(row, store),
            "may_redeem": may(request, Can.REDEEM),
            "reversible": can_be_reversed(row),
        }
        return TemplateResponse(request, "orders/admin/redemptions/redemption.html", context)

    @admin.display(description=gettext_lazy("Code"))
    def name(self, row: Redemption) -> str:
        return row.code or own_words("Store credits")

    @admin.display(description=gettext_lazy("Customer"))
    def of_customer(self, row: Redemption) -> SafeString:
        return cell_link(f"{customer_address(row.customer_id)}?tab=redemptions", row.customer)

    @admin.display(description=gettext_lazy("Reward"))
    def reward_shown(self, row: Redemption) -> str:
        return f"{row.reward_name} ({worth_words(row, row.store)})"

    @admin.display(description=own_words_lazy("Points"))
    def points_shown(self, row: Redemption) -> str:
        return show(row.points, "", row.store)

    @admin.display(description=gettext_lazy("Redeemed"))
    def redeemed(self, row: Redemption) -> str:
        return show_moment(row.created_at, row.store)

    @admin.display(description=gettext_lazy("Valid until"))
    def until(self, row: Redemption) -> str:
        return show_last_day(row.expires_at, row.store)

    @admin.display(description=gettext_lazy("State"))
    def state_shown(self, row: Redemption) -> SafeString:
        return state_badges(row, read_clock())


def _lots(row: Redemption, store: Store) -> list[dict[str, str]]:
    return [
        {
            "lot": f"#{lot.lot_id}",
            "amount": show(lot.amount, "", store),
            "returned": show(lot.returned, "", store),
            "until": show_last_day(lot.expires_at, store),
        }
        for lot in POINTS.redeemed_lots(row.pk)
    ]


def _requests(row: Redemption, store: Store) -> list[dict[str, Any]]:
    rows = ReversalRequest.objects.for_store(store).filter(redemption=row).select_related("remark", "answer")
    requests: list[ReversalRequest] = list(rows.order_by("-id"))
    names = actor_names({one.actor for one in requests} | {one.answered_by for one in requests} - {""})
    return [
        {
            "open": one.state == RequestState.OPEN,
            "state": one.get_state_display(),
            "reason": one.remark.reason,
            "when": moment_by(one.created_at, names[one.actor], store),
            "answer": one.answer.reason if one.answer else "",
            "answered": moment_by(one.answered_at, names.get(one.answered_by, ""), store),
        }
        for one in requests
    ]


def _late_uses(row: Redemption, store: Store) -> list[dict[str, Any]]:
    uses: QuerySet[CodeUse] = flagged_uses(store).filter(redemption=row).select_related("order")
    return [{"order": order_link(use.order), "what": use.get_outcome_display()} for use in uses]


def _timeline(row: Redemption, store: Store) -> list[Any]:
    entries = JournalEntry.objects.for_store(store).filter(redemption=row).select_related("remark").order_by("-id")
    return lines_of(list(entries[:100]), store)
