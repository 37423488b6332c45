"""Why an order's value is back, or is not, in one sentence (N6)."""

from collections.abc import Collection, Mapping, Sequence
from itertools import product

from django.utils.translation import gettext as _

from loyalty.core.phrases import listed, sentences
from loyalty.journal.models import JournalEntry
from loyalty.languages.own_names import name_of, own_words
from loyalty.ledger.ledger import Kind
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from loyalty.timeline.decision_sentences import left_words
from loyalty.timeline.sentences import sentence
from orders.kinds import KINDS, applied, currency_of, reverted, show
from orders.models import Order
from orders.services.reverts.apply import RULES
from orders.services.rules.trace import last_decisions


def why(order: Order, kind: Kind, store: Store) -> str:
    """The sentence for one kind; empty while there is nothing to explain. Three queries at most."""
    return whys([order], store)[order.pk, kind]


def whys(orders: Collection[Order], store: Store) -> dict[tuple[int, Kind], str]:
    """The sentence by order and kind, for many orders of one store; three queries at most."""
    last = last_decisions(orders, store) if orders else {}
    names = actor_names(entry.actor for entry in last.values())
    return {
        (order.pk, kind): _sentence(order, kind, last.get((order.pk, kind)), names, store)
        for order, kind in product(orders, KINDS)
    }


def reasons(orders: Collection[Order], store: Store) -> dict[int, list[str]]:
    """Why orders of one store need a decision, by order: one sentence when it is the same for both kinds.

    Three queries at most.
    """
    last = last_decisions(orders, store) if orders else {}
    names = actor_names(entry.actor for entry in last.values())
    return {order.pk: _reasons(order, last, names, store) for order in orders}


def _reasons(
    order: Order, last: Mapping[tuple[int, Kind], JournalEntry], names: Mapping[str, str], store: Store
) -> list[str]:
    left = [kind for kind in KINDS if reverted(order, kind) < applied(order, kind)]
    told = [_sentence(order, kind, last.get((order.pk, kind)), names, store) for kind in left]
    entries = [last[order.pk, kind] for kind in left if (order.pk, kind) in last]
    return _as_one(entries, told, store) if len(entries) > 1 else told


def _as_one(entries: Sequence[JournalEntry], told: list[str], store: Store) -> list[str]:
    """Both kinds in the first one's sentence, when they were decided together and alike."""
    credits, points = entries
    if (credits.event, credits.data["code"], credits.created_at) != (
        points.event,
        points.data["code"],
        points.created_at,
    ):
        return told
    first, second = (left_words(entry.data, store) for entry in entries)
    return [told[0].replace(first, listed([first, second]), 1)] if first in told[0] else told


def _sentence(order: Order, kind: Kind, last: JournalEntry | None, names: Mapping[str, str], store: Store) -> str:
    back = reverted(order, kind)
    if last is not None and (order.to_be_decided or order.failed_after_payment or _is_a_rules(last)):
        words = _("%(sentence)s (%(name)s, %(moment)s).")
        moment = show_moment(last.created_at, store)
        return words % {"sentence": sentence(last, store), "name": names[last.actor], "moment": moment}
    if not order.to_be_decided:
        return _in_hand(order, kind, store) if back else ""
    left = show(applied(order, kind) - back, currency_of(order, kind), store)
    words = _("Nobody has decided yet about %(amount)s.") % {"amount": left}
    if kind == "credits":
        words = own_words("Nobody has decided yet about %(amount)s of store credits.", amount=left)
    deleted = "" if order.fell_through else _("Deleted on the platform before it was paid.")
    return sentences([deleted, words])


def _is_a_rules(last: JournalEntry) -> bool:
    """Whether a rule had something to decide, which it may have on orders that did not fall through."""
    return last.data["trigger"] in RULES and last.data["code"] != "no_trigger"


def _in_hand(order: Order, kind: Kind, store: Store) -> str:
    amount = show(reverted(order, kind), currency_of(order, kind), store)
    words = _(
        "The order is not cancelled, but %(amount)s of its %(kind)s went back to the customer and were not deducted "
        "again."
    )
    return words % {"amount": amount, "kind": name_of(kind)}
