"""Telling customers what was given to them or removed by hand (L6, H3)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from django.utils.translation import gettext, gettext_noop

from loyalty.core.days import last_day_of_use
from loyalty.ledger.adjust import Adjustment
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount
from loyalty.ledger.posting import Posted
from loyalty.notices.letter import Content, Part, write_letter
from loyalty.notices.models import Notice
from loyalty.notices.voice import Voice
from loyalty.notices.write import Letter, Message, in_language_of, queue
from loyalty.store_settings.sections import current_settings
from loyalty.stores.actors import Actor
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
_NAMES: Final[Mapping[Kind, str]] = {
    "credits": gettext_noop("store credits"),
    "points": gettext_noop("member points"),
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
    voice = Voice(store, current_settings(store))
    by_customer = groupby(sorted(changes, key=_customer_id), key=_customer_id)
    letters = [_letter(kind, list(mine), voice) for _, mine in by_customer]
    return queue(letters, actor=actor, now=now)


def compose(kind: Kind, changes: Sequence[Change], *, voice: Voice, customer_name: str) -> Message:
    """The message about one customer's changes, in their order; the balance is the one after the last."""
    last, own = changes[-1], voice.words.name_of(kind)
    names = {"store": voice.store.name, "kind": own}
    subject = gettext("%(store)s: a change to your %(kind)s") if own else gettext(_SUBJECTS[kind])
    opening = gettext("There was a change to your %(kind)s at %(store)s.") if own else gettext(_OPENINGS[kind])
    after = ""
    if last.balance is not None:
        after = gettext("You now have %(balance)s.") % {"balance": voice.show(last.balance, last.adjustment.currency)}
    content = Content(
        "adjusted",
        subject % names,
        opening % names,
        customer_name,
        [Part("", [_line(change.adjustment, voice) for change in changes])],
        after,
        facts={"kind": own or gettext(_NAMES[kind])},
    )
    return write_letter(content, voice)


def _customer_id(change: Change) -> int:
    return int(change.customer.pk)


def _letter(kind: Kind, changes: Sequence[Change], voice: Voice) -> Letter:
    customer = changes[0].customer
    with in_language_of(customer, voice.store):
        return Letter(compose(kind, changes, voice=voice, customer_name=customer.name), customer, None)


def _line(adjustment: Adjustment, voice: Voice) -> str:
    gives = adjustment.amount > 0
    amount = voice.show(adjustment.amount if gives else -adjustment.amount, adjustment.currency)
    day = voice.day(last_day_of_use(adjustment.expires_at, voice.store.tz))
    if not gives:
        return gettext("Removed: %(amount)s") % {"amount": amount}
    if not day:
        return gettext("Given to you: %(amount)s, valid without end") % {"amount": amount}
    return gettext("Given to you: %(amount)s, valid until %(day)s") % {"amount": amount, "day": day}
