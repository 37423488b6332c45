"""A customer's balance of both kinds over REST."""

from collections.abc import Mapping
from typing import ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.answers.documents import JSON, Document
from loyalty.api.requests.filters import instant_parameter
from loyalty.api.values import AmountTextField, DayField, PointsField
from loyalty.api.views import ApiView
from loyalty.core.days import last_day_of_use
from loyalty.core.values import day_or_none, value_json
from loyalty.ledger.balances import NOTHING, Balance, balances, balances_at
from loyalty.ledger.ledger import Kind
from loyalty.ledger.registry import ledger_of
from loyalty.stores.keys import Scope

AS_OF = OpenApiParameter(
    "as_of", {"type": "string", "format": "date-time"}, description="The balance at this instant instead of now."
)


class CreditsExpiringDocument(Document):
    """The store credit that expires next."""

    amount = AmountTextField()
    expires_on = DayField()


class PointsExpiringDocument(Document):
    """The points that expire next."""

    amount = PointsField()
    expires_on = DayField()


class CreditsBalanceDocument(Document):
    """Store credit in one currency."""

    currency = serializers.CharField()
    available = AmountTextField()
    expiring_next = CreditsExpiringDocument(allow_null=True)


class PointsBalanceDocument(Document):
    """Points."""

    available = PointsField()
    expiring_next = PointsExpiringDocument(allow_null=True)


class BalanceDocument(Document):
    """What the customer can use. The store's currency is always there, others when there is something in them."""

    credits = CreditsBalanceDocument(many=True)
    points = PointsBalanceDocument()


class BalanceView(ApiView):
    """What a customer can use."""

    required_scopes: ClassVar = {"GET": Scope.LEDGER_READ}
    query_parameters = frozenset({"as_of"})

    @extend_schema(parameters=[AS_OF], responses=BalanceDocument)
    def get(self, _request: Request, customer_id: str) -> Response:
        """A customer's balances: what can be used of either kind, and what of it expires next."""
        customer = self.customer(customer_id)
        instant = instant_parameter(self.request, "as_of", now=self.now)
        by_kind: dict[Kind, Mapping[str, Balance]] = {}
        for kind in ("credits", "points"):
            ledger = ledger_of(kind)
            by_kind[kind] = (
                balances(ledger, customer, now=self.now)
                if instant is None
                else balances_at(ledger, customer, instant=instant)
            )
        own = self.store.currency
        credit = sorted({own: NOTHING, **by_kind["credits"]}.items(), key=lambda item: (item[0] != own, item[0]))
        answer = BalanceDocument.of(
            credits=[CreditsBalanceDocument.of(**self._balance(item, name), currency=name) for name, item in credit],
            points=PointsBalanceDocument.of(**self._balance(by_kind["points"].get("", NOTHING), "")),
        )
        return Response(answer)

    def _balance(self, balance: Balance, currency: str) -> JSON:
        last_day = last_day_of_use(balance.next_expires_at, self.store.tz)
        expiring = {"amount": value_json(balance.next_amount, currency), "expires_on": day_or_none(last_day)}
        return {
            "available": value_json(balance.available, currency),
            "expiring_next": None if last_day is None else expiring,
        }
