"""Many rows in one statement: the hot writes pass whole columns to the database as arrays.

The driver would quote every element by itself; an array written here costs a fraction of that.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Any, Final

from django.db import connection, models

from loyalty.database.prepared import ask


def array(values: Iterable[Any]) -> str:
    """A PostgreSQL array of numbers, texts, booleans, instants or None, to be cast: ``%s::bigint[]``."""
    elements = list(values)
    types = set(map(type, elements))
    # A column mostly holds one type, and what is said of the whole of it costs next to nothing.
    if types <= _UNQUOTED:
        return "{" + ",".join(map(str, elements)) + "}"
    if types == {NoneType}:
        return "{" + ",".join(["NULL"] * len(elements)) + "}"
    if NoneType in types and types <= _UNQUOTED_OR_NONE:
        return "{" + ",".join(["NULL" if value is None else str(value) for value in elements]) + "}"
    if NoneType not in types:
        joined = '","'.join(map(str, elements))
        if "\\" not in joined and joined.count('"') == 2 * (len(elements) - 1):
            return f'{{"{joined}"}}'
    return "{" + ",".join([_WRITE.get(type(value), _quoted)(value) for value in elements]) + "}"


def _quoted(value: Any) -> str:
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


_WRITE: Final[Mapping[type, Callable[[Any], str]]] = {
    int: str,
    Decimal: str,
    bool: str,
    NoneType: lambda _: "NULL",
}
_NOTHING: Final[Mapping[str, Any]] = {}
_UNQUOTED: Final = frozenset({int, Decimal, bool})
_UNQUOTED_OR_NONE: Final = _UNQUOTED | {NoneType}


def insert(
    model: type[models.Model], columns: Mapping[str, Sequence[Any]], *, same: Mapping[str, Any] = _NOTHING
) -> list[int]:
    """Insert rows, given column by column, in one statement; answers their ids in the order given.

    ``same``: columns that have one value in all of the rows, which then travels once.
    """
    statement, values = insert_statement(model, columns, same)
    return [row[0] for row in ask(statement, values).rows()]


def send(
    model: type[models.Model], columns: Mapping[str, Sequence[Any]], *, same: Mapping[str, Any] = _NOTHING
) -> None:
    """As :func:`insert` for rows whose ids nobody needs: sent ahead within :func:`~loyalty.database.prepared.together`.

    Whoever puts the next rows together meanwhile does not wait for these.
    """
    ask(*insert_statement(model, columns, same))


def new_ids(model: type[models.Model], count: int) -> list[int]:
    """Ids for so many rows that are to be written, drawn first so that other rows can name them."""
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval((SELECT pg_get_serial_sequence(%s, 'id'))::regclass) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [row[0] for row in cursor.fetchall()]


def insert_statement(
    model: type[models.Model], columns: Mapping[str, Sequence[Any]], same: Mapping[str, Any] = _NOTHING
) -> tuple[str, list[Any]]:
    """The statement of :func:`insert` with its values, for those that make it a part of a larger one."""
    _, rows = _named(model, tuple(columns))
    return _insert(model, tuple(columns), tuple(same)), [*same.values(), *rows.sent(columns.values())]


@cache
def _insert(model: type[models.Model], columns: Sequence[str], same: Sequence[str]) -> str:
    names, rows = _named(model, columns)
    names_of_same, of_same = _named(model, same)
    table = connection.ops.quote_name(model._meta.db_table)
    into = ", ".join((*names_of_same, *names))
    picked = ", ".join((*(f"%s::{of}" for of in of_same.types), *rows.picked))
    return f"INSERT INTO {table} ({into}) SELECT {picked} FROM {rows} RETURNING id"


def update(
    model: type[models.Model],
    ids: Sequence[int],
    columns: Mapping[str, Sequence[Any]],
    *,
    returning: Sequence[str] = (),
) -> dict[int, tuple[Any, ...]]:
    """Give rows, by their ids, other values in one statement, column by column; answers ``returning`` by id."""
    values = {"id": ids, **columns}
    names, rows = _named(model, tuple(values))
    table = connection.ops.quote_name(model._meta.db_table)
    sets = ", ".join(f"{name} = {value}" for name, value in zip(names[1:], rows.picked[1:], strict=True))
    answered = ", ".join(f"{table}.{connection.ops.quote_name(name)}" for name in ("id", *returning))
    statement = f"UPDATE {table} SET {sets} FROM {rows} WHERE {table}.id = given.c0 RETURNING {answered}"
    return {row[0]: row[1:] for row in ask(statement, rows.sent(values.values())).rows()}


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows whose columns are called ``given.c0``, ``given.c1`` …, and how each is read as the type of its column."""

    types: Sequence[str]

    @property
    def picked(self) -> list[str]:
        """The columns, as the rows have them; what was None in a column of JSON is nothing, not JSON's null."""
        return [_PICKED.get(_family(of), "given.c{i}").format(i=i, of=of) for i, of in enumerate(self.types)]

    def sent(self, columns: Iterable[Sequence[Any]]) -> list[str]:
        """The values of the columns as they travel."""
        return [_sent(of, column) for of, column in zip(self.types, columns, strict=True)]

    def __str__(self) -> str:
        columns = ", ".join(_SENT.get(_family(of), "unnest(%s::{of}[])").format(of=of) for of in self.types)
        return f"ROWS FROM ({columns}) AS given ({', '.join(f'c{i}' for i in range(len(self.types)))})"


# Arrays travel as text: an array of arrays would be taken apart down to the last element. A column of JSON travels as
# one document, which takes a third of the time of as many texts that are each quoted once more.
_SENT: Final[Mapping[str, str]] = {"array": "unnest(%s::text[])", "json": "jsonb_array_elements(%s::jsonb)"}
_PICKED: Final[Mapping[str, str]] = {"array": "given.c{i}::{of}", "json": "nullif(given.c{i}, 'null')"}


def _family(of: str) -> str:
    return "array" if of.endswith("[]") else "json" if of == "jsonb" else ""


@cache
def _named(model: type[models.Model], columns: Sequence[str]) -> tuple[list[str], _Rows]:
    fields: list[Any] = [model._meta.get_field(name) for name in columns]
    return [connection.ops.quote_name(field.column) for field in fields], _Rows([_type(field) for field in fields])


def _type(field: Any) -> str:
    """The type of a column without its length: a cast would cut what does not fit, an insert refuses it."""
    whole = str(field.db_type(connection))
    of = whole.partition("(")[0].removesuffix("[]")
    return f"{of}[]" if whole.endswith("[]") else of


def _sent(of: str, column: Sequence[Any]) -> str:
    """What the values of a column of this type travel as."""
    match _family(of):
        case "json":
            return json.dumps(list(column))
        case "array":
            return array(map(array, column))
        case _:
            return array(column)
