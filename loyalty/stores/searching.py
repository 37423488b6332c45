"""Finding a store's customers by what a shop assistant types."""

from django.db.models import Q, QuerySet

from loyalty.stores.merged import leading_to
from loyalty.stores.models import Customer, PlatformId, Store, fold_email

# Three letters make the first trigram; less than that would read every customer of the store.
_LETTERS_FOR_PART = 3


def find_customers(store: Store, term: str) -> "QuerySet[Customer]":
    """Customers with this e-mail or id, the store's own or a platform's; from three letters on parts of names count.

    Somebody who was merged into another is found as that one. Two queries: platform ids are looked up first, so that
    every condition is answered from an index.
    """
    words = term.strip()
    ids = PlatformId.objects.for_store(store).filter(external_id=words).values_list("customer_id", flat=True)
    condition = Q(external_id=words) | Q(email__folded=fold_email(words)) | Q(pk__in=list(ids))
    if len(words) >= _LETTERS_FOR_PART:
        condition |= Q(email__icontains=words) | Q(name__icontains=words)
    customers: QuerySet[Customer] = Customer.objects.for_store(store)
    return customers.filter(pk__in=leading_to(customers.filter(condition)))
