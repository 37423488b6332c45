"""Finding and creating a store's customers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from loyalty.core.errors import Invalid, NotFound
from loyalty.customers.identify import CustomerFacts, known_to_platforms
from loyalty.stores.models import Customer, Store


@transaction.atomic
def create_customer(*, store: Store, values: Mapping[str, Any], now: datetime) -> tuple[Customer, bool]:
    """A customer with any of external_id, email, name, phone, locale; and whether he is new.

    Somebody whom a platform told of already, by this e-mail, is that customer, and the external id becomes his (O7).
    Raises Invalid when nothing says who it is, or when the external id is another customer's.
    """
    if not any(values.get(name) for name in ("external_id", "email", "name")):
        raise Invalid.at("/email", _("Give an e-mail address, an external id or a name."), code="required")
    said = (str(values.get(name) or "") for name in ("external_id", "email", "name", "phone", "locale"))
    if known := known_to_platforms(store, CustomerFacts(*said), now=now):
        return known, False
    with _external_id_once(values):
        customer: Customer = Customer.objects.create(store=store, created_at=now, updated_at=now, **values)
    return customer, True


@transaction.atomic
def change_customer(*, store: Store, customer_id: int, values: Mapping[str, Any], now: datetime) -> Customer:
    """Change what ``values`` names. Raises NotFound (T1), and Invalid when the external id is another customer's."""
    customers = Customer.objects.for_store(store).select_for_update(no_key=True)
    customer: Customer | None = customers.filter(pk=customer_id).first()
    if customer is None:
        raise NotFound(_("This store has no customer with the id %(id)s.") % {"id": customer_id})
    changed = [name for name, value in values.items() if getattr(customer, name) != value]
    if not changed:
        return customer
    for name in changed:
        setattr(customer, name, values[name])
    customer.updated_at = now
    with _external_id_once(values):
        customer.save(update_fields=[*changed, "updated_at"])
    return customer


@contextmanager
def _external_id_once(values: Mapping[str, Any]) -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "customer_external_id_once" not in str(error):
            raise
        taken = _("Another customer has the external id “%(external_id)s”.") % {"external_id": values["external_id"]}
        raise Invalid.at("/external_id", taken, code="not-unique") from error
