"""The order list, creating orders, one order and its timeline."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.answers.documents import PlainRows
from loyalty.api.answers.pagination import Ordering
from loyalty.api.idempotency import command
from loyalty.api.openapi.schema import IF_MATCH
from loyalty.api.requests.etags import expected_version, versioned
from loyalty.api.views import ApiView, ListView
from loyalty.core.errors import NotFound
from loyalty.core.values import check_amount
from loyalty.database.prepared import Columns, ask
from loyalty.journal.models import JournalEntry
from loyalty.stores.actors import actor_names
from loyalty.stores.keys import Scope
from loyalty.stores.models import Customer
from orders.api.orders.bodies import ChangesBody, NewOrderBody, new_order_of
from orders.api.orders.documents import (
    CustomerDocument,
    DecisionDocument,
    EntryDocument,
    OrderDocument,
    decision_json,
    entry_json,
)
from orders.api.orders.filters import OrderFilters
from orders.models import Order
from orders.services.intake.change import change_order
from orders.services.intake.place import place_order
from orders.services.rules.trace import decisions

# What may be long, and neither an order's JSON nor the preview of a cancel asks for.
_NOT_SHOWN: Final = ("lines", "platform_data", "tag_keys")
_ORDER: Final = Columns(
    Order, "found", only=[field.attname for field in Order._meta.concrete_fields if field.name not in _NOT_SHOWN]
)
_CUSTOMER: Final = Columns(Customer, "customer")
_FIND: Final = f"""
SELECT {_ORDER.sql}, {_CUSTOMER.sql}
FROM orders_order AS found LEFT JOIN stores_customer AS customer ON customer.id = found.customer_id
WHERE found.id = %s::bigint AND found.store_id IS NOT DISTINCT FROM %s::bigint
"""


def find_order(view: ApiView, order_id: str) -> Order:
    """The order in the address with its customer. Raises NotFound for one that the store does not have (T1)."""
    for row in ask(_FIND, [view.key_of(order_id), view.store.pk]).rows():
        order = _ORDER.read(row[: len(_ORDER.names)])
        order.customer = None if order.customer_id is None else _CUSTOMER.read(row[len(_ORDER.names) :])
        return order
    raise NotFound(gettext("This store has no order with the id %(id)s.") % {"id": order_id})


class OrderListView(ListView):
    """All orders of the store."""

    required_scopes: ClassVar = {"GET": Scope.ORDERS_READ, "POST": Scope.ORDERS_WRITE}
    filterset_class = OrderFilters
    serializer_class = OrderDocument
    plain_rows = PlainRows(OrderDocument, customer=CustomerDocument)
    orderings: ClassVar = (
        Ordering("placed_at"),
        Ordering("placed_at", descending=False),
        Ordering("cancelled_at", nullable=True),
        Ordering("updated_at"),
    )

    @extend_schema(responses=OrderDocument(many=True))
    def get(self, _request: Request) -> Response:
        """Orders, newest first: narrowed by any combination of filters."""
        return self.list(Order.objects.for_store(self.store))

    def present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows as JSON."""
        return [OrderDocument.of(row) for row in rows]

    @command(body=NewOrderBody, answer={201: OrderDocument, 200: OrderDocument})
    def post(self, _request: Request) -> Response:
        """Record an order: it takes what it applies from the customer's balance.

        The same order again, by platform and external id, is answered with 200 as it is; a kind it has not spent yet
        is taken now.
        """
        new = new_order_of(self.read(NewOrderBody), store=self.store, now=self.now)
        order, created = place_order(store=self.store, new=new, act=self.act)
        return versioned(OrderDocument.of(order), order.version, status=201 if created else 200)


class OrderView(ApiView):
    """One order."""

    required_scopes: ClassVar = {"GET": Scope.ORDERS_READ, "PATCH": Scope.ORDERS_WRITE}

    @extend_schema(responses=OrderDocument)
    def get(self, _request: Request, order_id: str) -> Response:
        """One order; the answer's ETag names its version."""
        return _answer(find_order(self, order_id))

    @extend_schema(parameters=[IF_MATCH], request=ChangesBody, responses=OrderDocument)
    def patch(self, request: Request, order_id: str) -> Response:
        """Change an order: tags, statuses, the payment's due time or what was refunded; what is left out stays."""
        values = self.read(ChangesBody)
        if "refunded_total" in values:
            currency = find_order(self, order_id).currency
            values["refunded_total"] = check_amount(values["refunded_total"], currency, "/refunded_total")
        version = expected_version(request)
        order = change_order(
            store=self.store,
            order_id=self.key_of(order_id),
            values=values,
            actor=self.actor,
            now=self.now,
            version=version,
        )
        return _answer(order)


def _answer(order: Order) -> Response:
    return versioned(OrderDocument.of(order), order.version)


class TimelineView(ListView):
    """What happened to one order (H2)."""

    required_scopes: ClassVar = {"GET": Scope.ORDERS_READ}
    serializer_class = EntryDocument

    @extend_schema(responses=EntryDocument(many=True))
    def get(self, _request: Request, order_id: str) -> Response:
        """What happened to the order, newest first."""
        order = find_order(self, order_id)
        entries: QuerySet[JournalEntry] = JournalEntry.objects.for_store(self.store).filter(order=order)
        return self.list(entries.select_related("remark"))

    def present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows as JSON; the actors' names are looked up together."""
        names = actor_names(row.actor for row in rows)
        return [entry_json(row, names[row.actor]) for row in rows]


class DecisionsView(ListView):
    """Why value of one order came back, or did not (N6)."""

    required_scopes: ClassVar = {"GET": Scope.ORDERS_READ}
    serializer_class = DecisionDocument

    @extend_schema(responses=DecisionDocument(many=True))
    def get(self, _request: Request, order_id: str) -> Response:
        """Why value came back or did not: newest first, one entry for each decision about each kind."""
        return self.list(decisions(find_order(self, order_id), self.store))

    def present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows as JSON."""
        return [decision_json(row, self.store) for row in rows]
