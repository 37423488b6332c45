"""Why an order's value is back, or is not, in one sentence (N6)."""

from loyalty.journal.models import JournalEntry
from loyalty.journal.wording import sentence
from loyalty.ledger.ledger import Kind
from loyalty.stores.actors import actor_names
from loyalty.stores.models import Store
from loyalty.stores.showing import show_moment
from orders.kinds import NAMES, applied, currency_of, reverted, show
from orders.models import Order
from orders.services.applying import RULES
from orders.services.tracing import last_decision


def why(order: Order, kind: Kind, store: Store) -> str:
    """The sentence for one kind; empty while there is nothing to explain. Two queries at most."""
    back, last = reverted(order, kind), last_decision(order, kind, store)
    if last is not None and (order.fell_through or _is_a_rules(last)):
        return _told(last, store)
    if not order.fell_through and not back:
        return ""
    if not order.fell_through:
        in_hand = f"{show(back, currency_of(order, kind), store)} of its {NAMES[kind]}"
        return f"The order is not cancelled, but {in_hand} went back to the customer and were not deducted again."
    left = show(applied(order, kind) - back, currency_of(order, kind), store)
    return f"Nobody has decided yet about {left}{' of store credits' if kind == 'credits' else ''}."


def _is_a_rules(last: JournalEntry) -> bool:
    """Whether a rule had something to decide, which it may have on orders that did not fall through."""
    return last.data["trigger"] in RULES and last.data["code"] != "no_trigger"


def _told(last: JournalEntry, store: Store) -> str:
    who = actor_names([last.actor])[last.actor]
    return f"{sentence(last, store)} ({who}, {show_moment(last.created_at, store)})."
