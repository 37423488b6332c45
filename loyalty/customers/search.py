"""Finding a store's customers by what a shop assistant types."""

from typing import Final

from django.db import connection
from django.db.models import BigIntegerField, Func, Q, QuerySet, Value
from django.utils.translation import gettext as _

from loyalty.core.storable_text import storable
from loyalty.customers.merged import leading_to
from loyalty.stores.compared import dialled, fold_email
from loyalty.stores.models import Customer, PlatformId, Store

# Three letters make the first trigram, and the index knows the beginnings of words by fewer.
LETTERS_FOR_PART: Final = 3
# Fewer digits are an extension or a placeholder, which many people have.
_DIGITS_OF_A_PHONE: Final = 7


def find_customers(store: Store, term: str) -> "QuerySet[Customer]":
    """Customers with this e-mail or id, the store's own or a platform's; from three letters on parts of names count.

    Somebody who was merged into another is found as that one. Two queries: platform ids are looked up first, so that
    every condition is answered from an index.
    """
    words = storable(term).strip()
    ids = PlatformId.objects.for_store(store).filter(external_id=words).values_list("customer_id", flat=True)
    condition = Q(external_id=words) | Q(folded_email=fold_email(words)) | Q(pk__in=list(ids))
    customers: QuerySet[Customer] = Customer.objects.for_store(store)
    people = leading_to(customers.filter(condition))
    if len(words) >= LETTERS_FOR_PART:
        people = people.union(leading_to(customers.filter(pk__in=called(store, words))))
    return customers.filter(pk__in=people)


class _Called(Func):
    """Ids of a store's customers whose name or e-mail is like a pattern, which no condition may ask behind a policy.

    The function runs as the tables' owner and holds to the stores that are named (ADR 0039).
    """

    template = "(SELECT customers_called(%(expressions)s))"
    output_field = BigIntegerField()


def called(store: Store, term: str) -> Func:
    """Ids of customers whose name or e-mail contains ``term``, ignoring case; one or two letters match beginnings."""
    pattern = connection.ops.prep_for_like_query(term) + "%"
    return _Called(Value(store.pk), Value(f"%{pattern}" if len(term) >= LETTERS_FOR_PART else pattern))


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
