"""The two doors to what a platform wrote: an order, and a message. Pure.

Whatever a document is given for, what it *is* decides: one that is recognisably something else is refused in words.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from loyalty.platforms.documents.read import Fields
from loyalty.platforms.meaning import Meaning
from loyalty.platforms.recognise import disagreement, refuse_other_kinds
from loyalty.platforms.registry import PLATFORMS
from loyalty.platforms.snapshot import NotAnOrder, OrderSnapshot


def read_order(platform: str, document: Mapping[str, object], *, tags_meta_key: str = "") -> OrderSnapshot:
    """The order in a platform's document, and what of it could not be read (O10).

    ``tags_meta_key`` is where a connection to WooCommerce keeps the tags. Raises NotAnOrder, naming the field, when
    the document is something else or incomplete; KeyError for an unknown platform.
    """
    orders = PLATFORMS[platform].orders
    refuse_other_kinds(document, platform=platform)
    fields = Fields(document)
    order = orders.read(fields, tags_meta_key)
    return replace(order, left_out=tuple(fields.left_out), unknown=_unknown(fields, orders.sources))


def meaning_of(platform: str, topic: str, document: Mapping[str, object]) -> Meaning:
    """What a delivery of ``platform`` asks for. Raises NotAnOrder when it belies or lacks what its topic promises."""
    webhooks = PLATFORMS[platform].webhooks
    if webhooks.topic_header and (belied := disagreement(topic, document)):
        raise NotAnOrder(belied, field="topic")
    return webhooks.meaning_of(topic.strip().lower(), document)


def _unknown(order: Fields, sources: Mapping[str, Collection[str]]) -> frozenset[str]:
    """The fields of the snapshot of which nothing is said, because something they are read from was left out."""
    return frozenset(name for name, paths in sources.items() if not order.left_out.keys().isdisjoint(paths))
