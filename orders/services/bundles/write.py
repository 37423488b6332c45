"""Writing a store as a bundle: each table once as lines of JSON and once as CSV, and what it all comes to."""

import hashlib
import json
import uuid
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, Any, Final

from loyalty.exporting.files import csv_parts
from loyalty.exporting.tables import Cell
from loyalty.stores.actors import actor_names
from loyalty.stores.models import Store
from orders.services.bundles.manifest import NAME, File, Manifest, facts_of
from orders.services.bundles.sums import sums_of
from orders.services.bundles.tables import MEMBER, TRAVELS, Table

# Who acted, by the references that stand in the other files.
ACTORS: Final = "actors"
# References that mean something in one installation alone.
BOUND: Final = "^(user|api_key):"
_ROWS_AT_ONCE: Final = 2000
_COPIED_AT_ONCE: Final = 1 << 20


class _Counted:
    """A file that counts and hashes what is written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.size, self.hash = file, 0, hashlib.sha256()

    def write(self, part: bytes) -> None:
        self.file.write(part)
        self.hash.update(part)
        self.size += len(part)

    def facts(self, name: str, rows: int) -> File:
        """What was written, for the manifest."""
        return File(name, rows, self.size, self.hash.hexdigest())


class _Writer:
    """Puts one table after the other into the zip, and remembers what each file holds."""

    def __init__(self, archive: zipfile.ZipFile, now: datetime, tell: Callable[[int], None]) -> None:
        self.archive, self.now, self.tell = archive, now, tell
        self.files: list[File] = []
        self.rows = 0

    def table(self, name: str, columns: Iterable[str], numeric: Iterable[str], rows: Iterator[str]) -> None:
        """Write the rows, which are lines of JSON, as both files. Of a CSV the disk holds what is not yet packed."""
        with TemporaryFile() as kept:
            table = _Counted(kept)
            with self._entry(f"ndjson/{name}.ndjson") as entry:
                lines, before = _Counted(entry), self.rows
                cells = self._noting(lines, rows, frozenset(numeric))
                for part in csv_parts(list(columns), cells):
                    table.write(part.encode())
            kept.seek(0)
            with self._entry(f"csv/{name}.csv") as entry:
                copyfileobj(kept, entry, _COPIED_AT_ONCE)
        count = self.rows - before
        self.files += [lines.facts(f"ndjson/{name}.ndjson", count), table.facts(f"csv/{name}.csv", count)]

    def _noting(self, lines: _Counted, rows: Iterator[str], numeric: frozenset[str]) -> Iterator[list[Cell]]:
        for row in rows:
            lines.write(row.encode() + b"\n")
            self.rows += 1
            if self.rows % _ROWS_AT_ONCE == 0:
                self.tell(self.rows)
            yield [_cell(value, name in numeric) for name, value in json.loads(row).items()]

    def _entry(self, name: str) -> IO[bytes]:
        info = zipfile.ZipInfo(name, self.now.astimezone(UTC).timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        return self.archive.open(info, "w", force_zip64=True)

    def manifest(self, manifest: Manifest) -> None:
        """The last file."""
        with self._entry(NAME) as entry:
            entry.write(manifest.as_json())


def write_bundle(
    connection: Any, store: Store, out: IO[bytes], *, now: datetime, tell: Callable[[int], None] = lambda _: None
) -> Manifest:
    """Write everything of ``store`` to ``out``, as ``connection`` sees it; ``tell`` hears how many rows are written.

    Memory does not grow with the rows. The store must be named (T1), and the connection in a transaction that sees one
    moment, or the files may not agree with each other.
    """
    with zipfile.ZipFile(out, "w", allowZip64=True) as archive:
        writer = _Writer(archive, now, tell)
        with connection.cursor() as cursor:
            sums, actors = sums_of(cursor, store.pk), _actors(cursor, store.pk)
        writer.table(ACTORS, ("ref", "name"), (), iter(actors))
        for table in TRAVELS:
            names = [column.column for column in table.fields]
            writer.table(table.name, names, table.numeric, _rows(connection, table, store.pk))
        manifest = Manifest(uuid.uuid4().hex, now.isoformat(), facts_of(store), writer.files, sums)
        writer.manifest(manifest)
    return manifest


def count_rows(connection: Any, store: Store) -> int:
    """How many rows a bundle of ``store`` has, but for who acted."""
    counts = " UNION ALL ".join(f"SELECT count(*) AS rows FROM {_source(table)}" for table in TRAVELS)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT sum(rows)::bigint FROM ({counts}) AS counted", [store.pk] * len(TRAVELS))
        return int(cursor.fetchone()[0])


def _source(table: Table) -> str:
    return f'"{table.model._meta.db_table}" AS mine WHERE mine.store_id = %s AND {table.rows}'


def _rows(connection: Any, table: Table, store_id: int) -> Iterator[str]:
    """The table's rows as JSON, in the order of their ids, through a cursor on the server."""
    texts = frozenset(table.numeric)
    picked = ", ".join(_picked(column.column, column.column in texts) for column in table.fields)
    statement = f"SELECT row_to_json(row)::text FROM (SELECT {picked} FROM {_source(table)} ORDER BY mine.id) AS row"
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, [store_id])
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            for (row,) in rows:
                yield row


def _picked(column: str, as_text: bool) -> str:
    return f'mine."{column}"::text AS "{column}"' if as_text else f'mine."{column}"'


def _cell(value: Any, numeric: bool) -> Cell:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    return Decimal(value) if numeric and value is not None else value


def _actors(cursor: Any, store_id: int) -> list[str]:
    """Who acted in the store, under the references that mean nothing elsewhere, as lines of JSON."""
    named = [(table, f'mine."{name}"') for table in TRAVELS for name in table.actors]
    named += [(table, f"mine.data ->> '{MEMBER}'") for table in TRAVELS if table.name == "journal"]
    refs = " UNION ".join(f"SELECT {value} AS ref FROM {_source(table)}" for table, value in named)
    cursor.execute(f"SELECT ref FROM ({refs}) AS named WHERE ref ~ %s ORDER BY ref", [*[store_id] * len(named), BOUND])
    found = [ref for (ref,) in cursor.fetchall()]
    names = actor_names(found)
    return [json.dumps({"ref": ref, "name": names[ref]}, ensure_ascii=False) for ref in found]
