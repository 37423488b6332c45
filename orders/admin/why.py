"""Why an order's value is back, or is not, in one sentence (N6)."""

from loyalty.journal.models import JournalEntry
from loyalty.journal.record import Event
from loyalty.journal.wording import trigger_words
from loyalty.ledger.ledger import Kind
from loyalty.stores.actors import actor_names
from loyalty.stores.models import Store
from loyalty.stores.showing import show_moment
from orders.admin.showing import decision
from orders.kinds import NAMES, applied, currency_of, reverted, show
from orders.models import Order, PersonsDecision

_LEFT = {
    PersonsDecision.DECLINED: "{who} decided on {when} not to return {left}.",
    PersonsDecision.EXPIRED_LEFT: (
        "{left} had expired and were not extended when {who} decided on {when}; they can still be extended."
    ),
    PersonsDecision.DISMISSED: "{who} dismissed returning {left} on {when}.",
    PersonsDecision.DEFERRED: "{left} were left for later by {who} on {when}: nobody has decided yet.",
    PersonsDecision.NONE: "Nobody has decided yet about {left}.",
}
_DECIDING = (Event.ORDER_CANCELLED, Event.REVERT_DECIDED, Event.CREDITS_REVERTED, Event.POINTS_REVERTED)


def why(order: Order, kind: Kind, store: Store) -> str:
    """The sentence for one kind; empty while there is nothing to explain. Three queries at most."""
    used, back = applied(order, kind), reverted(order, kind)
    if not order.fell_through and not back:
        return ""
    if not order.fell_through:
        in_hand = f"{show(back, currency_of(order, kind), store)} of its {NAMES[kind]}"
        return f"The order is not cancelled, but {in_hand} went back to the customer and were not deducted again."
    last = _last_decision(order, store)
    who, when = _by_whom(last, store)
    if used == back:
        return (
            f"All {NAMES[kind]} are back, {trigger_words(last.data.get('trigger', ''))} ({who}, {when})."
            if last
            else ""
        )
    left = (
        f"{show(used - back, currency_of(order, kind), store)} of {NAMES[kind]}"
        if kind == "credits"
        else show(used - back, "", store)
    )
    sentence = _LEFT[PersonsDecision(decision(order, kind))] if last else _LEFT[PersonsDecision.NONE]
    words = sentence.format(who=who, when=when, left=left)
    return words[0].upper() + words[1:]


def _last_decision(order: Order, store: Store) -> JournalEntry | None:
    entries = JournalEntry.objects.for_store(store).filter(order=order, event__in=_DECIDING)
    last: JournalEntry | None = entries.order_by("-id").first()
    return last


def _by_whom(entry: JournalEntry | None, store: Store) -> tuple[str, str]:
    if entry is None:
        return "", ""
    return actor_names([entry.actor])[entry.actor], show_moment(entry.created_at, store)
