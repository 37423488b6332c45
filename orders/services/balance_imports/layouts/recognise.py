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


@dataclass(frozen=True, slots=True)
class Recognised:
    """What the columns were taken for; ``product`` is None where only their names said so."""

    columns: dict[str, str]
    product: Product | None = None


def recognise(headings: Sequence[str]) -> Recognised:
    """The columns by what they say. A name is taken once, from the left; what is not sure is left to people."""
    names = {plain(heading): heading for heading in reversed(headings)}
    product = next((product for product in PRODUCTS if product.told_by <= names.keys()), None)
    known = {name: product.columns.get(name) if product else NAMES.get(name) for name in map(plain, headings)}
    columns: dict[str, str] = {}
    for name, key in known.items():
        if key and key not in columns:
            columns[key] = names[name]
    for key, other in _ONLY_WITH.items():
        if key in columns and other not in columns:
            del columns[key]
    return Recognised(columns, product)
