"""Many rows in one statement: the hot writes pass whole columns to the database as arrays.

The driver would quote every element by itself; an array written here costs a fraction of that.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from django.db import connection, models


def array(values: Iterable[Any]) -> str:
    """A PostgreSQL array of numbers, texts, booleans, instants or None, to be cast: ``%s::bigint[]``."""
    return "{" + ",".join([_WRITE.get(type(value), _quoted)(value) for value in values]) + "}"


def _quoted(value: Any) -> str:
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


_WRITE: Final[Mapping[type, Callable[[Any], str]]] = {
    int: str,
    Decimal: str,
    bool: str,
    type(None): lambda _: "NULL",
}


def insert(model: type[models.Model], columns: Mapping[str, Sequence[Any]]) -> list[int]:
    """Insert rows, given column by column, in one statement; answers their ids in the order given."""
    statement, values = insert_statement(model, columns)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [row[0] for row in cursor.fetchall()]


def insert_statement(model: type[models.Model], columns: Mapping[str, Sequence[Any]]) -> tuple[str, list[str]]:
    """The statement of :func:`insert` with its values, for those that make it a part of a larger one."""
    fields: list[Any] = [model._meta.get_field(name) for name in columns]
    # Types without their lengths: a cast would cut what does not fit, an insert refuses it.
    types = [str(field.db_type(connection)).partition("(")[0] for field in fields]
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    arrays = ", ".join(f"%s::{of}[]" for of in types)
    table = connection.ops.quote_name(model._meta.db_table)
    values = [
        array(map(json.dumps, column) if of == "jsonb" else column)
        for of, column in zip(types, columns.values(), strict=True)
    ]
    return f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}) RETURNING id", values
