"""The other drill: a base and the log that was kept bring back the minute before a mistake, and the books agree."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from loyalty.database.named_stores import every_store
from loyalty.embedded.account import server_account
from loyalty.embedded.binaries import postgres_binaries
from loyalty.embedded.layout import SUPERUSER, Layout
from loyalty.embedded.postgres import PostgresServer
from orders.models import Order
from tests import factories
from tests.database import as_owner

ROOT = Path(__file__).resolve().parents[3]
# As docs/backups.md says it.
_SETTINGS = re.compile(r'echo "(restore_command.*?)" >>', re.DOTALL)
_PIECE = re.compile(r"[0-9A-F]{24}")


@contextmanager
def as_superuser() -> Iterator[psycopg.Connection]:
    """A session that keeps the log since now until it ends, as a server does whose pieces are not yet archived."""
    host = connection.settings_dict["HOST"]
    with psycopg.connect(host=host, user=SUPERUSER, dbname="postgres", autocommit=True) as server:
        server.execute("SELECT pg_create_physical_replication_slot('drill', true)")
        try:
            yield server
        finally:
            server.execute("SELECT pg_drop_replication_slot('drill')")


def take_base(into: Path) -> None:
    """What the docs have somebody do once a week."""
    account = server_account()
    account.take(into)
    command = [str(postgres_binaries(account) / "pg_basebackup"), "--username", SUPERUSER, "--pgdata", str(into)]
    where = os.environ | {"PGHOST": connection.settings_dict["HOST"]}
    subprocess.run([*command, "--checkpoint", "fast"], check=True, env=where, cwd="/", **account.identity())


def keep_pieces(server: psycopg.Connection, into: Path) -> None:
    """Hand every finished piece of the log to the script, as archive_command does, by the server's account."""
    script = shutil.copy(ROOT / "docker" / "archive_wal.sh", into.parent)
    server.execute("SELECT pg_switch_wal()")
    facts = server.execute("SELECT pg_walfile_name(pg_current_wal_lsn()), current_setting('data_directory')").fetchone()
    assert facts is not None
    current, data = facts
    for piece in sorted((Path(data) / "pg_wal").iterdir()):
        if _PIECE.fullmatch(piece.name) and piece.name < current:
            where = os.environ | {"WAL_ARCHIVE": str(into)}
            subprocess.run([script, piece, piece.name], check=True, env=where, cwd="/", **server_account().identity())


def go_back(data: Path, archive: Path, moment: datetime) -> None:
    """Tell the base until when, in the words of the docs."""
    said = _SETTINGS.search((ROOT / "docs" / "backups.md").read_text())
    assert said is not None
    words = said[1].replace("/var/lib/wal-archive", str(archive))
    words, replaced = re.subn(r"(recovery_target_time = )'[^']*'", rf"\1'{moment.isoformat()}'", words)
    assert replaced == 1
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"{words}\n")
    (data / "recovery.signal").touch()


@contextmanager
def connected_to(server: PostgresServer) -> Iterator[None]:
    """Within, this process's connection is to the same database of another server."""
    usual = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = str(server.layout.postgres_sockets)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["HOST"] = usual


@pytest.mark.timeout(300)
@pytest.mark.django_db(transaction=True)
def test_the_minute_before_a_mistake_comes_back(own_server: object, layout: Layout) -> None:
    if own_server is None:
        pytest.skip("The server is somebody else's: no base is taken of it.")
    archive = layout.home / "wal"
    server_account().take(archive)
    with as_superuser() as server:
        take_base(layout.postgres_data)
        customer = factories.make_customer(factories.make_store())
        factories.grant("credits", customer, "100")
        factories.grant("points", customer, 500)
        order = factories.make_order(customer, credits="60", points=300)
        factories.cancel(order)
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            ((moment,),) = cursor.fetchall()
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE orders_order CASCADE")
        keep_pieces(server, archive)
    go_back(layout.postgres_data, archive, moment)

    restored = PostgresServer(layout=layout, throw_away=True)
    restored.start()
    try:
        with connected_to(restored), every_store():
            said = StringIO()
            call_command("check_ledger", stdout=said)
            assert said.getvalue().startswith("ledger agrees: 2 lots")
            assert Order.unscoped.get(pk=order.pk).status == "cancelled"
            assert factories.balance("credits", customer, now=factories.NOW) == 100
            factories.grant("credits", customer, "5")
    finally:
        restored.stop()
    with every_store():
        assert not Order.unscoped.filter(pk=order.pk).exists()
