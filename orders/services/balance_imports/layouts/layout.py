"""How a file is laid out: how it is read, which column says what, and how its amounts and days are written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from loyalty.importing.tables import FileShape
from orders.services.balance_imports.layouts.fields import FIELDS

# What rows say beside who it is; one of them must be among the columns, unless the file only makes people known.
NAMING: Final = ("email", "external_id")
# Which columns can have said what a row says, the first of them that the file has.
_SAID_IN: Final[Mapping[str, tuple[str, ...]]] = {
    "points": ("points", "amount"),
    "credits": ("credits", "amount"),
    "points_expires_on": ("points_expires_on", "expires_on"),
    "credits_expires_on": ("credits_expires_on", "expires_on"),
    "at": ("past_at", "granted_on"),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is laid out; as JSON it is what an import and a kept layout hold.

    ``columns`` are the columns' names by what they say (:data:`FIELDS`). ``platform`` says whose the customers' numbers
    are (``""``: the store's own), ``currency`` is that of amounts whose row names none, ``product`` the system that
    the file was recognised as from.
    """

    shape: FileShape
    columns: Mapping[str, str] = field(default_factory=dict)
    decimal_mark: str = "."
    day_order: str = ""
    currency: str = ""
    platform: str = ""
    product: str = ""

    def heading(self, name: str) -> str:
        """The file's own name of the column that says ``name``; what is found in reading has that name already."""
        said_in = _SAID_IN.get(name, (name,))
        return next((self.columns[key] for key in said_in if key in self.columns), name)

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "shape": self.shape.to_json(),
            "columns": dict(self.columns),
            "decimal_mark": self.decimal_mark,
            "day_order": self.day_order,
            "currency": self.currency,
            "platform": self.platform,
            "product": self.product,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The same from what was stored; what is not known any more is left out."""
        columns = {key: str(name) for key, name in dict(stored.get("columns", {})).items() if key in FIELDS}
        texts = {key: str(stored.get(key, "")) for key in ("day_order", "currency", "platform", "product")}
        mark = str(stored.get("decimal_mark") or ".")
        return cls(FileShape.from_json(dict(stored.get("shape", {"kind": "csv"}))), columns, mark, **texts)
