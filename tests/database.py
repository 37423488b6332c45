"""The roles that tests have on the database: what the web is, unless a test says that it is the owner."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from psycopg.pq import TransactionStatus

_MAY_BE_THE_WEB: Final = "SELECT to_regrole(%s) IS NOT NULL AND pg_has_role(session_user, to_regrole(%s), 'SET')"


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
    """Let tests that commit empty the tables afterwards, which the web's role cannot."""
    with pytest.MonkeyPatch.context() as patch:
        empty: Any = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

        def as_owner_empty(case: TransactionTestCase) -> None:
            with as_owner():
                empty(case)

        patch.setattr(TransactionTestCase, "_fixture_teardown", as_owner_empty)
        yield
