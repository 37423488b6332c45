"""The store and its customers over REST."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from loyalty.api.answers.documents import JSON, Document
from loyalty.api.openapi.describe import SOME_TEXT
from loyalty.api.requests.filters import Filters, PairFilter, TextFilter
from loyalty.api.values import Body, EmailField, IdField, InstantField, TextField
from loyalty.api.views import ApiView, ListView
from loyalty.customers.identify import has_platform_id, platform_ids
from loyalty.customers.merged import leading_to
from loyalty.customers.record import change_customer, create_customer
from loyalty.customers.search import with_part
from loyalty.stores.compared import fold_email
from loyalty.stores.keys import Scope
from loyalty.stores.models import Customer, Store


class StoreDocument(Document):
    """A store."""

    name = serializers.CharField()
    slug = serializers.CharField()
    currency = serializers.CharField()
    time_zone = serializers.CharField()
    locale = serializers.CharField()


@extend_schema_serializer(component_name="Customer")
class CustomerDocument(Document):
    """A customer."""

    id = IdField()
    external_id = serializers.CharField(allow_null=True, help_text="The store's own id, of no platform.")
    platform_ids = serializers.DictField(
        child=serializers.CharField(),
        help_text="The present id on each shop platform, such as {“shopify”: “7001”}; read only.",
    )
    email = serializers.CharField(allow_blank=True)
    name = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True)
    locale = serializers.CharField(allow_blank=True)
    created_at = InstantField()
    updated_at = InstantField()


class CustomerBody(Body):
    """What is said about a customer."""

    between_fields = {
        "anyOf": [
            {"required": [name], "properties": {name: {"type": "string", "pattern": SOME_TEXT}}}
            for name in ("email", "external_id", "name")
        ]
    }

    external_id = TextField(
        max_length=100, allow_null=True, required=False, help_text="The store's own id, of no platform."
    )
    email = EmailField(max_length=254, allow_blank=True, required=False)
    name = TextField(max_length=200, allow_blank=True, required=False)
    phone = TextField(max_length=50, allow_blank=True, required=False)
    locale = TextField(max_length=20, allow_blank=True, required=False)


class CustomerFilters(Filters):
    """How customers are found."""

    email = TextFilter(method="with_email", help_text="The e-mail address, whatever its case.")
    external_id = TextFilter(method="with_own_id", help_text="The store's own id of the customer.")
    platform_id = PairFilter(
        method="with_platform_id", help_text="A platform's id of the customer, the present or an earlier one."
    )
    search = TextFilter(
        method="contains", help_text="A part of the name, e-mail, phone or external id, or a platform's whole id."
    )

    def with_email(self, rows: "QuerySet[Customer]", _name: str, value: str) -> "QuerySet[Customer]":
        """Customers with this address, trimmed and case-folded (O7)."""
        return self._leading(Q(folded_email=fold_email(value)), rows)

    def with_own_id(self, rows: "QuerySet[Customer]", _name: str, value: str) -> "QuerySet[Customer]":
        """The customer with the store's own id."""
        return self._leading(Q(external_id=value), rows)

    def with_platform_id(self, rows: "QuerySet[Customer]", _name: str, value: tuple[str, str]) -> "QuerySet[Customer]":
        """The customer whom a platform calls, or called, so (O7)."""
        platform, external_id = value
        return rows.filter(has_platform_id(platform=platform, external_id=external_id))

    def contains(self, rows: "QuerySet[Customer]", _name: str, value: str) -> "QuerySet[Customer]":
        """Customers with ``value`` somewhere in what identifies them."""
        return rows.filter(with_part(self._store, value))

    def _leading(self, condition: Q, rows: "QuerySet[Customer]") -> "QuerySet[Customer]":
        """Customers who fit, and those whom somebody who fits was merged into."""
        return rows.filter(pk__in=leading_to(Customer.objects.for_store(self._store).filter(condition)))

    @property
    def _store(self) -> Store:
        store: Store = self.request.parser_context["view"].store
        return store


class StoreView(ApiView):
    """The store that the key belongs to."""

    required_scopes: ClassVar = {"GET": Scope.STORE_READ}

    @extend_schema(responses=StoreDocument)
    def get(self, _request: Request) -> Response:
        """The store that the key belongs to."""
        return Response(StoreDocument.of(self.store))


class CustomersView(ListView):
    """The store's customers."""

    required_scopes: ClassVar = {"GET": Scope.CUSTOMERS_READ, "POST": Scope.CUSTOMERS_WRITE}
    filterset_class = CustomerFilters

    @extend_schema(responses=CustomerDocument(many=True))
    def get(self, _request: Request) -> Response:
        """The store's customers, newest first. Who was merged into another is found as that one."""
        return self.list(Customer.objects.for_store(self.store).filter(merged_into__isnull=True))

    @extend_schema(
        request=CustomerBody,
        responses={
            200: OpenApiResponse(CustomerDocument, "Known to a platform by this e-mail: the external id is theirs."),
            201: OpenApiResponse(CustomerDocument, "The new customer."),
        },
    )
    def post(self, request: Request) -> Response:
        """Add a customer. An e-mail, an external id or a name is needed.

        With an external id and the e-mail of one customer whom only platforms know, it is that customer.
        """
        customer, is_new = create_customer(store=self.store, values=self.read(CustomerBody), now=self.now)
        address = reverse("api-customer", args=[customer.pk], request=request)
        shown = customer_json(customer, {} if is_new else platform_ids([customer.pk]))
        return Response(shown, status=201 if is_new else 200, headers={"Location": address})

    def present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Customers as JSON."""
        ids = platform_ids([row.pk for row in rows])
        return [customer_json(row, ids) for row in rows]


class CustomerView(ApiView):
    """One customer."""

    required_scopes: ClassVar = {"GET": Scope.CUSTOMERS_READ, "PATCH": Scope.CUSTOMERS_WRITE}

    @extend_schema(responses=CustomerDocument)
    def get(self, _request: Request, customer_id: str) -> Response:
        """One customer. The id of somebody who was merged into another leads to that one, as the answer's `id` says."""
        customer = self.customer(customer_id)
        return Response(customer_json(customer, platform_ids([customer.pk])))

    @extend_schema(request=CustomerBody, responses=CustomerDocument)
    def patch(self, _request: Request, customer_id: str) -> Response:
        """Change a customer; what is left out stays."""
        key = self.customer(customer_id).pk
        values = self.read(CustomerBody, partial=True)
        changed = change_customer(store=self.store, customer_id=key, values=values, now=self.now)
        return Response(customer_json(changed, platform_ids([key])))


def customer_json(customer: Customer, ids: Mapping[int, Mapping[str, str]]) -> JSON:
    """One customer; ``ids`` are the current platform ids of this one and maybe of others."""
    return CustomerDocument.of(customer, platform_ids=dict(ids.get(customer.pk, {})))
