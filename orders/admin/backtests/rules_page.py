"""Trying spent-revert rules on the past before they are switched on: the page; it only reads."""

from dataclasses import replace
from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.settings.cards import number_field
from loyalty.core.clock import read_clock
from loyalty.languages.own_names import own_words_lazy
from loyalty.ledger.planner import ExpiredRule
from loyalty.store_settings.sections import SpentRevertSettings, StoreSettings, current_settings
from loyalty.stores.active_store import active_store
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from loyalty.timeline.words import value_words
from orders.admin.backtests.page import TrialForm, trial_page
from orders.admin.backtests.rows import RETURNING, LineRow, line_rows
from orders.admin.settings.spent_revert import KINDS, STATUSES
from orders.admin.settings.tags_field import TagsField
from orders.kinds import title_of
from orders.services.automation.count_matches import overlap
from orders.services.backtests.rules import RulesLine, rules_backtest
from orders.services.backtests.tally import Backtest
from orders.services.rules.trace import Matched, MatchedBy

_LOTS: Final = (
    ("valid_only", gettext_lazy("Return what is still valid")),
    ("all_or_nothing", gettext_lazy("Return nothing of a kind when any part of it has expired")),
)


class RulesForm(TrialForm):
    """The rules to try."""

    statuses = forms.MultipleChoiceField(
        label=gettext_lazy("Statuses that return what was used"),
        choices=[(option.value, own_words_lazy(option.label)) for option in STATUSES],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    tags = TagsField(gettext_noop("Tags that return what was used"))
    skip_tags = TagsField(gettext_noop("Tags that keep an order from automatic returns"))
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("What returns"),
        choices=[(option.value, own_words_lazy(option.label)) for option in KINDS],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    expired_lots = forms.ChoiceField(label=gettext_lazy("When part of what was used has expired"), choices=_LOTS)
    delay_minutes = number_field(("spent_revert", "delay_minutes"), label=gettext_noop("Minutes to wait"))

    def tried(self) -> SpentRevertSettings:
        """The rules that are to be tried."""
        said = self.cleaned_data
        return SpentRevertSettings(
            enabled=True,
            statuses=tuple(said["statuses"]),
            tags=said["tags"],
            skip_tags=said["skip_tags"],
            kinds=tuple(said["kinds"]),
            delay_minutes=said["delay_minutes"],
        )


@store_view(needs=Can.CHANGE_SETTINGS, methods=("GET",))
def rules_backtest_page(admin: BackOfficeAdmin, request: HttpRequest, _order: None) -> HttpResponse:
    """``admin:orders_order_rules_backtest``: what the rules in the form would have returned on past orders."""
    store, now = active_store(request), read_clock()

    def try_out(form: RulesForm, first: int) -> Backtest:
        said = form.cleaned_data
        expired_lots = ExpiredRule(said["expired_lots"])
        days = said["days"]
        return rules_backtest(
            store=store, rules=form.tried(), days=days, now=now, expired_lots=expired_lots, first=first
        )

    return trial_page(
        admin,
        request,
        RulesForm,
        saved=_saved(current_settings(store)),
        try_out=try_out,
        words=RETURNING,
        template="orders/admin/backtests/rules.html",
        more=lambda form, result: _more(form.tried(), result, store),
    )


def _more(tried: SpentRevertSettings, result: Backtest, store: Store) -> dict[str, Any]:
    return {
        "lines": _rows(result, store),
        "in_both": overlap(tried),
        "nothing_on": not (tried.statuses or tried.tags) or not tried.kinds,
    }


def _saved(saved: StoreSettings) -> dict[str, Any]:
    rules = saved.spent_revert
    return {
        "statuses": list(rules.statuses),
        "tags": rules.tags,
        "skip_tags": rules.skip_tags,
        "kinds": list(rules.kinds),
        "expired_lots": saved.auto_cancel.expired_lots.rules,
        "delay_minutes": rules.delay_minutes,
    }


_WHY: Final = {
    MatchedBy.STATUS: gettext_lazy("Status %(value)s"),
    MatchedBy.TAG: gettext_lazy("Tag “%(value)s”"),
    MatchedBy.SKIP_TAG: gettext_lazy("Kept back by the tag “%(value)s”"),
    MatchedBy.PERSON: gettext_lazy("Somebody had decided before"),
    MatchedBy.SETTING: gettext_lazy("Left alone by the settings"),
}


def _rows(result: Backtest, store: Store) -> list[LineRow]:
    rows = zip(line_rows(result, store, RETURNING), result.lines, strict=True)
    return [replace(row, why=_why(line)) if isinstance(line, RulesLine) else row for row, line in rows]


def _why(line: RulesLine) -> str:
    """What decided about the kinds that were used, in words."""
    matched = {kind: line.matched[kind] for kind in line.sums}
    words = {kind: _WHY[one.by] % {"value": _value(one)} for kind, one in matched.items() if one.by}
    if len(set(words.values())) == 1:
        return next(iter(words.values()))
    return "; ".join(_("%(kind)s: %(why)s") % {"kind": title_of(kind), "why": why} for kind, why in words.items())


def _value(matched: Matched) -> str:
    """A status by its name, a tag as it is."""
    return value_words(matched.value) if matched.by is MatchedBy.STATUS else matched.value or ""
