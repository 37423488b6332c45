"""Finding a store's customers by what a shop assistant types."""

from django.db.models import Q, QuerySet

from loyalty.stores.models import Customer, Store

# Three letters make the first trigram; less than that would read every customer of the store.
_LETTERS_FOR_PART = 3


def find_customers(store: Store, term: str) -> "QuerySet[Customer]":
    """Customers with this external id or e-mail, or, from three letters on, whose e-mail or name contains it."""
    words = term.strip()
    condition = Q(external_id=words) | Q(email__iexact=words)
    if len(words) >= _LETTERS_FOR_PART:
        condition |= Q(email__icontains=words) | Q(name__icontains=words)
    return Customer.objects.for_store(store).filter(condition)
