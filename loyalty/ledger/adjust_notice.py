"""Telling customers what was given to them or removed by hand (L6, H3)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from django.template.loader import render_to_string

from loyalty.core.days import last_day_of_use
from loyalty.core.money import format_amount
from loyalty.ledger.adjust import Adjustment
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount
from loyalty.ledger.posting import Posted
from loyalty.notices.models import Notice
from loyalty.notices.write import Letter, Message, in_language_of, queue
from loyalty.stores.actors import Actor
from loyalty.stores.dates import show_day_in_words
from loyalty.stores.models import Customer, Store

_NAMES: Final[Mapping[Kind, str]] = {"credits": "store credits", "points": "member points"}


@dataclass(frozen=True, slots=True)
class Change:
    """One adjustment of a customer's balance; ``balance`` is what there was after it, None where nobody knows."""

    customer: Customer
    adjustment: Adjustment
    balance: Amount | None = None

    @classmethod
    def of(cls, customer: Customer, adjustment: Adjustment, posted: Sequence[Posted]) -> "Change":
        """The change that these movements were written for."""
        return cls(customer, adjustment, posted[-1].balance_after if posted else None)


def tell(kind: Kind, changes: Iterable[Change], *, store: Store, actor: Actor, now: datetime) -> list[Notice]:
    """Write one message to each of the customers, in the transaction of what it tells; none without an address.

    What was written for the staff, reason and note, stays with them.
    """
    by_customer = groupby(sorted(changes, key=_customer_id), key=_customer_id)
    letters = [_letter(kind, list(mine), store) for _, mine in by_customer]
    return queue(letters, actor=actor, now=now)


def compose(kind: Kind, changes: Sequence[Change], *, store: Store, customer_name: str) -> Message:
    """The message about one customer's changes, in their order; the balance is the one after the last."""
    last = changes[-1]
    shown = None if last.balance is None else _show(last.balance, last.adjustment.currency, store)
    context = {
        "store": store,
        "customer_name": customer_name,
        "name": _NAMES[kind],
        "lines": [_line(change.adjustment, store) for change in changes],
        "balance": shown,
    }
    return Message(
        subject=f"{store.name}: your {_NAMES[kind]} have changed",
        text=render_to_string("loyalty/notices/adjusted.txt", context),
        html=render_to_string("loyalty/notices/adjusted.html", context),
    )


def _customer_id(change: Change) -> int:
    return int(change.customer.pk)


def _letter(kind: Kind, changes: Sequence[Change], store: Store) -> Letter:
    customer = changes[0].customer
    with in_language_of(customer, store):
        return Letter(compose(kind, changes, store=store, customer_name=customer.name), customer, None)


def _line(adjustment: Adjustment, store: Store) -> dict[str, str]:
    gives = adjustment.amount > 0
    amount: Amount = adjustment.amount if gives else -adjustment.amount
    day = show_day_in_words(last_day_of_use(adjustment.expires_at, store.tz), store)
    until = f"valid until {day}" if day else "valid without end"
    return {
        "what": "Given to you" if gives else "Removed",
        "amount": _show(amount, adjustment.currency, store),
        "until": until if gives else "",
    }


def _show(amount: Amount, currency: str, store: Store) -> str:
    return format_amount(amount, currency, store.written_in)
