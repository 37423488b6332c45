"""The store and its customers over REST."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from loyalty.api.documents import Document
from loyalty.api.filters import Filters, TextFilter
from loyalty.api.values import Body, IdField, InstantField, instant_text
from loyalty.api.views import ApiView, ListView
from loyalty.stores.customers import change_customer, create_customer
from loyalty.stores.keys import Scope
from loyalty.stores.models import Customer


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
    external_id = serializers.CharField(allow_null=True)
    email = serializers.CharField(allow_blank=True)
    name = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True)
    locale = serializers.CharField(allow_blank=True)
    created_at = InstantField()
    updated_at = InstantField()


class CustomerBody(Body):
    """What is said about a customer."""

    external_id = serializers.CharField(max_length=100, allow_null=True, required=False)
    email = serializers.EmailField(max_length=254, allow_blank=True, required=False)
    name = serializers.CharField(max_length=200, allow_blank=True, required=False)
    phone = serializers.CharField(max_length=50, allow_blank=True, required=False)
    locale = serializers.CharField(max_length=20, allow_blank=True, required=False)


class CustomerFilters(Filters):
    """How customers are found."""

    email = TextFilter("email", lookup_expr="iexact", help_text="The e-mail address, whatever its case.")
    external_id = TextFilter("external_id", help_text="The id that the shop gives the customer.")
    search = TextFilter(method="contains", help_text="A part of the name, e-mail, phone or external id.")

    def contains(self, rows: "QuerySet[Customer]", _name: str, value: str) -> "QuerySet[Customer]":
        """Customers with ``value`` somewhere in what identifies them."""
        columns = ("name", "email", "phone", "external_id")
        anywhere = Q()
        for column in columns:
            anywhere |= Q(**{f"{column}__icontains": value})
        return rows.filter(anywhere)


class StoreView(ApiView):
    """The store that the key belongs to."""

    required_scopes: ClassVar = {"GET": Scope.STORE_READ}

    @extend_schema(responses=StoreDocument)
    def get(self, _request: Request) -> Response:
        """The store that the key belongs to."""
        names = ("name", "slug", "currency", "time_zone", "locale")
        return Response({name: getattr(self.store, name) for name in names})


class CustomersView(ListView):
    """The store's customers."""

    required_scopes: ClassVar = {"GET": Scope.CUSTOMERS_READ, "POST": Scope.CUSTOMERS_WRITE}
    filterset_class = CustomerFilters

    @extend_schema(responses=CustomerDocument(many=True))
    def get(self, _request: Request) -> Response:
        """The store's customers, newest first."""
        return self.list(Customer.objects.for_store(self.store))

    @extend_schema(request=CustomerBody, responses={201: OpenApiResponse(CustomerDocument, "The new customer.")})
    def post(self, request: Request) -> Response:
        """Add a customer. An e-mail, an external id or a name is needed."""
        customer = create_customer(store=self.store, values=self.read(CustomerBody), now=self.now)
        address = reverse("api-customer", args=[customer.pk], request=request)
        return Response(customer_json(customer), status=201, headers={"Location": address})

    def present(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Customers as JSON."""
        return [customer_json(row) for row in rows]


class CustomerView(ApiView):
    """One customer."""

    required_scopes: ClassVar = {"GET": Scope.CUSTOMERS_READ, "PATCH": Scope.CUSTOMERS_WRITE}

    @extend_schema(responses=CustomerDocument)
    def get(self, _request: Request, customer_id: str) -> Response:
        """One customer."""
        return Response(customer_json(self.customer(customer_id)))

    @extend_schema(request=CustomerBody, responses=CustomerDocument)
    def patch(self, _request: Request, customer_id: str) -> Response:
        """Change a customer; what is left out stays."""
        key = self.customer(customer_id).pk
        values = self.read(CustomerBody, partial=True)
        return Response(customer_json(change_customer(store=self.store, customer_id=key, values=values, now=self.now)))


def customer_json(customer: Customer) -> dict[str, Any]:
    """One customer."""
    return {
        "id": str(customer.pk),
        "external_id": customer.external_id,
        "email": customer.email,
        "name": customer.name,
        "phone": customer.phone,
        "locale": customer.locale,
        "created_at": instant_text(customer.created_at),
        "updated_at": instant_text(customer.updated_at),
    }
