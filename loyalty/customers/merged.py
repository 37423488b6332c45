"""Customers who were merged into others: whom an id leads to, and who is one person with whom (O7).

Whoever was merged stays as a row that points to the kept one, always in one step. Value, orders and platform ids are
the kept one's by then; ids, e-mail addresses and histories are led there when they are read.
"""

from collections.abc import Collection
from typing import Any, Final

from django.db.models import Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.errors import Conflict
from loyalty.stores.models import Customer, Store

_HOLD: Final = "SELECT * FROM stores_customer WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE"


class CustomerMerged(Conflict):
    """The customer was merged into another between being found and being locked."""

    code = "customer-merged"
    title = gettext_noop("The customer was merged into another just now.")

    def __init__(self) -> None:
        super().__init__(_("This customer was merged into another just now. Ask again: the id leads to that one."))


def find_person(store: Store, customer_id: int) -> Customer | None:
    """The customer whom an id of ``store`` leads to; None for one that the store does not have (T1)."""
    customer: Customer | None = Customer.objects.for_store(store).filter(pk=customer_id).first()
    if customer is not None and customer.merged_into_id is not None:
        customer = Customer.objects.for_store(store).get(pk=customer.merged_into_id)
    if customer is not None:
        customer.store = store
    return customer


def hold_person(customer_id: int) -> Customer:
    """The customer whom an id leads to, held as :func:`hold_people` says it."""
    return hold_people([customer_id])[customer_id]


def hold_people(customer_ids: Collection[int]) -> dict[int, Customer]:
    """The customers whom these ids lead to, who are not merged into others until the transaction ends.

    For rows that will point to them: they may be written by many at once, and only a merge waits for them, or they for
    it. Writing a ledger needs more, see :func:`~loyalty.ledger.posting.lock_customers`.
    """
    held: dict[int, Customer] = {}
    wanted = set(customer_ids)
    while wanted:
        held |= {customer.pk: customer for customer in Customer.unscoped.raw(_HOLD, [sorted(wanted)])}
        wanted = {customer.merged_into_id for customer in held.values() if customer.merged_into_id} - held.keys()
    return {pk: held[held[pk].merged_into_id or pk] for pk in customer_ids}


def leading_to(customers: "QuerySet[Customer]") -> "QuerySet[Any, int]":
    """Ids of the customers whom these lead to: themselves, or those they were merged into."""
    return customers.order_by().values_list(Coalesce("merged_into_id", "pk"), flat=True)


def kept_ids(customer_ids: Collection[int]) -> set[int]:
    """Whom these ids lead to; one query."""
    return set(leading_to(Customer.unscoped.filter(pk__in=customer_ids)))


def people_of(customer: Customer) -> list[int]:
    """Whose history is this customer's: everybody's who is one person with him, of somebody merged his own only."""
    return [customer.pk] if customer.merged_into_id else one_person(customer.pk)


def one_person(customer_id: int) -> list[int]:
    """The ids of everybody who is one person with this customer, the kept one first; one query."""
    # One value, and not a list of one: that is looked up in two indexes, where a list goes through all customers.
    kept = Subquery(leading_to(Customer.unscoped.filter(pk=customer_id)))
    people = Customer.unscoped.filter(Q(pk=kept) | Q(merged_into=kept))
    return list(people.order_by("merged_at", "pk").reverse().values_list("pk", flat=True))
