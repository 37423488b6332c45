"""Trying automatic cancelling on the past over REST."""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.answers.documents import JSON, Document
from loyalty.api.resources.settings import AutoCancelBody
from loyalty.api.values import AmountTextField, Body, DayField, WholeNumberField
from loyalty.api.views import ApiView
from loyalty.core.errors import Invalid
from loyalty.core.values import value_json
from loyalty.store_settings.save import merged
from loyalty.store_settings.sections import AutoCancelSettings, current_settings, settings_from_json, settings_to_json
from loyalty.stores.keys import Scope
from loyalty.stores.models import Store
from orders.services.backtests.cancels import backtest
from orders.services.backtests.tally import MOST_DAYS, Backtest, ByTrigger, Sums, Tally

_DAYS = 90


class BacktestBody(Body):
    """How far to look back, and what to try; what is left out is as it is saved."""

    days = WholeNumberField(least=1, most=MOST_DAYS)
    auto_cancel = AutoCancelBody(required=False)


class ValueDocument(Document):
    """The totals of orders in one currency."""

    currency = serializers.CharField()
    amount = AmountTextField()


class CreditSumsDocument(Document):
    """What becomes of the credits that the orders used; ``left``: the rule only cancels, or a skip tag is there."""

    currency = serializers.CharField()
    returned = AmountTextField()
    not_returned = AmountTextField()
    expired = AmountTextField()
    blocked = AmountTextField()
    left = AmountTextField()


class PointSumsDocument(Document):
    """What becomes of the points that the orders used."""

    returned = serializers.IntegerField()
    not_returned = serializers.IntegerField()
    expired = serializers.IntegerField()
    blocked = serializers.IntegerField()
    left = serializers.IntegerField()


class TallyDocument(Document):
    """Orders that would have been cancelled."""

    orders = serializers.IntegerField()
    value = ValueDocument(many=True)
    credits = CreditSumsDocument(many=True)
    points = PointSumsDocument()


class ByTriggerDocument(Document):
    """The same, by why."""

    payment_expired = TallyDocument()
    payment_failed = TallyDocument()


class TotalsDocument(TallyDocument):
    """All of them, and by why."""

    by_trigger = ByTriggerDocument()


class BacktestDayDocument(TotalsDocument):
    """One local day."""

    date = DayField()


class BacktestDocument(Document):
    """What would have happened: every day, oldest first."""

    auto_cancel = AutoCancelBody()
    totals = TotalsDocument()
    days = BacktestDayDocument(many=True)


class BacktestView(ApiView):
    """What automatic cancelling would have done."""

    required_scopes: ClassVar = {"POST": Scope.SETTINGS_READ}

    @extend_schema(request=BacktestBody, responses=BacktestDocument)
    def post(self, request: Request) -> Response:
        """Try automatic cancelling on the past: on the last `days` local days (90), today included; writes nothing."""
        days, tried = self._asked(request.data)
        result = backtest(store=self.store, auto_cancel=tried, days=days, now=self.now)
        return Response(backtest_json(result, tried, self.store))

    def _asked(self, body: Any) -> tuple[int, AutoCancelSettings]:
        if not isinstance(body, Mapping):
            raise Invalid.at("", _("The body is an object with the days and the settings to be tried."))
        # Merged before it is checked, as a change of the settings is: null brings a default back, or is a value.
        saved = {"auto_cancel": settings_to_json(current_settings(self.store))["auto_cancel"]}
        patch = {name: value for name, value in body.items() if name in saved}
        asked = BacktestBody(data={**body, **merged(saved, patch)})
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        tried = settings_from_json({"auto_cancel": values.get("auto_cancel", {})}, version=0)
        return values.get("days", _DAYS), tried.auto_cancel


def backtest_json(result: Backtest, tried: AutoCancelSettings, store: Store) -> JSON:
    """The answer; amounts of a kind that was not used are zero, in the store's currency."""
    return BacktestDocument.of(auto_cancel=asdict(tried), **tallies_json(result, store, TotalsDocument))


def tallies_json(result: Backtest, store: Store, document: type[TallyDocument]) -> JSON:
    """Everything together and day by day, by triggers; amounts of a kind that was not used are zero."""
    days = [{"date": day.isoformat(), **_totals(tallies, store, document)} for day, tallies in result.days.items()]
    return {"totals": _totals(result.totals, store, document), "days": days}


def _totals(tallies: ByTrigger, store: Store, document: type[TallyDocument]) -> JSON:
    everything = Tally()
    for tally in tallies.values():
        everything.add(tally)
    by_trigger = {trigger.value: TallyDocument.of(**_tally(tally, store)) for trigger, tally in tallies.items()}
    return document.of(**_tally(everything, store), by_trigger=by_trigger)


def _tally(tally: Tally, store: Store) -> JSON:
    mine = {currency: sums for (kind, currency), sums in tally.kinds.items() if kind == "credits"}
    credit = sorted({store.currency: Sums(), **mine}.items())
    value = sorted({store.currency: Decimal(0), **tally.value}.items())
    return {
        "orders": tally.orders,
        "value": [ValueDocument.of(currency=name, amount=value_json(amount, name)) for name, amount in value],
        "credits": [credit_sums(sums, name) for name, sums in credit],
        "points": point_sums(tally.kinds.get(("points", ""), Sums())),
    }


def credit_sums(sums: Sums, currency: str) -> JSON:
    """What becomes of credits in one currency."""
    return CreditSumsDocument.of(currency=currency, **_amounts(sums, currency))


def point_sums(sums: Sums) -> JSON:
    """What becomes of points."""
    return PointSumsDocument.of(**_amounts(sums, ""))


def _amounts(sums: Sums, currency: str) -> JSON:
    names = ("returned", "not_returned", "expired", "blocked", "left")
    return {name: value_json(getattr(sums, name), currency) for name in names}
