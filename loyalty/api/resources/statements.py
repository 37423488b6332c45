"""A customer's statement between two days over REST."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, cast

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.answers.documents import JSON, ActorDocument, Document, actor_json
from loyalty.api.answers.problems import Problem
from loyalty.api.requests.filters import day_parameter
from loyalty.api.values import AmountTextField, DayField, IdField, InstantField, PointsField
from loyalty.api.views import ApiView
from loyalty.core.days import last_day_of_use
from loyalty.core.locales import count_text
from loyalty.core.values import day_or_none, instant_or_none, value_json
from loyalty.ledger.ledger import Kind
from loyalty.ledger.models import MovementType
from loyalty.ledger.registry import ledger_of
from loyalty.ledger.statement import MOST_LINES, Account, Line, Period, TooManyLines, by_currency, statement
from loyalty.stores.actors import Actor, actor_names
from loyalty.stores.keys import Scope
from loyalty.stores.models import Customer

_DAY: Final = {"type": "string", "format": "date"}
FROM: Final = OpenApiParameter("from", _DAY, required=True, description="The first day, in the store's time zone.")
TO: Final = OpenApiParameter("to", _DAY, required=True, description="The last day, which belongs to the statement.")


class _CreditsMoved(Document):
    id = IdField(allow_null=True)
    type = serializers.ChoiceField(choices=MovementType.choices)
    amount = AmountTextField()
    balance_after = AmountTextField()


class _PointsMoved(Document):
    id = IdField(allow_null=True)
    type = serializers.ChoiceField(choices=MovementType.choices)
    amount = PointsField()
    balance_after = PointsField()


class _Line(Document):
    """What has lapsed counts at its expiry, and has no ``id`` and ``created_at`` until it is booked."""

    lot = IdField(source="lot.pk")
    order = IdField(allow_null=True)
    redemption = IdField(allow_null=True)
    revert = IdField(allow_null=True)
    actor = ActorDocument()
    reason = serializers.CharField(allow_blank=True)
    expires_on = DayField(allow_null=True)
    effective_at = InstantField()
    created_at = InstantField(allow_null=True)


class CreditStatementLineDocument(_CreditsMoved, _Line):
    """One movement of store credit, and what could be used after it."""


class PointStatementLineDocument(_PointsMoved, _Line):
    """One movement of points, and what could be used after it."""


class CreditStatementDocument(Document):
    """One currency: ``opening`` and the movements add up to ``closing``."""

    currency = serializers.CharField()
    opening = AmountTextField()
    movements = CreditStatementLineDocument(many=True)
    closing = AmountTextField()


class PointStatementDocument(Document):
    """Points: ``opening`` and the movements add up to ``closing``."""

    opening = PointsField()
    movements = PointStatementLineDocument(many=True)
    closing = PointsField()


# Written out, because ``from`` is a word of the language.
_STATEMENT: Final = {
    "__doc__": "What a customer had, what happened, and what was left. The store's currency is always there.",
    "customer": IdField(),
    "from": DayField(source="first"),
    "to": DayField(source="last"),
    "credits": CreditStatementDocument(many=True),
    "points": PointStatementDocument(),
}
StatementDocument = cast(type[Document], type("StatementDocument", (Document,), _STATEMENT))


class StatementView(ApiView):
    """What happened to a customer's balances between two days."""

    required_scopes: ClassVar = {"GET": Scope.LEDGER_READ}
    query_parameters = frozenset({"from", "to"})

    @extend_schema(parameters=[FROM, TO], responses=StatementDocument)
    def get(self, _request: Request, customer_id: str) -> Response:
        """A customer's statement: opening, movements oldest first, and closing of either kind, between two days.

        Opening is what could be used when the first day began, closing when the last day ended (as of its last
        instant); in a period that is not over, what can be used now. At most 5,000 movements of a kind.
        """
        customer = self.customer(customer_id)
        period = self._period()
        accounts = {kind: self._accounts(kind, customer, period) for kind in _KINDS}
        names = actor_names(_actor(kind, line) for kind in _KINDS for item in accounts[kind] for line in item.lines)
        credit = by_currency(accounts["credits"], always=self.store.currency)
        points = by_currency(accounts["points"], always="")[0]
        answer = StatementDocument.of(
            period,
            customer=str(customer.pk),
            credits=[CreditStatementDocument.of(item, **self._movements("credits", item, names)) for item in credit],
            points=PointStatementDocument.of(points, **self._movements("points", points, names)),
        )
        return Response(answer)

    def _period(self) -> Period:
        first, last = (day_parameter(self.request, name, now=self.now) for name in ("from", "to"))
        if last < first:
            raise Problem("invalid-parameter", _("“to” is before “from”."), members={"parameter": "to"})
        return Period.of(first, last, self.store)

    def _accounts(self, kind: Kind, customer: Customer, period: Period) -> list[Account]:
        try:
            return statement(ledger_of(kind), customer, period, now=self.now)
        except TooManyLines as error:
            detail = _("There are more than %(most_lines)s movements in this period; ask for a shorter one.") % {
                "most_lines": count_text(MOST_LINES)
            }
            raise Problem("invalid-parameter", detail, members={"parameter": "from"}) from error

    def _movements(self, kind: Kind, account: Account, names: Mapping[str, str]) -> JSON:
        return {"movements": [self._line(kind, line, account.currency, names) for line in account.lines]}

    def _line(self, kind: Kind, line: Line, currency: str, names: Mapping[str, str]) -> JSON:
        movement, actor = line.movement, _actor(kind, line)
        ids = {name: _id_of(movement, f"{name}_id") for name in ("order", "redemption", "revert")}
        return _LINES[kind].of(
            line,
            **ids,
            id=_id_of(movement, "pk"),
            amount=value_json(line.amount, currency),
            balance_after=value_json(line.balance_after, currency),
            actor=actor_json(actor, names[actor]),
            reason=movement.remark.reason if movement is not None and movement.remark else "",
            expires_on=day_or_none(last_day_of_use(line.lot.expires_at, self.store.tz)),
            created_at=instant_or_none(None if movement is None else movement.created_at),
        )


_KINDS: Final[tuple[Kind, ...]] = ("credits", "points")
_LINES: Final = {"credits": CreditStatementLineDocument, "points": PointStatementLineDocument}


def _actor(kind: Kind, line: Line) -> str:
    """Who did it; what is not booked yet will be by the job that does."""
    return line.movement.actor if line.movement is not None else Actor.job(f"{kind}.expire_lots").ref


def _id_of(movement: Any, name: str) -> str | None:
    key = getattr(movement, name, None)
    return None if key is None else str(key)
