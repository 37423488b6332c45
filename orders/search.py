"""Finding orders by what people type into one box, and by tags (O4, N3)."""

from collections.abc import Sequence
from typing import Final

from django.db import connection
from django.db.models import BigIntegerField, Func, Q, QuerySet, Value

from loyalty.customers.record import matching_customers
from loyalty.stores.models import Store
from orders.models import Order

# More orders than these are found sooner by looking at the newest ones of the store.
_FEW: Final = 2000


def search_orders(orders: "QuerySet[Order]", term: str, *, store: Store) -> "QuerySet[Order]":
    """``orders`` narrowed to a number or external id that is exactly ``term``, or a customer who matches it.

    The customers are looked up first, so that the three conditions are answered from three indexes of the orders.
    """
    customers = matching_customers(store, term)
    return orders.filter(Q(number=term) | Q(external_id=term) | Q(customer__in=customers))


class _Tagged(Func):
    """Ids of a store's orders with any of some tags, which no index is asked for behind a policy.

    The function runs as the tables' owner and holds to the stores that are named (ADR 0039).
    """

    template = "(SELECT orders_tagged(%(expressions)s))"
    output_field = BigIntegerField()


def tagged(store: Store, keys: Sequence[str]) -> Q:
    """The store's orders with any of these tags, given as they are compared; one query, which says how to find them.

    PostgreSQL cannot weigh the two ways itself: a function tells nothing of how much it will answer.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT orders_tagged(%s, %s) OFFSET %s LIMIT 1", [store.pk, list(keys), _FEW])
        many = cursor.fetchone() is not None
    of_orders = Order._meta.get_field("tag_keys")
    few = Q(pk__in=_Tagged(Value(store.pk), Value(list(keys), output_field=of_orders)))
    return Q(tag_keys__overlap=list(keys)) if many else few
