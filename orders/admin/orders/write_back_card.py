"""What the order page says about its platform: what it was told, and whether it did it (O6)."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.phrases import listed, sentences
from loyalty.languages.retell import retell
from loyalty.outbox.models import Message, MessageStatus
from loyalty.platforms.registry import LABELS
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from orders.kinds import OWN
from orders.models import Order
from orders.services.reverts.write_back import CANCEL, TOPICS

_AT_MOST: Final = 20
_STATES: Final[Mapping[str, str]] = {
    MessageStatus.QUEUED: gettext_noop("Waiting"),
    MessageStatus.DONE: gettext_noop("Confirmed"),
    MessageStatus.FAILED: gettext_noop("Failed"),
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
    what = (
        _cancel_words(message, label)
        if message.topic == CANCEL
        else _("Tag “%(tag)s”") % {"tag": message.body.get("tag", "")}
    )
    state = _(_STATES[message.status])
    return {"what": what, "state": state, "key": message.status, "says": _says(message, store), "pk": message.pk}


def _cancel_words(message: Message, label: str) -> str:
    facts = {"platform": label, "kinds": listed(_(OWN[kind]) for kind in message.body.get("give_back", []))}
    if not facts["kinds"]:
        return _("Cancel the order on %(platform)s") % facts
    return _("Cancel the order on %(platform)s, which returns its own %(kinds)s") % facts


def _says(message: Message, store: Store) -> str:
    if message.status == MessageStatus.DONE:
        return show_moment(message.done_at, store)
    if message.status == MessageStatus.QUEUED and message.last_error:
        next_try = _("Next try %(moment)s.") % {"moment": show_moment(message.next_attempt_at, store)}
        return sentences([retell(message.last_error), next_try])
    return retell(message.last_error) or _("Will be done within a minute.")
