"""How long a connection may take to send a request."""

import socket
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

import pytest
import time_machine
from waitress.adjustments import Adjustments
from waitress.server import BaseWSGIServer

from loyalty.serving.worker import SECONDS, Connection

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
