"""Why an order's value is back, or is not, in one sentence (N6)."""

from loyalty.journal.models import JournalEntry
from loyalty.journal.wording import sentence
from loyalty.ledger.ledger import Kind
from loyalty.stores.actors import actor_names
from loyalty.stores.models import Store
from loyalty.stores.showing import show_moment
from orders.kinds import NAMES, applied, currency_of, reverted, show
from orders.models import Order
from orders.services.tracing import last_decision


def why(order: Order, kind: Kind, store: Store) -> str:
    """The sentence for one kind; empty while there is nothing to explain. Two queries at most."""
    back = reverted(order, kind)
    if not order.fell_through and not back:
        return ""
    if not order.fell_through:
        in_hand = f"{show(back, currency_of(order, kind), store)} of its {NAMES[kind]}"
        return f"The order is not cancelled, but {in_hand} went back to the customer and were not deducted again."
    last = last_decision(order, kind, store)
    if last is not None:
        return _told(last, store)
    left = show(applied(order, kind) - back, currency_of(order, kind), store)
    return f"Nobody has decided yet about {left}{' of store credits' if kind == 'credits' else ''}."


def _told(last: JournalEntry, store: Store) -> str:
    who = actor_names([last.actor])[last.actor]
    return f"{sentence(last, store)} ({who}, {show_moment(last.created_at, store)})."
