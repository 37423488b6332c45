"""Giving and removing value by hand, with a reason (L6)."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.core.days import is_expired
from loyalty.core.errors import Invalid, NotFound
from loyalty.customers.merged import find_person
from loyalty.journal.record import Event, Happening, record
from loyalty.ledger.ledger import Ledger
from loyalty.ledger.models import Origin
from loyalty.ledger.planner import Amount
from loyalty.ledger.posting import NewLot, Posted, lock_customers
from loyalty.stores.actors import Act
from loyalty.stores.models import Customer, Remark, Store


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What is given (positive) or removed (negative), why, and for a gift until when (half-open; None for never)."""

    amount: Amount
    reason: str
    note: str = ""
    currency: str = ""
    expires_at: datetime | None = None


@transaction.atomic
def adjust(ledger: Ledger, *, store: Store, customer_id: int, adjustment: Adjustment, act: Act) -> list[Posted]:
    """Give or remove value; answers the movements written, oldest first: one for a gift, one per lot for a removal.

    Raises Invalid for nothing and for a gift that has expired already, NotFound for a customer of another store,
    InsufficientBalance when there is less than is to be removed.
    """
    _refuse_what_changes_nothing(adjustment, act.now)
    customer = find_person(store, customer_id)
    if customer is None:
        raise NotFound(_("This store has no customer with the id %(id)s.") % {"id": customer_id})
    lock_customers([customer.pk])
    remark = Remark.objects.create(store=store, reason=adjustment.reason, note=adjustment.note, created_at=act.now)
    posted = _write(ledger, customer, adjustment, remark, act)
    record([_changed(ledger, customer, adjustment, remark)], actor=act.actor, now=act.now)
    return posted


def _refuse_what_changes_nothing(adjustment: Adjustment, now: datetime) -> None:
    if not adjustment.amount:
        raise Invalid.at("/amount", _("Give or remove more than nothing."), code="zero")
    if adjustment.amount > 0 and is_expired(adjustment.expires_at, now):
        raise Invalid.at("/expires_on", _("The expiry is before today."), code="in-the-past")


def _write(ledger: Ledger, customer: Customer, adjustment: Adjustment, remark: Remark, act: Act) -> list[Posted]:
    if adjustment.amount > 0:
        gift = ledger.grant(
            customer,
            adjustment.amount,
            currency=adjustment.currency,
            new_lot=NewLot(Origin.GRANT, adjustment.expires_at),
            remark_id=remark.pk,
            act=act,
        )
        return [gift]
    return ledger.remove(customer, -adjustment.amount, currency=adjustment.currency, remark_id=remark.pk, act=act)


def _changed(ledger: Ledger, customer: Customer, adjustment: Adjustment, remark: Remark) -> Happening:
    return Happening(
        store_id=customer.store_id,
        event=Event.BALANCE_CHANGED,
        customer_id=customer.pk,
        remark_id=remark.pk,
        data={"kind": ledger.kind, "amount": str(adjustment.amount), "currency": adjustment.currency},
    )
