"""Finding orders by what people type into one box (O4)."""

from django.db.models import Q, QuerySet

from loyalty.stores.customers import matching_customers
from loyalty.stores.models import Store
from orders.models import Order


def search_orders(orders: "QuerySet[Order]", term: str, *, store: Store) -> "QuerySet[Order]":
    """``orders`` narrowed to a number or external id that is exactly ``term``, or a customer who matches it.

    The customers are looked up first, so that the three conditions are answered from three indexes of the orders.
    """
    customers = matching_customers(store, term)
    return orders.filter(Q(number=term) | Q(external_id=term) | Q(customer__in=customers))
