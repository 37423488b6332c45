"""A customer's history: his own, and that of whoever was merged into him, as one (M12, O7)."""

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery, Sum

from loyalty.customers.merged import people_of
from loyalty.ledger.ledger import Ledger
from loyalty.ledger.models import AbstractMovement, MovementType
from loyalty.ledger.planner import Amount
from loyalty.stores.models import Customer


def history(ledger: Ledger, customer: Customer) -> "QuerySet[Any]":
    """The movements of a customer; one query beside the one that reads them.

    Of a kept customer they are everybody's who is one person with him, without what only moved between them: the
    amounts still add up to what there is, and :func:`balance_of` runs through without a break. Of somebody who was
    merged they are his own, to the end, where all of it moves.
    """
    rows: QuerySet[Any] = ledger.tables.movement.objects.for_store(customer.store)
    people = people_of(customer)
    rows = rows.filter(customer__in=people)
    if len(people) > 1:
        rows = rows.exclude(type=MovementType.MERGE)
        rows = rows.annotate(balance_together=Subquery(_together(ledger, people)))
    return rows


def balance_of(movement: AbstractMovement) -> Amount:
    """The balance after a movement of a :func:`history`: of the whole person, where he was several customers then."""
    balance: Amount = getattr(movement, "balance_together", movement.balance_after)
    return balance


def _together(ledger: Ledger, people: list[int]) -> "QuerySet[Any]":
    """Of each of these customers the balance after the last movement until then, added up."""
    same = {"currency": OuterRef(OuterRef("currency"))} if ledger.tables.has_currency else {}
    last = ledger.tables.movement.unscoped.filter(customer=OuterRef("pk"), pk__lte=OuterRef(OuterRef("pk")), **same)
    each = Customer.unscoped.filter(pk__in=people).order_by()
    each = each.annotate(balance=Subquery(last.order_by("-pk").values("balance_after")[:1]))
    total: QuerySet[Any] = each.values("store_id").annotate(total=Sum("balance")).values("total")
    return total
