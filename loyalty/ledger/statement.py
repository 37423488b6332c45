"""What a customer had, what happened to it, and what was left: one kind's ledger between two days.

Everything counts at the instant at which it took effect. For value that lapsed that is the instant of its expiry,
whether it was booked then, later or not yet (L2, L5): so a statement never depends on a job being on time, and the
closing of one day is the opening of the next. In between nothing else can stand, because every write to a customer's
ledger first books what has lapsed.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Q

from loyalty.core.days import end_of_day
from loyalty.ledger.balances import NOTHING, balances_at
from loyalty.ledger.history import history
from loyalty.ledger.ledger import Ledger
from loyalty.ledger.models import MovementType
from loyalty.ledger.planner import Amount
from loyalty.stores.models import Customer, Store

# More lines than anybody reads; past them a shorter period must be asked for.
MOST_LINES: Final = 5000
_INSTANT: Final = timedelta(microseconds=1)


class TooManyLines(Exception):
    """The period has more than ``MOST_LINES`` movements of one kind."""


@dataclass(frozen=True, slots=True)
class Period:
    """Two local days, both inclusive, as a half-open stretch of time. The second is not before the first."""

    first: date
    last: date
    begins: datetime
    ends: datetime

    @classmethod
    def of(cls, first: date, last: date, store: Store) -> "Period":
        """The days from ``first`` through ``last`` in the store's time zone (T4)."""
        return cls(first, last, end_of_day(first - timedelta(days=1), store.tz), end_of_day(last, store.tz))


@dataclass(frozen=True, slots=True)
class Line:
    """One movement, when it took effect, and the balance after it. ``movement`` is None for what is not booked yet."""

    effective_at: datetime
    type: MovementType
    amount: Amount
    balance_after: Amount
    lot: Any
    movement: Any = None


@dataclass(frozen=True, slots=True)
class Account:
    """One currency of a kind (points: ``""``): opening and the lines add up to closing."""

    currency: str
    opening: Amount
    lines: Sequence[Line]
    closing: Amount


def statement(ledger: Ledger, customer: Customer, period: Period, *, now: datetime) -> list[Account]:
    """The customer's accounts of one kind within ``period``, by currency; five queries.

    Opening is what could be used in the last instant before the period, closing in its last instant, or at ``now`` in
    a period that is not over. Raises TooManyLines.
    """
    opening = balances_at(ledger, customer, instant=period.begins - _INSTANT)
    by_currency: dict[str, list[tuple[datetime, int, Any]]] = defaultdict(list)
    for entry in _entries(ledger, customer, period, now):
        by_currency[getattr(entry[2], "currency", "")].append(entry)
    names = sorted(opening.keys() | by_currency.keys())
    return [_account(name, opening.get(name, NOTHING).available, by_currency.get(name, [])) for name in names]


def _entries(ledger: Ledger, customer: Customer, period: Period, now: datetime) -> Iterator[tuple[datetime, int, Any]]:
    """What took effect in the period: when, an order among what did at once, and the movement or the lapsed lot."""
    tables = ledger.tables
    booked_then = Q(created_at__gte=period.begins, created_at__lt=period.ends) & ~Q(type=MovementType.EXPIRE)
    lapsed = Q(lot__expires_at__gte=period.begins, lot__expires_at__lt=period.ends, type=MovementType.EXPIRE)
    movements = history(ledger, customer).filter(booked_then | lapsed)
    wanted = movements.select_related("lot", "order", "remark").defer("order__lines", "order__platform_data")
    rows = list(wanted.order_by("id")[: MOST_LINES + 1])
    lots = tables.lot.objects.for_store(customer.store).filter(
        customer=customer, remaining__gt=0, expires_at__gte=period.begins, expires_at__lt=period.ends
    )
    open_lots = list(lots.filter(expires_at__lte=now).order_by("expires_at", "id")[: MOST_LINES + 1])
    if len(rows) + len(open_lots) > MOST_LINES:
        raise TooManyLines
    for row in rows:
        yield (row.lot.expires_at if row.type == MovementType.EXPIRE else row.created_at), row.pk, row
    last = rows[-1].pk if rows else 0
    for position, lot in enumerate(open_lots, start=1):
        yield lot.expires_at, last + position, lot


def _account(currency: str, opening: Amount, entries: list[tuple[datetime, int, Any]]) -> Account:
    balance, lines = opening, []
    for effective_at, _, row in sorted(entries, key=lambda entry: entry[:2]):
        booked = hasattr(row, "balance_after")
        amount: Amount = row.amount if booked else -row.remaining
        balance += amount
        kind = MovementType(row.type) if booked else MovementType.EXPIRE
        lot = row.lot if booked else row
        lines.append(Line(effective_at, kind, amount, balance, lot, row if booked else None))
    return Account(currency, opening, lines, balance)


def by_currency(accounts: Sequence[Account], *, always: str) -> list[Account]:
    """Accounts with the currency ``always`` first, there even when nothing is in it."""
    found: Mapping[str, Account] = {account.currency: account for account in accounts}
    first = found.get(always, Account(always, 0, (), 0))
    return [first, *(account for account in accounts if account.currency != always)]
