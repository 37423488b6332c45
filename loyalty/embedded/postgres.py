"""One PostgreSQL server in a folder of ours: made, started, recovered after a crash, adopted, stopped."""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from loyalty.database.time_limits import LIMITS
from loyalty.embedded.account import Account, server_account
from loyalty.embedded.binaries import postgres_binaries
from loyalty.embedded.layout import DATABASE, OWNER_ROLE, SUPERUSER, WEB_ROLE, Layout
from loyalty.embedded.process import PAUSE, EmbeddedServerError, is_zombie, spawn, stop, tail, wait_until

# Replaying the log after a crash takes its time on a slow disk.
START_SECONDS = 60.0
# What PostgreSQL says while an earlier server of ours is still going down. It is worth another attempt.
STILL_ENDING = ("postmaster.pid", "shared memory block")


@dataclass(kw_only=True)
class PostgresServer:
    """The server of one layout. ``throw_away`` trades durability for speed."""

    layout: Layout
    throw_away: bool = False
    account: Account = field(default_factory=server_account)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Bring the server up, with its roles and its database. Raises EmbeddedServerError."""
        self.account.take(self.layout.postgres_sockets)
        binaries = postgres_binaries(self.account)
        if not (self.layout.postgres_data / "PG_VERSION").exists():
            self._create(binaries)
        if not self._answers():
            self._run(binaries)
        self._make_roles()

    def stop(self) -> None:
        """Stop the server: clients are disconnected, everything is on disk afterwards."""
        if self._process is not None:
            stop(self._process, signal.SIGINT, signal.SIGQUIT)
            self._process = None
        elif self._answers():
            os.kill(self.process_id(), signal.SIGINT)
            wait_until(lambda: not self._pid_file.exists(), seconds=15)

    def process_id(self) -> int:
        """The server's process, by the file that it keeps while it runs."""
        return int(self._pid_file.read_text().splitlines()[0])

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The server as our child; None while it is stopped, or when it was found running."""
        return self._process

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.layout.logs / "postgres.log"

    @property
    def _pid_file(self) -> Path:
        return self.layout.postgres_data / "postmaster.pid"

    def _create(self, binaries: Path) -> None:
        # Made under another name, so that an interrupted initdb leaves nothing that looks finished.
        unfinished = self.layout.postgres_home / "postgres.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        self.account.take(unfinished)
        options = ["--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8", "--no-sync"]
        # The built-in provider sorts alike on every system.
        options += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"]
        said = subprocess.run(
            [binaries / "initdb", "--pgdata", unfinished, *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd="/",
            env={**os.environ, "LC_ALL": "C"},
            text=True,
            check=False,
            **self.account.identity(),
        )
        if said.returncode != 0:
            message = f"PostgreSQL's data folder could not be made in {unfinished}:\n{said.stdout}{said.stderr}"
            raise EmbeddedServerError(message)
        unfinished.rename(self.layout.postgres_data)

    def _run(self, binaries: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._try_to_run(binaries, deadline):
            self._forget_zombie()
            if time.monotonic() > deadline:
                message = f"PostgreSQL did not come up within {START_SECONDS:.0f} seconds:\n{tail(self.log)}"
                raise EmbeddedServerError(message)
            time.sleep(PAUSE * 5)

    def _forget_zombie(self) -> None:
        """Remove the lock files of a killed server that nobody reaped, as under a container's first process.

        PostgreSQL takes such a server for running. Should processes of it still be at work, the next start finds their
        shared memory and refuses.
        """
        if self._pid_file.exists() and is_zombie(self.process_id()):
            for held in (self._pid_file, *self.layout.postgres_sockets.glob(".s.PGSQL.*")):
                held.unlink()

    def _try_to_run(self, binaries: Path, deadline: float) -> bool:
        process = spawn(
            [binaries / "postgres", "-D", self.layout.postgres_data, *self._options()],
            log=self.log,
            identity=self.account.identity(),
            on_parent_death=signal.SIGINT,
            environment={"LC_ALL": "C"},
        )
        while process.poll() is None and time.monotonic() < deadline:
            if self._answers():
                self._process = process
                return True
            time.sleep(PAUSE)
        stop(process, signal.SIGQUIT)
        last_words = tail(self.log, lines=4)
        if not any(words in last_words for words in STILL_ENDING):
            message = f"PostgreSQL did not start. The end of {self.log}:\n{tail(self.log)}"
            raise EmbeddedServerError(message)
        return False

    def _options(self) -> list[str]:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.layout.postgres_sockets),
            "max_connections": "200",
            # Rows' contents stay out of the log.
            "log_error_verbosity": "terse",
        }
        if self.throw_away:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [word for name, value in options.items() for word in ("-c", f"{name}={value}")]

    def _connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.layout.postgres_sockets), user=SUPERUSER, dbname=database, autocommit=True, connect_timeout=5
        )

    def _answers(self) -> bool:
        """Whether a server takes connections here. A process id would prove nothing."""
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _make_roles(self) -> None:
        """The owner makes the tables and gives the web its rights on them. Neither is above row security."""
        with self._connect() as connection:
            known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            for role, rights in ((OWNER_ROLE, "CREATEDB"), (WEB_ROLE, "NOCREATEDB")):
                if role not in known:
                    connection.execute(
                        sql.SQL("CREATE ROLE {} LOGIN {} NOSUPERUSER NOBYPASSRLS").format(
                            sql.Identifier(role), sql.SQL(rights)
                        )
                    )
            # What is changed for another release is changed for a server that is there already, too.
            for name, value in LIMITS["web"].settings().items():
                connection.execute(
                    sql.SQL("ALTER ROLE {} SET {} = {}").format(
                        sql.Identifier(WEB_ROLE), sql.Identifier(name), sql.Literal(value)
                    )
                )
            if self.throw_away:
                # Tests make their database as the owner, and then are on it what the web is.
                connection.execute(
                    sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE").format(
                        sql.Identifier(WEB_ROLE), sql.Identifier(OWNER_ROLE)
                    )
                )
                # And empty it after tests that commit, past the triggers that keep ledgers and journals.
                connection.execute(
                    sql.SQL("GRANT SET ON PARAMETER session_replication_role TO {}").format(sql.Identifier(OWNER_ROLE))
                )
            databases = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
        if DATABASE in databases:
            return
        with self._connect() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER_ROLE))
            )
