"""A kind's lots, movements and adjustments over REST, written once for ``credits.api`` and ``points.api``."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.requests.filters import CustomerFilter, Filters, IdFilter, InstantFilter, ListFilter, MomentFilter
from loyalty.api.resources.ledger_documents import lot_json, movements_json
from loyalty.api.values import Body, DayField, TextField, YesNoField
from loyalty.api.views import ApiView, ListView
from loyalty.core.days import check_last_day, end_of_day
from loyalty.core.errors import Invalid
from loyalty.ledger.adjust import Adjustment, adjust
from loyalty.ledger.adjust_notice import Change, tell
from loyalty.ledger.history import history
from loyalty.ledger.ledger import Ledger, valid_at
from loyalty.ledger.models import MovementType
from loyalty.ledger.planner import Amount, InsufficientBalance
from loyalty.ledger.posting import Posted
from loyalty.stores.keys import Scope
from loyalty.stores.models import Customer, Store


class AdjustmentBody(Body):
    """What every adjustment says beside its amount."""

    expires_on = DayField(allow_null=True, required=False)
    reason = TextField(max_length=200)
    note = TextField(max_length=2000, allow_blank=True, required=False)
    notify_customer = YesNoField(required=False, help_text="Whether the customer gets an e-mail about it.")


class LotFilters(Filters):
    """Which lots."""

    state = ListFilter(
        method="in_state",
        values=("open", "expired", "spent"),
        help_text="`open`: something is left and can be used; `expired`: the last day is over; `spent`: all is used.",
    )

    expires_before = MomentFilter(
        method="ending",
        help_text="Usable for the last time before this instant, or before this day begins in the store's time zone. "
        "Lots without an expiry are left out.",
    )

    def ending(self, rows: "QuerySet[Any]", _name: str, value: datetime | date) -> "QuerySet[Any]":
        """Lots that have expired by then: the expiry is the first instant at which a lot can no longer be used (L2)."""
        store: Store = self.request.parser_context["view"].store
        by = value if isinstance(value, datetime) else end_of_day(value - timedelta(days=1), store.tz)
        return rows.filter(expires_at__lte=by)

    def in_state(self, rows: "QuerySet[Any]", _name: str, value: Sequence[str]) -> "QuerySet[Any]":
        """Lots in any of the states, by the view's clock (L2)."""
        valid = valid_at(self.request.parser_context["view"].now)
        states = {"open": valid & Q(remaining__gt=0), "expired": ~valid, "spent": valid & Q(remaining=0)}
        wanted = Q()
        for name in value:
            wanted |= states[name]
        return rows.filter(wanted)


class StoreLotFilters(LotFilters):
    """Which lots of all customers."""

    customer = CustomerFilter("customer_id", help_text="Whose they are.")


class MovementFilters(Filters):
    """Which movements."""

    type = ListFilter("type", values=MovementType.values, help_text="What the movement records.")
    order = IdFilter("order", help_text="The order it belongs to.")
    created_after = InstantFilter("created_at", lookup_expr="gte", help_text="At this instant or later.")
    created_before = InstantFilter("created_at", lookup_expr="lt", help_text="Before this instant.")


class LotsView(ListView):
    """A customer's lots of one kind."""

    required_scopes: ClassVar = {"GET": Scope.LEDGER_READ}
    filterset_class = LotFilters
    ledger: ClassVar[Ledger]

    def get(self, _request: Request, customer_id: str) -> Response:
        """A customer's lots, newest first."""
        lots = self.ledger.tables.lot.objects.for_store(self.store)
        return self.list(lots.filter(customer=self.customer(customer_id)))

    def present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Lots as JSON."""
        return [lot_json(row, self.store, self.now) for row in rows]


class StoreLotsView(ListView):
    """The lots of all customers of one kind."""

    required_scopes: ClassVar = {"GET": Scope.LEDGER_READ}
    filterset_class = StoreLotFilters
    ledger: ClassVar[Ledger]

    def get(self, _request: Request) -> Response:
        """The lots of all customers, newest first."""
        return self.list(self.ledger.tables.lot.objects.for_store(self.store))

    def present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Lots as JSON, each with the id of its customer."""
        return [lot_json(row, self.store, self.now, of_all=True) for row in rows]


class MovementsView(ListView):
    """A customer's history of one kind (M12)."""

    required_scopes: ClassVar = {"GET": Scope.LEDGER_READ}
    filterset_class = MovementFilters
    ledger: ClassVar[Ledger]

    def get(self, _request: Request, customer_id: str) -> Response:
        """A customer's movements, newest first."""
        movements = history(self.ledger, self.customer(customer_id))
        return self.list(movements.select_related("lot", "remark"))

    def present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Movements as JSON."""
        return movements_json(rows, self.store)


class AdjustView(ApiView):
    """Gives value by hand, or removes it (L6). The two instances name the body, the scope and the default expiry."""

    ledger: ClassVar[Ledger]
    body: ClassVar[type[AdjustmentBody]]

    def adjust(self, customer_id: str) -> Response:
        """Carry out what the body asks for: 201 with the lot that was given, or with the movements of a removal."""
        customer = self.customer(customer_id)
        values = self.read(self.body)
        adjustment = self._adjustment(values)
        try:
            posted = self._write(customer, adjustment, values)
        except InsufficientBalance as error:
            raise InsufficientBalance.at("/amount", error.detail) from error
        if adjustment.amount > 0:
            lot = self.ledger.tables.lot.objects.for_store(self.store).get(pk=posted[-1].lot_id)
            return Response(lot_json(lot, self.store, self.now), status=201)
        movements = self.ledger.tables.movement.objects.for_store(self.store).select_related("lot", "remark")
        written = movements.filter(pk__in=[row.id for row in posted]).order_by("pk")
        return Response(movements_json(list(written), self.store), status=201)

    @transaction.atomic
    def _write(self, customer: Customer, adjustment: Adjustment, values: dict[str, Any]) -> list[Posted]:
        posted = self.write(customer.pk, adjustment, values)
        if values.get("notify_customer"):
            change = Change.of(customer, adjustment, posted)
            tell(self.ledger.kind, [change], store=self.store, actor=self.actor, now=self.now)
        return posted

    def write(self, customer_id: int, adjustment: Adjustment, values: dict[str, Any]) -> list[Posted]:
        """Write it; ``values`` is the body."""
        return adjust(
            self.ledger,
            store=self.store,
            customer_id=customer_id,
            adjustment=adjustment,
            act=self.act,
        )

    def amount_of(self, values: dict[str, Any]) -> tuple[Amount, str]:
        """The amount in its smallest unit, and its currency (points: none)."""
        return values["amount"], ""

    def default_last_day(self) -> date | None:
        """The last day of use when the body names none."""
        return None

    def _adjustment(self, values: dict[str, Any]) -> Adjustment:
        amount, currency = self.amount_of(values)
        return Adjustment(
            amount=amount,
            currency=currency,
            reason=values["reason"],
            note=values.get("note", ""),
            expires_at=self._expires_at(values, gives=amount > 0),
        )

    def _expires_at(self, values: dict[str, Any], *, gives: bool) -> datetime | None:
        if not gives:
            return _no_expiry(values)
        last_day = values["expires_on"] if "expires_on" in values else self.default_last_day()
        if last_day is None:
            return None
        if values.get("expires_on"):
            check_last_day(last_day, now=self.now, tz=self.store.tz)
        return end_of_day(last_day, self.store.tz)


def _no_expiry(values: dict[str, Any]) -> datetime | None:
    if values.get("expires_on") is not None:
        raise Invalid.at("/expires_on", _("Only value that is given has a last day of use."), code="does-not-fit")
    return None
