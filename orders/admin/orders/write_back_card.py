"""What the order page says about its platform: what it was told, and whether it did it (O6)."""

from collections.abc import Mapping
from typing import Any, Final

from loyalty.outbox.models import Message, MessageStatus
from loyalty.platforms.registry import LABELS
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from orders.models import Order
from orders.services.reverts.write_back import CANCEL, TOPICS

_AT_MOST: Final = 20
_STATES: Final[Mapping[str, str]] = {
    MessageStatus.QUEUED: "Waiting",
    MessageStatus.DONE: "Confirmed",
    MessageStatus.FAILED: "Failed",
}


def write_back_card(order: Order, store: Store) -> dict[str, Any] | None:
    """The card, or None for an order without anything to say; one query for orders from platforms, else none."""
    label = LABELS.get(order.platform)
    if label is None or not order.external_id:
        return None
    messages = Message.objects.for_store(store).filter(order=order, topic__in=TOPICS).order_by("-pk")[:_AT_MOST]
    told = [_line(message, label, store) for message in messages]
    cancelling = any(message.topic == CANCEL and message.status == MessageStatus.QUEUED for message in messages)
    still_open = order.open_on_platform and not cancelling
    if not told and not still_open:
        return None
    return {"label": label, "told": told, "still_open": still_open}


def _line(message: Message, label: str, store: Store) -> dict[str, Any]:
    what = _cancel_words(message, label) if message.topic == CANCEL else f"Tag “{message.body.get('tag', '')}”"
    state = _STATES[message.status]
    return {"what": what, "state": state, "key": message.status, "says": _says(message, store), "pk": message.pk}


def _cancel_words(message: Message, label: str) -> str:
    kinds = " and ".join(message.body.get("give_back", []))
    return f"Cancel the order on {label}" + (f", which returns its own {kinds}" if kinds else "")


def _says(message: Message, store: Store) -> str:
    if message.status == MessageStatus.DONE:
        return show_moment(message.done_at, store)
    if message.status == MessageStatus.QUEUED and message.last_error:
        return f"{message.last_error} Next try {show_moment(message.next_attempt_at, store)}."
    return message.last_error or "Will be done within a minute."
