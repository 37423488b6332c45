"""What was given back, by whom and why: read-only."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.badges import DASH, badge
from loyalty.backoffice.base import StoreModelAdmin
from loyalty.backoffice.links import cell_link, order_address
from loyalty.backoffice.lists.filters import DayField, FilterForm, FormFilter
from loyalty.core.clock import read_clock
from loyalty.core.days import end_of_day
from loyalty.languages.own_names import own_words_lazy
from loyalty.stores.active_store import active_store, may
from loyalty.stores.actors import Trigger, actor_names
from loyalty.stores.dates import show_moment
from loyalty.stores.models import SettingsVersion, Store
from loyalty.stores.roles import Can
from loyalty.timeline.words import trigger_words
from orders.admin.display import kind_words, reason_words, revert_amount
from orders.admin.exports.reverts import REVERTS
from orders.admin.reverts.undo_page import undo_address
from orders.models import Completeness, Revert, RevertUndo, light
from orders.services.reverts.undo import WhyNot, undo_plans, undos_of

_OUTCOMES = {
    "returned": gettext_lazy("returned to its lot"),
    "extended": gettext_lazy("returned under a new expiry"),
    "expired": gettext_lazy("not returned: expired"),
    "blocked": gettext_lazy("not returned: another part has expired"),
}


def _triggers() -> list[tuple[str, str]]:
    return [("", _("Any")), *((item.value, trigger_words(item)) for item in Trigger)]


class RevertFilterForm(FilterForm):
    """The filters of the list of reverts."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What"),
        choices=[
            ("", gettext_lazy("Any")),
            ("credits", own_words_lazy("Store credits")),
            ("points", own_words_lazy("Member points")),
        ],
        required=False,
    )
    completeness = forms.ChoiceField(
        label=gettext_lazy("How much"), choices=[("", gettext_lazy("Any")), *Completeness.choices], required=False
    )
    trigger = forms.ChoiceField(
        label=gettext_lazy("Cause"),
        choices=_triggers,
        required=False,
    )

    created_from = DayField(label=gettext_lazy("Returned from"), required=False)
    created_to = DayField(label=gettext_lazy("Returned until"), required=False)
    undone = forms.ChoiceField(
        label=gettext_lazy("Undone"),
        choices=[("", gettext_lazy("Any")), ("yes", gettext_lazy("Undone")), ("no", gettext_lazy("Not undone"))],
        required=False,
    )

    def narrow(self, rows: "QuerySet[Any]") -> "QuerySet[Any]":
        """The reverts that fit."""
        chosen = {name: value for name in self.fields if (value := self.chosen(name))}
        undone = chosen.pop("undone", None)
        since, until = chosen.pop("created_from", None), chosen.pop("created_to", None)
        if since:
            rows = rows.filter(created_at__gte=end_of_day(since - timedelta(days=1), self.store.tz))
        if until:
            rows = rows.filter(created_at__lt=end_of_day(until, self.store.tz))
        rows = rows.filter(**chosen)
        return rows.filter(was_undone=undone == "yes") if undone else rows


class RevertFilter(FormFilter):
    """*Additional filters* of the list of reverts."""

    form_class = RevertFilterForm


@admin.register(Revert)
class RevertAdmin(StoreModelAdmin):
    """The list of reverts, newest first."""

    related = ("order", "remark", "store")
    list_display = ("when", "of_order", "what", "returned", "of", "undone", "caused", "why")
    list_display_links = ("when",)
    list_filter = (RevertFilter,)
    exports = (REVERTS,)
    ordering = ("-id",)
    empty_title = gettext_noop("Nothing was returned yet")
    empty_hint = gettext_noop("Cancel an order that used credits or points, and return them there.")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Revert]":
        rows: QuerySet[Revert] = super().get_queryset(request)
        undone = Exists(RevertUndo.unscoped.filter(revert=OuterRef("pk")))
        return light(rows.annotate(was_undone=undone), "order")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One revert with the outcome of each lot."""
        row: Revert = self.row_or_404(request, object_id)
        store = active_store(request)
        facts = [
            (_("Order"), _order_link(row)),
            (_("What"), kind_words(row)),
            (
                _("Returned"),
                _("%(amount)s of %(total)s")
                % {
                    "amount": revert_amount(row, row.amount, store),
                    "total": revert_amount(row, row.applied, store),
                },
            ),
            (_("When"), show_moment(row.created_at, store)),
            (_("By"), actor_names([row.actor])[row.actor]),
            (_("Cause"), trigger_words(row.trigger)),
            (_("Reason"), reason_words(row.remark.reason, row.remark.note) if row.remark else DASH),
            (_("Settings version"), _version_link(row)),
            *_undone_facts(row, store),
        ]
        lots = [lot | {"words": _OUTCOMES.get(lot.get("outcome", ""), lot.get("outcome", ""))} for lot in row.lots]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Return on order %(order)s") % {"order": row.order},
            "opts": self.opts,
            "original": row,
            "facts": facts,
            "lots": lots,
            **_undoing(request, row, store),
        }
        return TemplateResponse(request, "orders/admin/reverts/revert.html", context)

    @admin.display(description=gettext_lazy("When"))
    def when(self, row: Revert) -> str:
        return show_moment(row.created_at, row.store)

    @admin.display(description=gettext_lazy("Order"))
    def of_order(self, row: Revert) -> SafeString:
        return _order_link(row)

    @admin.display(description=gettext_lazy("What"))
    def what(self, row: Revert) -> str:
        return kind_words(row)

    @admin.display(description=gettext_lazy("Returned"))
    def returned(self, row: Revert) -> str:
        return revert_amount(row, row.amount, row.store)

    @admin.display(description=gettext_lazy("Of"))
    def of(self, row: Revert) -> str:
        return revert_amount(row, row.applied, row.store)

    @admin.display(description=gettext_lazy("Undone"))
    def undone(self, row: Any) -> SafeString | str:
        return badge(_("undone")) if row.was_undone else DASH

    @admin.display(description=gettext_lazy("Cause"))
    def caused(self, row: Revert) -> str:
        return trigger_words(row.trigger).capitalize()

    @admin.display(description=gettext_lazy("Reason"))
    def why(self, row: Revert) -> str:
        return reason_words(row.remark.reason, row.remark.note) if row.remark else DASH


def _undone_facts(row: Revert, store: Store) -> list[tuple[str, str]]:
    undo = undos_of([row]).get(row.pk)
    if undo is None:
        return []
    who = actor_names([undo.actor])[undo.actor]
    words = _("%(moment)s, %(cause)s (%(name)s)") % {
        "moment": show_moment(undo.created_at, store),
        "cause": trigger_words(undo.trigger),
        "name": who,
    }
    facts = [(_("Undone"), words)]
    return facts + ([(_("Undone because"), undo.remark.reason)] if undo.remark else [])


def _undoing(request: HttpRequest, row: Revert, store: Store) -> dict[str, str]:
    """Where this return is undone, or why it cannot be; nothing for who may not."""
    if not may(request, Can.UNDO_REVERTS):
        return {}
    plan = undo_plans([row], store=store, now=read_clock())[0]
    if plan.refusal is None:
        return {"undo_address": undo_address(row.order_id, [row])}
    return {} if plan.refusal.reason is WhyNot.UNDONE else {"no_undo": plan.refusal.detail}


def _order_link(row: Revert) -> SafeString:
    return cell_link(order_address(row.order_id), row.order.number)


def _version_link(row: Revert) -> str:
    """The settings that governed the revert (H4); one query."""
    if not row.settings_version:
        return _("What every store begins with: nothing had been changed yet")
    version = SettingsVersion.objects.for_store(row.store).get(version=row.settings_version)
    address = reverse("admin:stores_settingsversion_change", args=[version.pk])
    return cell_link(address, _("Version %(version)s") % {"version": version.version})
