"""The embedded PostgreSQL: made once, recovered after a crash, adopted, stopped without a trace, its roles bound."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from loyalty.embedded.layout import OWNER_ROLE, SUPERUSER, WEB_ROLE, Layout
from loyalty.embedded.postgres import PostgresServer
from loyalty.embedded.prepared import PreparedDatabase
from loyalty.embedded.process import EmbeddedServerError, wait_until
from loyalty.embedded.supervisor import embedded_servers, sole_supervisor
from tests.layouts import new_layout


@pytest.fixture(scope="module")
def made() -> Iterator[PreparedDatabase]:
    """The data folder of a server that was started for the first time and stopped: each test has a copy of it."""
    with new_layout() as layout:
        server = PostgresServer(layout=layout)
        server.start()
        server.stop()
        yield PreparedDatabase(layout.postgres_data)


@pytest.fixture
def server(made: PreparedDatabase, layout: Layout) -> Iterator[PostgresServer]:
    assert made.copy_to(layout)
    server = PostgresServer(layout=layout)
    server.start()
    yield server
    server.stop()


def connect(layout: Layout, *, role: str = OWNER_ROLE, database: str = "loyalty") -> psycopg.Connection:
    return psycopg.connect(host=str(layout.postgres_sockets), user=role, dbname=database, autocommit=True)


@pytest.mark.parametrize("role", [OWNER_ROLE, WEB_ROLE])
def test_roles_are_bound_by_row_security(server: PostgresServer, role: str) -> None:
    with connect(server.layout, role=role) as connection:
        rights = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert rights == (False, False, False)


def test_h1_the_web_role_owns_nothing_and_may_do_nothing_that_is_not_granted(server: PostgresServer) -> None:
    with connect(server.layout) as owner:
        owner.execute("CREATE TABLE ledger (id bigint GENERATED ALWAYS AS IDENTITY, amount numeric)")
        owner.execute(f"GRANT SELECT, INSERT ON ledger TO {WEB_ROLE}")
        owner.execute("CREATE DATABASE another")
    with connect(server.layout, role=WEB_ROLE) as web:
        web.execute("INSERT INTO ledger (amount) VALUES (1)")
        refused = ("UPDATE ledger SET amount = 2", "TRUNCATE ledger", "DROP TABLE ledger", "CREATE TABLE mine ()")
        for statement in (*refused, "CREATE DATABASE mine", f"SET ROLE {OWNER_ROLE}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                web.execute(statement)


@pytest.mark.parametrize("change", [f"SET ROLE {WEB_ROLE}", "SET session_replication_role = replica"])
def test_only_where_tests_run_may_the_owner_be_the_web_or_pass_triggers(server: PostgresServer, change: str) -> None:
    with connect(server.layout) as owner, pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.execute(change)


def test_a_killed_server_recovers_with_everything_that_was_committed(server: PostgresServer) -> None:
    # The client stays connected and the killed server is not reaped: both happen, and neither may be in the way.
    with closing(connect(server.layout)) as client:
        client.execute("CREATE TABLE kept AS SELECT generate_series(1, 50000) AS n")
        os.kill(server.process_id(), signal.SIGKILL)
        again = PostgresServer(layout=server.layout)
        again.start()
    with connect(server.layout) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (50000,)
    again.stop()


def test_a_stale_pid_file_that_names_another_process_is_no_server(server: PostgresServer) -> None:
    pid_file = server.layout.postgres_data / "postmaster.pid"
    contents = pid_file.read_text().splitlines()
    os.kill(server.process_id(), signal.SIGKILL)
    assert server.process is not None
    server.process.wait()
    pid_file.write_text("\n".join([str(os.getpid()), *contents[1:]]) + "\n")

    again = PostgresServer(layout=server.layout)
    again.start()
    with connect(server.layout) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    again.stop()


def test_a_server_that_is_left_over_is_adopted_and_stopped(server: PostgresServer) -> None:
    left_over = server.process_id()
    adopting = PostgresServer(layout=server.layout)
    adopting.start()
    assert adopting.process is None
    assert adopting.process_id() == left_over
    adopting.stop()
    assert server.process is not None
    assert server.process.wait(10) == 0


def test_stopping_leaves_no_process_and_no_socket(server: PostgresServer) -> None:
    process = server.process
    assert process is not None
    server.stop()
    assert process.poll() == 0
    assert list(server.layout.postgres_sockets.iterdir()) == []
    with pytest.raises(psycopg.OperationalError):
        connect(server.layout)


def test_an_interrupted_first_start_is_made_anew(layout: Layout) -> None:
    unfinished = layout.postgres_home / "postgres.unfinished"
    unfinished.mkdir()
    (unfinished / "half").touch()
    with embedded_servers(layout, postgres=True, valkey=False), connect(layout) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not unfinished.exists()


def test_a_server_that_cannot_start_is_reported_with_the_end_of_its_log(server: PostgresServer) -> None:
    server.stop()
    with (server.layout.postgres_data / "postgresql.conf").open("a") as settings:
        settings.write("shared_buffers = 'nonsense'\n")
    with pytest.raises(EmbeddedServerError, match="shared_buffers"):
        PostgresServer(layout=server.layout).start()


def test_a_second_supervisor_is_refused_at_once(layout: Layout) -> None:
    with (
        sole_supervisor(layout),
        pytest.raises(EmbeddedServerError, match=f"running already .process {os.getpid()}"),
        sole_supervisor(layout),
    ):
        pass
    with sole_supervisor(layout):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent is gone")
def test_servers_end_with_a_killed_supervisor(layout: Layout) -> None:
    program = (
        "import sys, time; from pathlib import Path;"
        "from loyalty.embedded.layout import layout_in; from loyalty.embedded.supervisor import embedded_servers\n"
        "with embedded_servers(layout_in(Path(sys.argv[1])), postgres=True, valkey=True) as servers:\n"
        "    print(*[server.process.pid for server in servers], flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", program, str(layout.home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        servers = [int(word) for word in supervisor.stdout.readline().split()]
        supervisor.kill()
    assert len(servers) == 2
    assert wait_until(lambda: not (layout.postgres_data / "postmaster.pid").exists(), seconds=15)
    assert wait_until(lambda: not layout.valkey_socket.exists(), seconds=15)
    with embedded_servers(layout, postgres=True, valkey=True), connect(layout, role=SUPERUSER) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
