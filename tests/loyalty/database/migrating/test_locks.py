"""A change waits briefly for its locks and asks again, so that nobody waits behind it for longer than that."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from django.db.migrations.state import ProjectState
from django.db.models import Index

from loyalty.database.migrating import locks
from loyalty.database.migrating.indexes import AddIndexOnline, RemoveIndexOnline, RenameIndexOnce
from loyalty.database.migrating.locks import PAUSES, LockNotHad, waiting_for, with_patience
from loyalty.management.commands import migrate
from tests.database import as_owner, connect_as_the_web

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reader() -> Iterator[psycopg.Connection]:
    """Somebody who reads orders, in a transaction that does not end by itself."""
    with connect_as_the_web() as other:
        other.execute("BEGIN; SELECT FROM orders_order")
        yield other


def lock() -> None:
    with as_owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '1ms'")
        cursor.execute("LOCK TABLE orders_order IN ACCESS EXCLUSIVE MODE")


def test_what_has_not_got_its_lock_is_asked_again(reader: psycopg.Connection) -> None:
    paused: list[int] = []

    def pause(seconds: int) -> None:
        paused.append(seconds)
        if len(paused) == 2:
            reader.execute("ROLLBACK")

    with_patience(lock, pause=pause)
    assert paused == [1, 2]


def test_it_gives_up_some_time(reader: psycopg.Connection) -> None:
    paused: list[int] = []
    with pytest.raises(LockNotHad, match="not had in 9 attempts of 2 s each"):
        with_patience(lock, pause=paused.append)
    assert tuple(paused) == PAUSES == tuple(sorted(PAUSES))


def test_other_failures_are_told_at_once() -> None:
    def fail() -> None:
        raise OperationalError("the disk is full")

    with pytest.raises(OperationalError, match="the disk is full"):
        with_patience(fail, pause=lambda _: pytest.fail("nothing to wait for"))


def test_statements_wait_as_long_as_is_said_and_no_longer() -> None:
    def said() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            return str(cursor.fetchone()[0])

    before = said()
    with waiting_for(locks.LOCK_SECONDS):
        assert said() == "2s"
        with waiting_for(0):
            assert said() == "0"
        assert said() == "2s"
    assert said() == before


def test_migrate_says_what_to_do_when_it_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise LockNotHad("A lock was not had.")

    monkeypatch.setattr(migrate, "with_patience", never)
    with pytest.raises(CommandError, match=r"A lock was not had\. .* migrate again: it goes on where it stopped"):
        call_command("migrate")


def test_an_index_is_made_once_however_often_it_is_begun() -> None:
    """What was left unfinished goes; what is there stays; what is gone is gone."""
    state = ProjectState.from_apps(apps)
    index = Index(fields=["number"], name="orders_by_number_drill")
    then = Index(fields=["number"], name="orders_by_number_then")

    def carry_out(operation: Any) -> None:
        after = state.clone()
        after.models["orders", "order"].options["indexes"] = [index, then]
        with as_owner(), connection.schema_editor(atomic=False) as editor:
            operation.database_forwards("orders", editor, after, after)

    def there() -> dict[str, bool]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
                "WHERE relname LIKE 'orders_by_number%'"
            )
            return dict(cursor.fetchall())

    try:
        for _ in range(2):
            carry_out(AddIndexOnline("order", index))
            assert there() == {index.name: True}
        for _ in range(2):
            carry_out(RenameIndexOnce("order", old_name=index.name, new_name=then.name))
            assert there() == {then.name: True}
        for _ in range(2):
            carry_out(RemoveIndexOnline("order", then.name))
            assert there() == {}
    finally:
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("DROP INDEX IF EXISTS orders_by_number_drill, orders_by_number_then")
