"""A worker of gunicorn whose threads are given requests that are there as a whole.

gunicorn's own threads read from the network: whoever sends half a request and stops holds one of them, and a few hold
all. Here waitress reads, all connections in one loop, and writes what a client is slow to take; a thread knows no
client. gunicorn keeps doing what it does for any worker: it holds the port, starts processes and ends them in order.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Final
from urllib.parse import quote

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ErrorTask, WSGITask

from loyalty.serving.request_facts import REQUEST_ID, ROUTE

# Written out where the proxy's limits are the same: docker/Caddyfile.
SECONDS: Final = 30
MOST_HEADERS: Final = 32 * 1024
MOST_BODY: Final = 8 * 1024 * 1024
# Connections of one process: half-sent requests cost memory alone. Together with files it stays below what a process
# may have open where nobody raised that (1024).
CONNECTIONS: Final = 600
# A body waits in memory up to here, an answer up to a megabyte; what is longer waits in a file.
_IN_MEMORY: Final = 256 * 1024
# A thread waits for a client only when this much of its answer has not been taken: longer than any export.
_UNSENT: Final = 1024 * 1024 * 1024
_TURN: Final = 1.0

logger = logging.getLogger("loyalty.access")


@contextmanager
def logged(task: Any) -> Iterator[None]:
    """Say what was asked and answered: without the query, which may hold an e-mail address."""
    began = monotonic()
    yield
    method, path = getattr(task.request, "command", "-"), getattr(task.request, "path", "-")
    milliseconds, status, known = (monotonic() - began) * 1000, task.status[:3], getattr(task, "environ", None) or {}
    facts = {"method": method, "status": status, "milliseconds": round(milliseconds)}
    facts |= {"request_id": known.get(REQUEST_ID, ""), "doing": known.get(ROUTE, "")}
    logger.info("%s %s %s %.0fms", method, quote(path, encoding="latin-1"), status, milliseconds, extra=facts)


class _Answer(WSGITask):
    def service(self) -> None:
        with logged(self):
            super().service()


class _Refusal(ErrorTask):
    """What the application never sees: no HTTP, or more than the limits."""

    def service(self) -> None:
        with logged(self):
            super().service()


class Connection(HTTPChannel):
    """A request has to be there after so many seconds, however steadily a byte of it comes."""

    task_class = _Answer
    error_task_class = _Refusal
    last_activity: float

    def handle_read(self) -> None:
        is_within, since = self.request is not None, self.last_activity
        super().handle_read()
        if is_within:
            self.last_activity = since


class WholeRequests(Worker):
    """Serves the one socket that gunicorn was told to bind."""

    def run(self) -> None:
        """Answer until gunicorn says that it is enough, then finish what was begun."""
        [listener] = self.sockets
        connections: dict[int, Any] = {}
        server = create_server(
            self.wsgi,
            map=connections,
            sockets=[listener.sock],
            threads=self.cfg.threads,
            backlog=self.cfg.backlog,
            # What proxies say is believed, or not, by the settings BEHIND_TLS_PROXY and TRUSTED_PROXIES alone.
            clear_untrusted_proxy_headers=False,
            ident=None,
            connection_limit=CONNECTIONS,
            channel_timeout=SECONDS,
            cleanup_interval=5,
            max_request_header_size=MOST_HEADERS,
            # It refuses what is as long as this already.
            max_request_body_size=MOST_BODY + 1,
            inbuf_overflow=_IN_MEMORY,
            outbuf_high_watermark=_UNSENT,
        )
        server.channel_class = Connection
        while self.alive and self.ppid == os.getppid():
            self._turn(connections)
        self._finish(server, connections)

    def _turn(self, connections: dict[int, Any]) -> None:
        self.notify()
        wasyncore.loop(timeout=_TURN, use_poll=True, map=connections, count=1)

    def _finish(self, server: Any, connections: dict[int, Any]) -> None:
        """Take no more, and answer what is there as a whole; gunicorn ends us after ``graceful_timeout`` seconds."""
        # The port is let go at once: whoever starts the web anew, because its main process was killed, binds it while
        # we still answer.
        wasyncore.dispatcher.close(server)
        until = monotonic() + self.cfg.graceful_timeout
        while server.active_channels and monotonic() < until:
            for channel in server.active_channels.values():
                if not channel.requests and not channel.total_outbufs_len:
                    channel.will_close = True
            self._turn(connections)
