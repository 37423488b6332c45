"""Finding orders by what people type into one box, and by tags (O4, N3)."""

from collections.abc import Sequence
from typing import Final

from django.db import connection
from django.db.models import Q, QuerySet

from loyalty.customers.search import matching_customers
from loyalty.stores.models import Store
from orders.models import Order

# More orders than these are found sooner by looking at the newest ones of the store.
_FEW: Final = 2000
# A tag that none of the very newest orders has is looked for by itself: a tenth of the reading where it is rare.
_GLANCED_AT: Final = 100
# A tag that so many of the newest orders have is on a page's worth of not many more.
_LOOKED_AT: Final = 1000
_OFTEN: Final = 25
_AMONG_NEWEST: Final = """
SELECT count(*) FROM (
    SELECT tag_keys FROM orders_order WHERE store_id = %s ORDER BY placed_at DESC, id DESC LIMIT %s
) AS newest
WHERE tag_keys && %s::varchar[]
"""


def search_orders(orders: "QuerySet[Order]", term: str, *, store: Store) -> "QuerySet[Order]":
    """``orders`` narrowed to a number or external id that is exactly ``term``, or a customer who matches it.

    The customers are looked up first, so that the three conditions are answered from three indexes of the orders.
    """
    customers = matching_customers(store, term)
    return orders.filter(Q(number=term) | Q(external_id=term) | Q(customer__in=customers))


def tagged(store: Store, keys: Sequence[str]) -> Q:
    """The store's orders with any of these tags, given as they are compared; queries before it say how to find them.

    Among the newest, when a page of them is there; else by their ids. PostgreSQL cannot weigh the two ways itself: no
    index of tags is asked behind a policy but by a function, which holds to the stores that are named (ADR 0039) and
    tells nothing of how much it will answer.
    """
    with connection.cursor() as cursor:

        def among(newest: int) -> int:
            cursor.execute(_AMONG_NEWEST, [store.pk, newest, list(keys)])
            found: int = cursor.fetchone()[0]
            return found

        if not among(_GLANCED_AT) or among(_LOOKED_AT) < _OFTEN:
            cursor.execute("SELECT orders_tagged(%s, %s) LIMIT %s", [store.pk, list(keys), _FEW + 1])
            ids = [pk for (pk,) in cursor.fetchall()]
            if len(ids) <= _FEW:
                return Q(pk__in=ids)
    return Q(tag_keys__overlap=list(keys))
