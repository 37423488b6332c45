"""Why an order's value is back, or is not, in one sentence (N6)."""

from collections.abc import Collection, Mapping
from itertools import product

from loyalty.journal.models import JournalEntry
from loyalty.journal.wording import sentence
from loyalty.ledger.ledger import Kind
from loyalty.stores.actors import actor_names
from loyalty.stores.models import Store
from loyalty.stores.showing import show_moment
from orders.kinds import KINDS, NAMES, applied, currency_of, reverted, show
from orders.models import Order
from orders.services.applying import RULES
from orders.services.tracing import last_decisions


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


def _sentence(order: Order, kind: Kind, last: JournalEntry | None, names: Mapping[str, str], store: Store) -> str:
    back = reverted(order, kind)
    if last is not None and (order.fell_through or _is_a_rules(last)):
        return f"{sentence(last, store)} ({names[last.actor]}, {show_moment(last.created_at, store)})."
    if not order.fell_through:
        return _in_hand(order, kind, store) if back else ""
    left = show(applied(order, kind) - back, currency_of(order, kind), store)
    return f"Nobody has decided yet about {left}{' of store credits' if kind == 'credits' else ''}."


def _is_a_rules(last: JournalEntry) -> bool:
    """Whether a rule had something to decide, which it may have on orders that did not fall through."""
    return last.data["trigger"] in RULES and last.data["code"] != "no_trigger"


def _in_hand(order: Order, kind: Kind, store: Store) -> str:
    in_hand = f"{show(reverted(order, kind), currency_of(order, kind), store)} of its {NAMES[kind]}"
    return f"The order is not cancelled, but {in_hand} went back to the customer and were not deducted again."
