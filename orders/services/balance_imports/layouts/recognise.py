"""Which system wrote a file, and which of its columns say what, by their names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orders.services.balance_imports.layouts.fields import NAMES, plain
from orders.services.balance_imports.layouts.products import PRODUCTS, Product

# Columns that only make sense beside one another.
_ONLY_WITH: Final = {
    "past_at": "past_type",
    "past_type": "past_at",
    "value": "code",
    "code": "value",
    "kind": "amount",
    "amount": "kind",
}


# What a product's file calls as files do, though its own page does not name it: value whose end is missed never ends.
_ENDS: Final = frozenset({"expires_on", "points_expires_on", "credits_expires_on"})


@dataclass(frozen=True, slots=True)
class Recognised:
    """What the columns were taken for; ``product`` is None where only their names said so."""

    columns: dict[str, str]
    product: Product | None = None


def recognise(headings: Sequence[str]) -> Recognised:
    """The columns by what they say. A name is taken once, from the left; what is not sure is left to people."""
    names = {plain(heading): heading for heading in reversed(headings)}
    product = next((product for product in PRODUCTS if product.told_by <= names.keys()), None)
    everywhere = {name: key for name, key in NAMES.items() if not product or key in _ENDS}
    columns: dict[str, str] = {}
    for known in (product.columns if product else {}, everywhere):
        for name in map(plain, headings):
            key = known.get(name)
            if key and key not in columns and names[name] not in columns.values():
                columns[key] = names[name]
    for key, other in _ONLY_WITH.items():
        if key in columns and other not in columns:
            del columns[key]
    return Recognised(columns, product)
