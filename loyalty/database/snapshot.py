"""One moment of the database, for reading much that has to agree."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from psycopg import IsolationLevel


@contextmanager
def snapshot() -> Iterator[Any]:
    """A connection of its own that sees one moment throughout, and writes nothing.

    What is written meanwhile by this process, such as how far it is, goes over the usual connection and is seen by all.
    """
    own: Any = connection.copy()
    try:
        own.ensure_connection()
        # The stores are named by a statement, so the transaction must begin as what it is.
        own.connection.isolation_level, own.connection.read_only = IsolationLevel.REPEATABLE_READ, True
        own.set_autocommit(False)
        yield own
    finally:
        own.close()
