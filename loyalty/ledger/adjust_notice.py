"""Telling customers what was given to them or removed by hand (L6, H3)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from django.template.loader import render_to_string
from django.utils.translation import gettext, gettext_noop

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

# The subject and the first sentence; in German and Japanese the noun decides the words around it.
_SUBJECTS: Final[Mapping[Kind, str]] = {
    "credits": gettext_noop("%(store)s: your store credits have changed"),
    "points": gettext_noop("%(store)s: your member points have changed"),
}
_OPENINGS: Final[Mapping[Kind, str]] = {
    "credits": gettext_noop("your store credits at %(store)s have changed."),
    "points": gettext_noop("your member points at %(store)s have changed."),
}


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
        "opening": gettext(_OPENINGS[kind]) % {"store": store.name},
        "lines": [_line(change.adjustment, store) for change in changes],
        "balance": shown,
    }
    return Message(
        subject=gettext(_SUBJECTS[kind]) % {"store": store.name},
        text=render_to_string("loyalty/notices/adjusted.txt", context),
        html=render_to_string("loyalty/notices/adjusted.html", context),
    )


def _customer_id(change: Change) -> int:
    return int(change.customer.pk)


def _letter(kind: Kind, changes: Sequence[Change], store: Store) -> Letter:
    customer = changes[0].customer
    with in_language_of(customer, store):
        return Letter(compose(kind, changes, store=store, customer_name=customer.name), customer, None)


def _line(adjustment: Adjustment, store: Store) -> str:
    gives = adjustment.amount > 0
    amount = _show(adjustment.amount if gives else -adjustment.amount, adjustment.currency, store)
    day = show_day_in_words(last_day_of_use(adjustment.expires_at, store.tz), store)
    if not gives:
        return gettext("Removed: %(amount)s") % {"amount": amount}
    if not day:
        return gettext("Given to you: %(amount)s, valid without end") % {"amount": amount}
    return gettext("Given to you: %(amount)s, valid until %(day)s") % {"amount": amount, "day": day}


def _show(amount: Amount, currency: str, store: Store) -> str:
    return format_amount(amount, currency, store.written_in)
