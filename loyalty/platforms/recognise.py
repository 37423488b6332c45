"""Recognising JSON that is no order of the platform it was given for, so that the error can say what it is instead."""

from collections.abc import Mapping
from typing import Final

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.platforms.documents import kinds
from loyalty.platforms.models import OPEN_STATES, DeliveryState
from loyalty.platforms.registry import PLATFORMS
from loyalty.platforms.snapshot import NotAnOrder

_SOMETHING_ELSE: Final = gettext_noop("something else")
_EMPTY = gettext_noop("An empty object, without any order in it.")
_ONLY_AN_ID = gettext_noop("Only an id came, as platforms send when something was deleted. There is no order in it.")

_WEBHOOKS: Final = [platform.webhooks for platform in PLATFORMS.values()]
# A document may come from any platform, whatever it is given for.
_TOPICS: Final[kinds.Topics] = {topic: kind for webhooks in _WEBHOOKS for topic, kind in webhooks.topics.items()}
_SIGNS: Final[tuple[kinds.Sign, ...]] = tuple(dict.fromkeys(sign for webhooks in _WEBHOOKS for sign in webhooks.signs))
_BY_ID: Final = [webhooks.kind_by_id for webhooks in _WEBHOOKS if webhooks.kind_by_id]
_ORDER_SIGNS: Final = {
    signs: [platform.label for platform in PLATFORMS.values() if signs in platform.orders.signs]
    for platform in PLATFORMS.values()
    for signs in platform.orders.signs
}
# What these ask for cannot be taken back, so their body has to be of their kind, not merely of no other.
_CLOSED: Final = frozenset({kinds.ERASE_A_CUSTOMER, kinds.ERASE_A_SHOP})
# Their messages empty themselves, once staff have decided.
ERASING_TOPICS: Final = tuple(topic for topic, kind in _TOPICS.items() if kind in _CLOSED)
# Deliveries that are not deleted when they are old: what still waits is not lost, and a request to erase says whom it
# means until it is decided.
STAYS: Final = Q(state__in=OPEN_STATES) | Q(
    topic__in=ERASING_TOPICS, redacted_at__isnull=True, state=DeliveryState.DONE
)
_NAMES_A_SHOP: Final = frozenset({"shop_id", "shop_domain", "store_id", "store_domain"})
_AROUND: Final = _NAMES_A_SHOP | {"merchant_id", "handle", "update_time", "created_at", "timestamp"}
# A shop's own facts come when the app is taken away, and an edited order is announced without the order.
# A customer's request that names no orders may be either of two.
_NOT_TOLD_APART: Final = (
    frozenset({kinds.AN_ORDER, kinds.AN_EDITED_ORDER}),
    frozenset({kinds.OF_THE_SHOP, kinds.OF_THE_APP}),
    frozenset({kinds.A_PRIVACY_REQUEST, kinds.ERASE_A_CUSTOMER}),
    frozenset({kinds.A_PRIVACY_REQUEST, kinds.A_CUSTOMERS_DATA}),
)


def refuse_other_kinds(document: Mapping[str, object], *, platform: str) -> None:
    """Raise NotAnOrder when the document is recognisably something else, or an order of another platform."""
    if not document:
        raise NotAnOrder(_(_EMPTY))
    if document.keys() <= {"id", "_id"}:
        raise NotAnOrder(_(_ONLY_AN_ID))
    if kind := _kind_by_itself(document):
        raise NotAnOrder(_("This is %(kind)s, not an order.") % {"kind": _(kind)})
    _refuse_other_platforms(document, platform)


def refuse_other_topics(topic: str) -> None:
    """Raise NotAnOrder when a webhook's topic (``refunds/create``, ``coupon.deleted``) is not about an order."""
    subject = topic.strip().lower().replace(".", "/").partition("/")[0]
    kind = _TOPICS.get(subject, _SOMETHING_ELSE) if subject else kinds.AN_ORDER
    if kind != kinds.AN_ORDER:
        raise NotAnOrder(
            _("This is %(kind)s, not an order (a webhook about “%(topic)s”).")
            % {"kind": _(kind), "topic": topic[:100]},
            field="topic",
        )


def disagreement(topic: str, document: Mapping[str, object]) -> str:
    """How a body belies the topic that came in an unsigned header, in a sentence; "" when it does not.

    What a body *is* decides: signed bytes of one kind never act as another.
    """
    topic = topic.strip().lower()
    said, body = _kind_of_topic(topic), _kind_of_body(document)
    both = {said, body}
    agrees = len(both) == 1 or any(both <= kinds for kinds in _NOT_TOLD_APART)
    if agrees or (said not in _CLOSED and "" in both):
        return ""
    return _("The header says “%(topic)s”, and the body is %(kind)s.") % {
        "topic": topic[:100],
        "kind": _(body or _SOMETHING_ELSE),
    }


def _kind_of_topic(topic: str) -> str:
    """What a topic promises; "" when we do not know it."""
    subject = topic.replace(".", "/").partition("/")[0]
    return _TOPICS.get(topic) or _TOPICS.get(subject, "")


def _kind_of_body(document: Mapping[str, object]) -> str:
    """What a body is by itself; "" when that cannot be told."""
    if document and document.keys() <= _AROUND and not _NAMES_A_SHOP.isdisjoint(document):
        return kinds.ERASE_A_SHOP
    if "customer" in document and document.keys() <= _AROUND | {"customer"}:
        return kinds.A_PRIVACY_REQUEST
    is_order = any(signs <= document.keys() for signs in _ORDER_SIGNS)
    return _kind_by_itself(document) or (kinds.AN_ORDER if is_order else "")


def _kind_by_itself(document: Mapping[str, object]) -> str:
    """What a document is by its own id, or by its fields."""
    by_id = next((kind for kind_of in _BY_ID if (kind := kind_of(document))), "")
    return by_id or next((kind for kind, signs in _SIGNS if signs <= document.keys()), "")


def _refuse_other_platforms(document: Mapping[str, object], platform: str) -> None:
    own = PLATFORMS[platform].orders.signs
    for signs, labels in _ORDER_SIGNS.items():
        if signs <= document.keys() and signs not in own:
            label = " or ".join(labels)
            raise NotAnOrder(
                _("This looks like an order from %(label)s; please choose the platform it came from.")
                % {"label": label}
            )
