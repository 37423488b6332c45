"""Both embedded servers as one thing that is started once and stopped in order."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psycopg

from loyalty.embedded.account import server_account
from loyalty.embedded.binaries import make_user_folder
from loyalty.embedded.layout import OWNER_ROLE, Layout, layout_in, user_folder
from loyalty.embedded.postgres import PostgresServer
from loyalty.embedded.prepared import PreparedDatabase, is_prepared
from loyalty.embedded.process import EmbeddedServerError
from loyalty.embedded.valkey import ValkeyServer

Servers = list[PostgresServer | ValkeyServer]


class RunningAlready(EmbeddedServerError):
    """Another process holds the servers of this layout."""


@contextmanager
def sole_supervisor(layout: Layout) -> Iterator[IO[str]]:
    """Hold the lock of a layout's folder; RunningAlready at once when another process holds it.

    The holder may write into the file where it can be reached; a second one shows that in its message.
    """
    _make_home(layout)
    with layout.lock_file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip()
            message = f"This is running already ({holder or 'it is just starting'}). End it first, or use it."
            raise RunningAlready(message) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}")
        lock.flush()
        yield lock


@contextmanager
def embedded_servers(layout: Layout, *, postgres: bool, valkey: bool, throw_away: bool = False) -> Iterator[Servers]:
    """Run the servers that are asked for while the block runs. They stop in the opposite order."""
    servers: Servers = []
    if postgres:
        servers.append(PostgresServer(layout=layout, throw_away=throw_away))
    if valkey:
        servers.append(ValkeyServer(layout=layout, throw_away=throw_away))
    started: Servers = []
    try:
        for server in servers:
            started.append(server)
            server.start()
        yield servers
    finally:
        for server in reversed(started):
            server.stop()


@contextmanager
def throw_away_servers(*, postgres: bool, valkey: bool, prepared: PreparedDatabase | None = None) -> Iterator[Layout]:
    """Empty servers for one test run; nothing of them is left behind.

    With ``prepared``, PostgreSQL starts with that database where it is kept; where it is not, and the run has made it,
    it is kept.
    """
    folder = Path(tempfile.mkdtemp(prefix="loyalty-test-"))
    folder.chmod(0o711)
    layout = layout_in(folder)
    try:
        was_kept = prepared is not None and prepared.copy_to(layout)
        with embedded_servers(layout, postgres=postgres, valkey=valkey, throw_away=True):
            yield layout
            is_new = prepared is not None and not was_kept and _has_prepared(layout)
        if prepared is not None and is_new:
            prepared.keep(layout)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _has_prepared(layout: Layout) -> bool:
    with psycopg.connect(layout.database_url(role=OWNER_ROLE, database="postgres")) as server:
        return is_prepared(server)


def remove_local_data(layout: Layout) -> None:
    """Delete everything that the servers keep. Refuses while they run."""
    with sole_supervisor(layout):
        for folder in {layout.home, layout.postgres_home, layout.sockets}:
            shutil.rmtree(folder, ignore_errors=True)


def _make_home(layout: Layout) -> None:
    layout.home.mkdir(parents=True, exist_ok=True)
    # Another account passes through to its own folder, and sees nothing else.
    layout.home.chmod(0o711 if server_account().identity() else 0o700)
    for folder in (layout.postgres_home, layout.sockets):
        if folder.is_relative_to(user_folder()):
            make_user_folder()
            folder.mkdir(mode=0o711, parents=True, exist_ok=True)
