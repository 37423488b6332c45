"""What a bundle says of itself: of which store, from when, which files with how much in them, and the sums."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Final

from loyalty import __version__
from loyalty.core.errors import Invalid
from loyalty.core.storable_text import storable_json
from loyalty.stores.models import Store
from orders.services.bundles.tables import STAYS

NAME: Final = "manifest.json"
FORMAT: Final = "loyalty-store-bundle"
# Goes up when an older reader could not make of a bundle what was meant.
FORMAT_VERSION: Final = 1
_STORE: Final = ("slug", "name", "currency", "time_zone", "locale", "second_factor")

# Of one table: for each group (such as a currency) its columns with what they come to, all as texts.
Sums = Sequence[Mapping[str, str]]


class BundleRefused(Invalid):
    """A file that is no bundle, or is not what it says it is; nothing of it was kept."""

    code = "bundle-refused"
    title = "This bundle cannot be read."


@dataclass(frozen=True, slots=True)
class File:
    """One file of a bundle: its rows, and its length in bytes and SHA-256 once unpacked."""

    name: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The contents of ``manifest.json``. ``made_at`` is the moment that all of it shows."""

    bundle: str
    made_at: str
    store: Mapping[str, str]
    files: Sequence[File]
    sums: Mapping[str, Sums]
    product_version: str = __version__

    def as_json(self) -> bytes:
        """The file, for programs and for people."""
        said = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            **asdict(self),
            "does_not_travel": dict(STAYS),
        }
        return json.dumps(said, ensure_ascii=False, indent=2).encode()

    def rows_of(self, name: str) -> int:
        """How many rows a file has; 0 for one that is not there."""
        return next((file.rows for file in self.files if file.name == name), 0)


def facts_of(store: Store) -> dict[str, str]:
    """The store itself, as a bundle tells it."""
    return {name: getattr(store, name) for name in _STORE}


def read_manifest(content: bytes) -> Manifest:
    """The manifest in a file. Raises BundleRefused for what is none, and for another version of the format."""
    said = _object(content)
    if said.get("format") != FORMAT:
        raise BundleRefused(f"{NAME} is not that of a store's bundle.")
    if said.get("format_version") != FORMAT_VERSION:
        raise BundleRefused(
            f"The bundle has version {said.get('format_version')} of the format; "
            f"this installation reads version {FORMAT_VERSION}."
        )
    if said != storable_json(said):
        raise BundleRefused(f"{NAME} holds characters that cannot be kept.")
    try:
        return Manifest(
            bundle=_text(said["bundle"]),
            made_at=datetime.fromisoformat(said["made_at"]).isoformat(),
            store={name: _text(said["store"][name]) for name in _STORE},
            files=[_file(item) for item in said["files"]],
            sums={table: [_texts(group) for group in groups] for table, groups in said["sums"].items()},
            product_version=_text(said["product_version"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BundleRefused(f"{NAME} is damaged: something in it is missing or of the wrong kind.") from None


def _object(content: bytes) -> dict[str, Any]:
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        raise BundleRefused(f"{NAME} is no JSON.") from None
    if not isinstance(said, dict):
        raise BundleRefused(f"{NAME} is not that of a store's bundle.")
    return said


def _file(item: Any) -> File:
    file = File(**{field.name: item[field.name] for field in fields(File)})
    if not all(type(number) is int and number >= 0 for number in (file.rows, file.size)):
        raise ValueError
    return File(_text(file.name), file.rows, file.size, _text(file.sha256))


def _texts(group: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(value) for name, value in group.items()}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
