"""What a backup says of itself: from when, of which version, every file with its checksum, every table with its sum."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from loyalty import __version__

NAME: Final = "manifest.json"
# Goes up when an older reader could not make of a backup what was meant.
FORMAT: Final = 1


class BackupError(Exception):
    """A backup could not be taken, or is not to be put back; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a backup: its length in bytes and its SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class TableSum:
    """What a table holds: how many rows, and a sum of a checksum over each of them, whatever their order."""

    rows: int
    checksum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The contents of ``manifest.json``. ``taken_at`` is the moment that all of it shows.

    ``sealed`` is a known text under the first of CREDENTIALS_KEYS: whoever can open it has that key.
    """

    taken_at: str
    server: str
    migrations: Mapping[str, list[str]]
    tables: Mapping[str, TableSum]
    files: Mapping[str, File]
    sealed: str
    product: str = __version__
    format: int = FORMAT

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files.values())

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables.values())

    def as_json(self) -> str:
        """The file, for programs and for people."""
        return json.dumps(asdict(self), indent=1)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup. Raises BackupError for a folder that is none, or is another version's."""
    try:
        said: dict[str, Any] = json.loads((folder / NAME).read_bytes())
        if said["format"] != FORMAT:
            raise BackupError(f"{folder} has format {said['format']}; this version reads format {FORMAT}.")
        tables = {name: TableSum(**table) for name, table in said.pop("tables").items()}
        files = {name: File(**file) for name, file in said.pop("files").items()}
        return Manifest(tables=tables, files=files, **said)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupError(f"{folder} is no whole backup: its {NAME} is missing or damaged.") from error


def file_of(path: Path) -> File:
    """A file's size and checksum, read in bounded memory."""
    with path.open("rb") as content:
        return File(path.stat().st_size, hashlib.file_digest(content, "sha256").hexdigest())
