"""Databases of our server: made beside the one that is in use, and put in its place in one step."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import connection, transaction
from psycopg import sql

from loyalty.backups.manifest import BackupError

_OTHERS: Final = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
# A process of PostgreSQL whose client has just left is there for a moment more; renaming and dropping wait too (5 s).
_LEAVING_LASTS: Final = 2.0
_LOOK_AGAIN_AFTER: Final = 0.05


@contextmanager
def connected_to(database: str) -> Iterator[None]:
    """Within, this process's connection is to another database of the same server."""
    usual = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = database
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual


def exists(database: str) -> bool:
    """Whether there is such a database."""
    return bool(_ask("SELECT count(*) FROM pg_database WHERE datname = %s", database))


def tables_in(database: str) -> int:
    """How many tables a database has; 0 where there is no such database."""
    if not exists(database):
        return 0
    with connected_to(database):
        return len(connection.introspection.table_names())


def must_be_left_alone(database: str) -> None:
    """Raise BackupError where anybody else is connected to a database, and stays."""
    until = time.monotonic() + _LEAVING_LASTS
    while others := _ask(_OTHERS, database):
        if time.monotonic() > until:
            who = "1 connection uses" if others == 1 else f"{others} connections use"
            raise BackupError(f"{who} the database {database}. Stop the web, the worker and beat first.")
        time.sleep(_LOOK_AGAIN_AFTER)


def make_new(database: str) -> None:
    """Make an empty database; one of that name, left over from what was interrupted, goes. Raises BackupError."""
    must_be_left_alone(database)
    name = sql.Identifier(database)
    with _server() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
        # The bare template: the other may have been added to.
        cursor.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))


def put_in_place(new: str, database: str, *, aside: str) -> None:
    """Give ``new`` the name of ``database``, which is called ``aside`` from then on: both or neither.

    Raises BackupError while anybody is connected to it.
    """
    there = exists(database)
    must_be_left_alone(database)
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    with _server() as cursor, transaction.atomic():
        if there:
            cursor.execute(rename.format(sql.Identifier(database), sql.Identifier(aside)))
        cursor.execute(rename.format(sql.Identifier(new), sql.Identifier(database)))


def drop(database: str) -> None:
    """Delete a database."""
    with _server() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(database)))


@contextmanager
def _server() -> Iterator[Any]:
    with connected_to("postgres"), connection.cursor() as cursor:
        yield cursor


def _ask(question: str, database: str) -> int:
    with _server() as cursor:
        cursor.execute(question, [database])
        answer: int = cursor.fetchone()[0]
        return answer
