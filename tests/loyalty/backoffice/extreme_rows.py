"""Rows as far out as the database lets them be: every column of every table, as far as its constraints allow (L8)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.db import DatabaseError, connection, transaction
from psycopg import sql

from tests.database import as_owner

# Written by our own code alone, in a shape that our own code reads: none of it comes from outside as it is.
OWN_JSON: Final = frozenset(
    {"body", "codes", "counts", "data", "facts", "filters", "headers", "lots", "notes", "platform_data", "rules_news"}
    # Of a balance import: how its file is read, what the rehearsal found, what was typed in and what was written.
    | {"layout", "summary", "told", "result"}
)
# What names a row in addresses, what says what a row is, and secrets.
KEPT: Final = frozenset(
    {"slug", "time_zone", "secret_hash", "prefix", "scopes", "key", "kind", "topic", "lane", "code"}
)
# Right to left, overridden, outside the first plane, and what templates and spreadsheets would carry out.
ODD: Final = "=1+1 \u05d0\u202e\U0001f984\u200f\u2167%s{0}<b>&\x01"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of one table."""

    table: str
    name: str
    kind: str
    longest: int | None


Value = Callable[[Column], Any]


def _longest_text(column: Column) -> str:
    return (ODD * 10_000)[: column.longest or 140_000]


PROFILES: Final[Mapping[str, Mapping[str, Value]]] = {
    "the lowest": {
        "timestamp with time zone": lambda _: "0001-01-01 00:00:00+00",
        "numeric": lambda _: "-99999999999999.9999",
        "integer": lambda _: -(2**31),
        "bigint": lambda _: -(2**63),
        "text": lambda _: "",
        "jsonb": lambda _: "null",
        "ARRAY": lambda _: [],
    },
    "the highest": {
        "timestamp with time zone": lambda _: "9999-12-31 23:59:59.999999+00",
        "numeric": lambda _: "99999999999999.9999",
        "integer": lambda _: 2**31 - 1,
        "bigint": lambda _: 2**63 - 1,
        "text": _longest_text,
        "jsonb": lambda _: '[{"title": null, "total": {}}, "x", 1e400]',
        "ARRAY": lambda _: ["x" * 255, ODD],
    },
    "after everything": {
        "timestamp with time zone": lambda _: "infinity",
        "numeric": lambda _: "7.77777",
        "integer": lambda _: 0,
        "bigint": lambda _: 0,
        "text": lambda column: "ZZZ" if column.name == "currency" else "nothing known",
        "jsonb": lambda _: "{}",
        "ARRAY": lambda _: [""],
    },
}


def go_to(profile: str) -> int:
    """Put every column that lets itself at an end of what it may hold; answers how many were moved."""
    values = PROFILES[profile]
    moved = 0
    # Rows of history as well, which nobody else could change.
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in _tables():
            cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))
        for column in columns():
            make = values.get("text" if column.kind == "character varying" else column.kind)
            moved += make is not None and _set(column, make(column))
    return moved


def columns() -> Iterator[Column]:
    """Every column of a store's rows that can be moved: not keys, not what our code writes for itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type, character_maximum_length FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name = ANY(%s) AND is_generated = 'NEVER'"
            " ORDER BY table_name, ordinal_position",
            [_tables()],
        )
        found = [Column(*row) for row in cursor.fetchall()]
    for column in found:
        ours = column.kind == "jsonb" and column.name in OWN_JSON
        if column.name != "id" and not column.name.endswith("_id") and column.name not in KEPT and not ours:
            yield column


_OURS: Final = ("loyalty.", "orders", "credits", "points")


def _tables() -> list[str]:
    tables = [model._meta.db_table for model in apps.get_models() if model._meta.app_config.name.startswith(_OURS)]
    # Where the pieces of a file are in it is nothing that anybody is shown.
    return [table for table in tables if table != "orders_balanceimportpart"]


def _set(column: Column, value: Any) -> bool:
    """Whether the database lets the column be this, in every row."""
    statement = sql.SQL("UPDATE {} SET {} = {}").format(
        sql.Identifier(column.table), sql.Identifier(column.name), sql.Literal(value)
    )
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(statement)
    except DatabaseError:
        return False
    return True
