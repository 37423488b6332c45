"""Store credits over REST: the ledger's views with money and a currency."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from credits.ledger import CREDITS
from loyalty.api.idempotency import command
from loyalty.api.resources.ledger_documents import (
    CreditLotDocument,
    CreditMovementDocument,
    StoreCreditLotDocument,
    given_or_removed,
)
from loyalty.api.resources.ledgers import (
    AdjustmentBody,
    AdjustView,
    LotsView,
    MovementsView,
    StoreLotsView,
)
from loyalty.api.values import AmountField, CurrencyField
from loyalty.core.values import check_amount
from loyalty.ledger.planner import Amount
from loyalty.stores.keys import Scope


class CreditAdjustmentBody(AdjustmentBody):
    """Store credit to be given (positive) or removed (negative). Without ``expires_on`` it never expires."""

    amount = AmountField(allow_zero=False, allow_negative=True)
    currency = CurrencyField(required=False)


@extend_schema_view(
    get=extend_schema(summary="A customer's store credit, lot by lot", responses=CreditLotDocument(many=True))
)
class CreditLotsView(LotsView):
    """A customer's store credit, lot by lot."""

    ledger = CREDITS


@extend_schema_view(
    get=extend_schema(
        summary="The store credit of all customers, lot by lot", responses=StoreCreditLotDocument(many=True)
    )
)
class StoreCreditLotsView(StoreLotsView):
    """The store credit of all customers, lot by lot."""

    ledger = CREDITS


@extend_schema_view(
    get=extend_schema(summary="What happened to a customer's store credit", responses=CreditMovementDocument(many=True))
)
class CreditMovementsView(MovementsView):
    """A customer's store-credit history."""

    ledger = CREDITS


class AdjustCreditsView(AdjustView):
    """Gives store credit by hand, or removes it."""

    required_scopes: ClassVar = {"POST": Scope.CREDITS_WRITE}
    ledger = CREDITS
    body = CreditAdjustmentBody

    @command(body=CreditAdjustmentBody, answer={201: given_or_removed(CreditLotDocument, CreditMovementDocument)})
    def post(self, _request: Request, customer_id: str) -> Response:
        """Give store credit (answers the lot) or, with a negative amount, remove it (the movements)."""
        return self.adjust(customer_id)

    def amount_of(self, values: dict[str, Any]) -> tuple[Amount, str]:
        """The amount in its currency, the store's unless the body names one."""
        currency: str = values.get("currency", self.store.currency)
        return check_amount(values["amount"], currency, "/amount"), currency
