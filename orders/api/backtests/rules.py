"""Trying spent-revert rules on the past over REST."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.answers.documents import JSON, Document
from loyalty.api.resources.settings import SpentRevertBody
from loyalty.api.values import Body, DayField, IdField, InstantField, WholeNumberField
from loyalty.api.views import ApiView
from loyalty.core.errors import Invalid
from loyalty.store_settings.save import merged
from loyalty.store_settings.sections import SpentRevertSettings, current_settings, settings_from_json, settings_to_json
from loyalty.stores.keys import Scope
from loyalty.stores.models import Store
from orders.api.backtests.cancels import (
    CreditSumsDocument,
    PointSumsDocument,
    TallyDocument,
    credit_sums,
    point_sums,
    tallies_json,
)
from orders.api.orders.documents import MatchedDocument
from orders.api.reverts.documents import WarningDocument
from orders.kinds import KINDS
from orders.services.automation.count_matches import overlap
from orders.services.backtests.rules import RulesLine, rules_backtest
from orders.services.backtests.tally import MOST_DAYS, Backtest, Sums

_DAYS: Final = 90


class RulesBody(SpentRevertBody):
    """The rules to be tried, and how far to look back; what is left out is as it is saved.

    ``enabled`` makes no difference.
    """

    days = WholeNumberField(least=1, most=MOST_DAYS)


class RulesInPlaceBody(Body):
    """The same, with the rules where the settings have them."""

    null_is_default = True
    days = WholeNumberField(least=1, most=MOST_DAYS)
    spent_revert = SpentRevertBody(allow_null=True)


_EITHER: Final = PolymorphicProxySerializer(
    component_name="RulesBacktestBody",
    serializers=[RulesBody, RulesInPlaceBody],
    resource_type_field_name=None,
)


class ByRuleDocument(Document):
    """The same, by what triggered."""

    rule_status = TallyDocument()
    rule_tag = TallyDocument()


class RulesTotalsDocument(TallyDocument):
    """All of them, and by what triggered."""

    by_trigger = ByRuleDocument()


class RulesDayDocument(RulesTotalsDocument):
    """One local day."""

    date = DayField()


class RulesOrderDocument(Document):
    """One order that the rules would have dealt with, and when."""

    id = IdField(source="order.id")
    number = serializers.CharField(source="order.number")
    at = InstantField(source="strike.at")
    trigger = serializers.ChoiceField(choices=["rule_status", "rule_tag"], source="strike.trigger")
    matched = serializers.DictField(child=MatchedDocument())
    credits = CreditSumsDocument()
    points = PointSumsDocument()


class RulesBacktestDocument(Document):
    """What would have happened: every day, oldest first, and the newest orders of those days."""

    spent_revert = SpentRevertBody()
    totals = RulesTotalsDocument()
    days = RulesDayDocument(many=True)
    orders = RulesOrderDocument(many=True)
    more_orders = serializers.BooleanField()
    warnings = WarningDocument(many=True)


class RulesBacktestView(ApiView):
    """What spent-revert rules would have returned."""

    required_scopes: ClassVar = {"POST": Scope.SETTINGS_READ}

    @extend_schema(request=_EITHER, responses=RulesBacktestDocument)
    def post(self, request: Request) -> Response:
        """Try spent-revert rules on the past: on the last `days` local days (90), today included; writes nothing.

        An order counts once: when everything would have returned, else at its last partial refund.
        """
        days, tried = self._asked(request.data)
        result = rules_backtest(store=self.store, rules=tried, days=days, now=self.now)
        return Response(rules_backtest_json(result, tried, self.store))

    def _asked(self, body: Any) -> tuple[int, SpentRevertSettings]:
        if not isinstance(body, Mapping):
            raise Invalid.at("", _("The body is an object with the rules to be tried."))
        nested = "spent_revert" in body
        patch = body["spent_revert"] if nested else {name: value for name, value in body.items() if name != "days"}
        saved = {"spent_revert": settings_to_json(current_settings(self.store))["spent_revert"]}
        others = {name: value for name, value in body.items() if (nested or name == "days") and value is not None}
        # Merged before it is checked, as a change of the settings is: null brings a default back.
        asked = RulesInPlaceBody(data={"spent_revert": None, **others, **merged(saved, {"spent_revert": patch})})
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        tried = settings_from_json({"spent_revert": values.get("spent_revert", {})}, version=0)
        return values.get("days", _DAYS), tried.spent_revert


def rules_backtest_json(result: Backtest, tried: SpentRevertSettings, store: Store) -> JSON:
    """The answer; amounts of a kind that was not used are zero, in the store's currency."""
    return RulesBacktestDocument.of(
        spent_revert=asdict(tried),
        **tallies_json(result, store, RulesTotalsDocument),
        orders=[_order(line) for line in result.lines if isinstance(line, RulesLine)],
        more_orders=result.more,
        warnings=[WarningDocument.of(code="tag_in_both", detail=_(_IN_BOTH) % {"tag": tag}) for tag in overlap(tried)],
    )


_IN_BOTH: Final = gettext_noop(
    "“%(tag)s” is a trigger tag and a skip tag: an order with it is never returned automatically."
)


def _order(line: RulesLine) -> JSON:
    sums = {kind: line.sums.get(kind, Sums()) for kind in KINDS}
    return RulesOrderDocument.of(
        line,
        matched={kind: asdict(line.matched[kind]) for kind in KINDS},
        credits=credit_sums(sums["credits"], line.order.currency),
        points=point_sums(sums["points"]),
    )
