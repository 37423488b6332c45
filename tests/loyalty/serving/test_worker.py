"""How long a connection may take to send a request, and what becomes of one when its process has to end."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any, Final

import pytest
import time_machine
from gunicorn.config import Config
from waitress.adjustments import Adjustments
from waitress.server import BaseWSGIServer

from loyalty.serving.worker import SECONDS, Connection, WholeRequests

NOW: Final = datetime(2026, 1, 5, tzinfo=UTC)
PAUSE: Final = timedelta(seconds=1)


@pytest.mark.parametrize("begun", [b"GET / HTTP/1.1\r\nX-", b"POST / HTTP/1.1\r\nContent-Length: 9000\r\n\r\n"])
def test_a_byte_a_second_does_not_keep_a_request_waiting_for_ever(begun: bytes) -> None:
    ours, theirs = socket.socketpair()
    server: Any = SimpleNamespace(active_channels={}, adj=SimpleNamespace(channel_timeout=SECONDS))
    with theirs, time_machine.travel(NOW, tick=False) as clock:
        connection = Connection(server, ours, ("", 0), Adjustments(), map={})
        theirs.send(begun)
        connection.handle_read()
        for _ in range(SECONDS):
            clock.shift(PAUSE)
            theirs.send(b"x")
            connection.handle_read()
            BaseWSGIServer.maintenance(server, clock_now())
            assert not connection.will_close
        clock.shift(PAUSE)
        BaseWSGIServer.maintenance(server, clock_now())
        assert connection.will_close
        connection.handle_close()


def clock_now() -> float:
    return datetime.now(tz=UTC).timestamp()


@contextmanager
def working(wsgi: Callable[..., list[bytes]], listener: socket.socket) -> Iterator[WholeRequests]:
    """A worker that runs while the block does, and is told to end after it."""
    app, sockets = SimpleNamespace(), [SimpleNamespace(sock=listener)]
    worker = WholeRequests(1, os.getppid(), sockets, app, 30, Config(), SimpleNamespace())
    worker.wsgi = wsgi
    thread = Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.alive = False
        thread.join()
        worker.tmp.close()


@pytest.mark.parametrize("what_ends", ["alive", "ppid"])
def test_a_process_that_ends_lets_the_port_go_at_once_and_answers_what_it_was_asked(what_ends: str) -> None:
    asked, may_answer = Event(), Event()

    def slow(_environ: dict[str, Any], begin: Callable[..., Any]) -> list[bytes]:
        asked.set()
        may_answer.wait(60)
        begin("200 OK", [("Content-Length", "4")])
        return [b"late"]

    listener = socket.create_server(("127.0.0.1", 0))
    where = listener.getsockname()
    with working(slow, listener) as worker, socket.create_connection(where, timeout=60) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert asked.wait(60)
        setattr(worker, what_ends, 0)
        # The main process was killed, or told it to end: whoever starts the web anew has the port within a turn.
        while True:
            with suppress(OSError):
                socket.create_server(where).close()
                break
        may_answer.set()
        assert client.makefile("rb").read().endswith(b"late")
