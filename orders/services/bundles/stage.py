"""The lines of a bundle in temporary tables of the database, each with the id that its row will have.

Every line is held against what this version writes before the database sees it, and everything is staged before a row
of the store is written.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import psycopg
from django.db import connection
from django.utils.translation import gettext as _

from loyalty.core.storable_text import storable_json
from loyalty.stores.models import FormerActor
from orders.services.bundles.manifest import BundleRefused
from orders.services.bundles.opened import Bundle
from orders.services.bundles.tables import TRAVELS, Table
from orders.services.bundles.write import ACTORS, BOUND

_DECIMAL: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,3})?", re.ASCII)
# As long as the columns that hold one.
_LONGEST_REF: Final = 100
_LARGEST_ID: Final = 2**63 - 1
_MAKE: Final = """
CREATE TEMPORARY TABLE {name} (
    line bigint NOT NULL, old_id bigint NOT NULL, doc jsonb NOT NULL,
    id bigint NOT NULL DEFAULT nextval(pg_get_serial_sequence('{table}', 'id'))
) ON COMMIT DROP
"""
_MAKE_ACTORS: Final = f"""
CREATE TEMPORARY TABLE bundle_{ACTORS} (
    line bigint NOT NULL, ref text PRIMARY KEY, name text NOT NULL,
    id bigint NOT NULL DEFAULT nextval(pg_get_serial_sequence('{FormerActor._meta.db_table}', 'id'))
) ON COMMIT DROP
"""
STAGED: Final = (f"bundle_{ACTORS}", *(table.staged for table in TRAVELS))


def stage(bundle: Bundle) -> None:
    """Read every line of the bundle into temporary tables, which last as long as the transaction around this.

    Raises BundleRefused, which names file and line.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_ACTORS)
        _copy(cursor, ACTORS, "line, ref, name", _actors(bundle))
        for table in TRAVELS:
            cursor.execute(_MAKE.format(name=table.staged, table=table.model._meta.db_table))
            _copy(cursor, table.name, "line, old_id, doc", _Lines(table).of(bundle))
            cursor.execute(f"CREATE UNIQUE INDEX ON {table.staged} (old_id)")
            cursor.execute(f"ANALYZE {table.staged}")


def unstage() -> None:
    """Drop the temporary tables before the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {', '.join(STAGED)}")


def _copy(cursor: Any, name: str, columns: str, rows: Iterator[tuple[Any, ...]]) -> None:
    try:
        with cursor.copy(f"COPY bundle_{name} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        line = re.search(r"line (\d+)", error.diag.context or "")
        raise _refusal(name, int(line[1]) if line else 0, _("It holds a value that cannot be kept.")) from None


def _actors(bundle: Bundle) -> Iterator[tuple[Any, ...]]:
    known = re.compile(f"{BOUND}.", re.ASCII)
    for number, line in enumerate(bundle.lines(ACTORS), 1):
        row = _read(ACTORS, number, line)
        if list(row) != ["ref", "name"] or not all(isinstance(value, str) for value in row.values()):
            raise _refusal(ACTORS, number, _("It does not say who acted."))
        if not known.match(row["ref"]) or len(row["ref"]) > _LONGEST_REF:
            raise _refusal(ACTORS, number, _("It does not say who acted."))
        yield number, row["ref"], row["name"]


class _Lines:
    """The lines of one table, each held against its columns."""

    def __init__(self, table: Table) -> None:
        self.name = table.name
        self.columns = {str(column.column) for column in table.fields}
        self.keys, self.numeric = tuple(table.keys), tuple(table.numeric)

    def of(self, bundle: Bundle) -> Iterator[tuple[int, int, str]]:
        """Number, id and text of each line. Raises BundleRefused for one that no bundle of this version has."""
        last = 0
        for number, line in enumerate(bundle.lines(self.name), 1):
            row = _read(self.name, number, line)
            if row.keys() != self.columns:
                name = min(row.keys() ^ self.columns)
                words = _("The column “%(column)s” is missing or unknown. The version that wrote a bundle reads it.")
                raise _refusal(self.name, number, words % {"column": name[:100]})
            if not (_is_id(row["id"]) and row["id"] > last):
                raise _refusal(self.name, number, _("Its id is not a number, or is not above the one before."))
            last = row["id"]
            self._check(number, row)
            yield number, last, line.decode()

    def _check(self, number: int, row: dict[str, Any]) -> None:
        for name in self.keys:
            if not (row[name] is None or _is_id(row[name])):
                raise _refusal(self.name, number, _("%(column)s is not an id.") % {"column": name})
        for name in self.numeric:
            value = row[name]
            if not (value is None or (isinstance(value, str) and _DECIMAL.fullmatch(value))):
                raise _refusal(self.name, number, _("%(column)s is not an amount.") % {"column": name})


def _is_id(value: Any) -> bool:
    return type(value) is int and 0 < value <= _LARGEST_ID


def _read(table: str, number: int, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise _refusal(table, number, _("It is not JSON.")) from None
    if not isinstance(row, dict):
        raise _refusal(table, number, _("It is not a row."))
    # Only what is written as an escape can be a half of a surrogate pair, or a NUL.
    if b"\\u" in line and storable_json(row) != row:
        raise _refusal(table, number, _("It holds characters that cannot be kept."))
    return row


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _refusal(table: str, number: int, why: str) -> BundleRefused:
    words = _("ndjson/%(table)s.ndjson line %(line)s: %(why)s")
    return BundleRefused(words % {"table": table, "line": number, "why": why})
