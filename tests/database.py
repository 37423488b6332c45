"""The roles that tests have on the database: what the web is, unless a test says that it is the owner."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import TransactionTestCase
from psycopg import sql
from psycopg.pq import TransactionStatus

_STAY: Final = {"django_content_type", "auth_permission"}
_MAY_BE_THE_WEB: Final = "SELECT to_regrole(%s) IS NOT NULL AND pg_has_role(session_user, to_regrole(%s), 'SET')"

_MAY_PASS_TRIGGERS: Final = "SELECT has_parameter_privilege('session_replication_role', 'SET')"


@contextmanager
def as_owner() -> Iterator[None]:
    """Be the tables' owner, to break what the web's role could not, or to look behind it."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
    try:
        yield
    finally:
        # In a transaction that failed nothing can be said; its end takes the role back.
        if connection.connection.info.transaction_status != TransactionStatus.INERROR:
            with connection.cursor() as cursor:
                cursor.execute("RESET ROLE")


def connect_as_the_web() -> psycopg.Connection:
    """A session of the web's role itself, as the web opens it, on the test database."""
    facts = connection.settings_dict
    return psycopg.connect(
        host=facts["HOST"] or None,
        port=facts["PORT"] or None,
        dbname=facts["NAME"],
        user=settings.DATABASE_WEB_ROLE,
        autocommit=True,
    )


@contextmanager
def as_the_web() -> Iterator[None]:
    """Have every new connection to the test database be the web's role; the database was made by its owner."""
    role = settings.DATABASE_WEB_ROLE
    with connection.cursor() as cursor:
        cursor.execute(_MAY_BE_THE_WEB, [role, role])
        if cursor.fetchone() != (True,):
            pytest.exit(f"Tests run as {role}: make the role, and GRANT {role} TO whoever DATABASE_URL names.")
    options: dict[str, Any] = connection.settings_dict["OPTIONS"]
    before = options["options"]
    options["options"] = f"{before} -c role={role}"
    connection.close()
    yield
    options["options"] = before
    connection.close()


@contextmanager
def emptied_by_the_owner() -> Iterator[None]:
    """Let tests that commit empty the tables afterwards, which the web's role cannot.

    Django's own way makes all permissions anew each time; these stay, since nothing changes them. To truncate sixty
    tables is to make two hundred files; to delete their few rows, past triggers and keys, is a hundred times as quick.
    """

    def empty(_case: TransactionTestCase) -> None:
        tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - _STAY
        names = [sql.Identifier(name) for name in sorted(tables)]
        together = sql.SQL(", ").join(names)
        with as_owner(), connection.cursor() as cursor:
            cursor.execute(_MAY_PASS_TRIGGERS)
            if cursor.fetchone() != (True,):
                cursor.execute(sql.SQL("TRUNCATE {}").format(together))
                return
            with transaction.atomic():
                # As truncating does, it waits for whoever is still at work, so that nothing comes in afterwards.
                cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(together))
                cursor.execute("SET LOCAL session_replication_role = replica")
                cursor.execute(sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(name) for name in names))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield
