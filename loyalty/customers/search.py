"""Finding a store's customers by what a shop assistant types, whatever way they are written (ADR 0067)."""

import re
import unicodedata
from typing import Final

from django.db import connection
from django.db.models import BigIntegerField, BooleanField, F, Func, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from loyalty.core.storable_text import storable
from loyalty.customers.identify import has_platform_id
from loyalty.customers.merged import leading_to
from loyalty.stores.compared import dialled, fold_email
from loyalty.stores.models import Customer, PlatformId, Store

# Fewer letters of an alphabet are in nearly every name: they match beginnings.
LETTERS_FOR_PART: Final = 3
# Fewer digits are an extension or a placeholder, which many people have.
_DIGITS_OF_A_PHONE: Final = 7
# A search for orders names a few people; more than these would be no answer to it, nor would older ones.
_MOST_FOUND: Final = 500
_NEWEST: Final = 20_000
# What so many of the newest customers have is on a page's worth of not many more; so are more than these few.
_LOOKED_AT: Final = 1000
_OFTEN: Final = 10
_FEW: Final = 2000
# An index of three letters knows any three of a pattern, and how a word begins.
_INDEXED: Final = re.compile(r"[0-9A-Za-z]{3}|[^0-9A-Za-z%][0-9A-Za-z]")
_AMONG_NEWEST: Final = """
SELECT coalesce(merged_into_id, id) FROM (
    SELECT id, merged_into_id, search_key FROM stores_customer WHERE store_id = %s ORDER BY id DESC LIMIT %s
) AS newest
WHERE search_key LIKE %s LIMIT %s
"""


def find_customers(store: Store, term: str) -> "QuerySet[Customer]":
    """Customers whom :func:`meant_by` says that ``term`` means."""
    customers: QuerySet[Customer] = Customer.objects.for_store(store)
    return customers.filter(meant_by(store, term))


def meant_by(store: Store, term: str) -> Q:
    """Customers with this e-mail or id, the store's own or a platform's, or this part of a name or e-mail.

    One or two letters of an alphabet are no part; a Chinese character is. Somebody who was merged into another is
    found as that one. A few queries, each answered from an index, which say how to find them.
    """
    words = storable(term).strip()
    if not words:
        return Q(pk__in=[])
    ways = {words, unicodedata.normalize("NFKC", words)}
    ids = PlatformId.objects.for_store(store).filter(external_id__in=ways).values_list("customer_id", flat=True)
    exactly = Q(external_id__in=ways) | Q(folded_email__in=set(map(fold_email, ways))) | Q(pk__in=list(ids))
    key = _key(words)
    return _people(store, f"%{key}%\f%" if len(key) >= LETTERS_FOR_PART else "", exactly)


def with_part(store: Store, term: str) -> Q:
    """Customers with ``term`` in their name, e-mail, phone or the store's own id, or as a platform's whole id.

    Somebody who was merged into another is found as that one. A few queries, which say how to find them.
    """
    words = storable(term)
    key = _key(words)
    return _people(store, f"%{key}%" if key else "", has_platform_id(external_id=words))


def matching_customers(store: Store, term: str) -> list[int]:
    """Ids of the customers whose name or e-mail contains ``term``: the 500 newest; of many, among the newest 20,000.

    Of somebody who was merged it is the kept one's (O7). One or two letters of an alphabet match beginnings. Three
    queries at most.
    """
    key = _key(storable(term).strip())
    if not key:
        return []
    pattern = f"%{key}%\f%" if len(key) >= LETTERS_FOR_PART else f"%\n{key}%\f%"
    if _many(store, pattern):
        return _among_newest(store, _NEWEST, pattern, _MOST_FOUND)
    found = Customer.objects.for_store(store).filter(pk__in=_Ids(store, pattern)).order_by("-pk")
    return list(found.values_list(Coalesce("merged_into_id", "pk"), flat=True)[:_MOST_FOUND])


class _Like(Func):
    """Whether a customer is found by a pattern of his search key."""

    template = "(%(expressions)s)"
    arg_joiner = " LIKE "
    output_field = BooleanField()

    def __init__(self, pattern: str) -> None:
        super().__init__(F("search_key"), Value(pattern))


class _Ids(Func):
    """Ids of a store's customers who are found by a pattern, which no condition may ask of an index behind a policy.

    The function runs as the tables' owner and holds to the stores that are named (ADR 0039).
    """

    template = "(SELECT customers_like(%(expressions)s))"
    output_field = BigIntegerField()

    def __init__(self, store: Store, pattern: str) -> None:
        super().__init__(Value(store.pk), Value(pattern))


def _key(term: str) -> str:
    """What ``term`` and whatever is written alike have in common, to stand in a pattern; the database says it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name_key(%s)", [term])
        return connection.ops.prep_for_like_query(cursor.fetchone()[0])


def _people(store: Store, pattern: str, exactly: Q) -> Q:
    """Customers who fit ``exactly`` or, unless it is empty, the pattern, and those whom these were merged into.

    PostgreSQL cannot weigh the ways of finding them: how many a function answers it does not know.
    """
    customers: QuerySet[Customer] = Customer.objects.for_store(store)
    exact = leading_to(customers.filter(exactly))
    if not pattern:
        return Q(pk__in=list(exact))
    if not _many(store, pattern):
        ids = list(exact.union(leading_to(customers.filter(pk__in=_Ids(store, pattern))))[: _FEW + 1])
        if len(ids) <= _FEW:
            return Q(pk__in=ids)
    merged = leading_to(customers.filter(_Like(pattern), merged_into__isnull=False))
    return Q(_Like(pattern), merged_into__isnull=True) | Q(pk__in=merged) | Q(pk__in=list(exact))


def _many(store: Store, pattern: str) -> bool:
    """Whether many of the newest customers fit, or no index tells who does: so they are gone through, newest first."""
    return not _INDEXED.search(pattern) or len(_among_newest(store, _LOOKED_AT, pattern, _OFTEN)) == _OFTEN


def _among_newest(store: Store, newest: int, pattern: str, most: int) -> list[int]:
    """Of so many of the newest customers, those who fit, the newest first."""
    with connection.cursor() as cursor:
        cursor.execute(_AMONG_NEWEST, [store.pk, newest, pattern, most])
        return [pk for (pk,) in cursor.fetchall()]


def namesakes_of(customer: Customer) -> "QuerySet[Customer]":
    """Other customers of the store who may be the same person (O7): with the same e-mail address or phone number.

    A hint for people and no more; somebody merged is nobody's namesake. One query.
    """
    others: QuerySet[Customer] = Customer.objects.for_store(customer.store).filter(merged_into__isnull=True)
    alike = _alike(customer)
    return others.filter(alike).exclude(pk=customer.pk).order_by("pk") if alike else others.none()


def shared_by(one: Customer, other: Customer) -> list[str]:
    """What makes two customers :func:`namesakes_of` each other, in words."""
    shared = []
    if one.email and fold_email(one.email) == fold_email(other.email):
        shared.append(_("same e-mail"))
    if len(dialled(one.phone)) >= _DIGITS_OF_A_PHONE and dialled(one.phone) == dialled(other.phone):
        shared.append(_("same phone"))
    return shared


def _alike(customer: Customer) -> Q:
    alike = Q()
    if fold_email(customer.email):
        alike |= Q(folded_email=fold_email(customer.email))
    if len(dialled(customer.phone)) >= _DIGITS_OF_A_PHONE:
        # The first says no more than the second, but it is the index's condition.
        alike |= Q(dialled_phone__gt="", dialled_phone=dialled(customer.phone))
    return alike
