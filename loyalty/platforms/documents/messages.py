"""What the messages of all platforms have in common: the order that is inside, or that they name. Pure."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _

from loyalty.platforms.documents.read import Fields
from loyalty.platforms.meaning import NAMELESS, Meaning, NamedOrder, WholeOrder
from loyalty.platforms.snapshot import NotAnOrder

# Fields that only a whole order has, of whichever platform: what is another's is refused by what it is.
_WHOLE: Final = ("financial_status", "order_key", "order_payment", "line_items", "subtotal_items")


def order_in(document: Mapping[str, object], *, restored: bool = False) -> Meaning:
    """The order inside, or the one that is named. Raises NotAnOrder when there is neither."""
    if is_whole(document):
        return WholeOrder(document, restored=restored)
    edit = Fields(document).child("order_edit").values
    return NamedOrder(id_in(edit, "order_id") if edit else id_in(document, "id", "order_id", "_id"))


def is_whole(document: Mapping[str, object]) -> bool:
    """Whether the document is an order with all that belongs to it."""
    return any(sign in document for sign in _WHOLE)


def order_named(document: Mapping[str, object], key: str) -> Meaning:
    """The order that something belongs to; what names none is understood, and left to the order's own update."""
    external_id = Fields(document).identifier(key)
    return NamedOrder(external_id) if external_id else NAMELESS


def id_in(document: Mapping[str, object], *keys: str) -> str:
    """The order's id under the first of these keys that holds one. Raises NotAnOrder."""
    fields = Fields(document)
    found = next((text for key in keys if (text := fields.identifier(key))), "")
    if not found:
        raise NotAnOrder(_("It does not say which order it is about."), field=keys[0])
    return found
