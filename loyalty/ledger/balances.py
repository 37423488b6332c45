"""What a customer has, now or at another instant, and what of it expires next."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet, Sum

from loyalty.customers.merged import people_of
from loyalty.ledger.ledger import Ledger, valid_at
from loyalty.ledger.planner import Amount
from loyalty.stores.models import Customer


@dataclass(frozen=True, slots=True)
class Balance:
    """What can be used, and the amount that expires soonest with its instant (half-open), if any expires."""

    available: Amount
    next_amount: Amount = 0
    next_expires_at: datetime | None = None


NOTHING = Balance(0)


def balances(ledger: Ledger, customer: Customer, *, now: datetime) -> dict[str, Balance]:
    """What the customer can use at ``now``, less what he owes, by currency (points: ``""``)."""
    lots = ledger.tables.lot.objects.for_store(customer.store).filter(valid_at(now), customer=customer, remaining__gt=0)
    held = _balances(ledger, lots, expires="expires_at", amount="remaining")
    for owed in ledger.debts([customer.pk]).values():
        held[""] = replace(held.get("", NOTHING), available=held.get("", NOTHING).available - owed)
    return held


def balances_at(ledger: Ledger, customer: Customer, *, instant: datetime) -> dict[str, Balance]:
    """What the customer could use at ``instant``, from the movements up to it; for the future, if nothing else happens.

    Who was merged into him counts as he does, before and after (O7).
    Exact, because a lot's movements up to an instant sum to what remained in it, and a lot counts while it is valid.
    """
    valid = Q(lot__expires_at__isnull=True) | Q(lot__expires_at__gt=instant)
    movements = ledger.tables.movement.objects.for_store(customer.store)
    until = movements.filter(valid, customer__in=people_of(customer), created_at__lte=instant)
    return _balances(ledger, until, expires="lot__expires_at", amount="amount")


def _balances(ledger: Ledger, rows: "QuerySet[Any]", *, expires: str, amount: str) -> dict[str, Balance]:
    columns = ("currency", expires) if ledger.tables.has_currency else (expires,)
    totals: dict[str, dict[datetime | None, Amount]] = defaultdict(dict)
    for row in rows.order_by().values(*columns).annotate(total=Sum(amount)):
        if row["total"]:
            totals[row.get("currency", "")][row[expires]] = row["total"]
    return {name: _balance(by_expiry) for name, by_expiry in totals.items()}


def _balance(by_expiry: Mapping[datetime | None, Amount]) -> Balance:
    available = sum(by_expiry.values(), start=0)
    soonest = min((expiry for expiry in by_expiry if expiry is not None), default=None)
    return Balance(available, by_expiry[soonest], soonest) if soonest else Balance(available)
