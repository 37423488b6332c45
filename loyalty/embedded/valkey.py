"""One Valkey server (it speaks Redis's protocol) in a folder of ours."""

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from loyalty.embedded.binaries import valkey_binary
from loyalty.embedded.layout import Layout
from loyalty.embedded.process import EmbeddedServerError, spawn, stop, tail, wait_until

START_SECONDS = 30.0


@dataclass(kw_only=True)
class ValkeyServer:
    """The server of one layout. ``throw_away`` keeps nothing on disk."""

    layout: Layout
    throw_away: bool = False
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Bring the server up. Raises EmbeddedServerError."""
        if self._answers():
            return
        self.layout.valkey_data.mkdir(parents=True, exist_ok=True)
        self.layout.valkey_socket.parent.mkdir(parents=True, exist_ok=True)
        process = spawn([valkey_binary(), *self._options()], log=self.log, identity={}, on_parent_death=signal.SIGTERM)
        wait_until(lambda: self._answers() or process.poll() is not None, seconds=START_SECONDS)
        if process.poll() is not None or not self._answers():
            stop(process, signal.SIGTERM)
            message = f"Valkey did not start. The end of {self.log}:\n{tail(self.log)}"
            raise EmbeddedServerError(message)
        self._process = process

    def stop(self) -> None:
        """Stop the server, everything on disk afterwards."""
        if self._process is not None:
            stop(self._process, signal.SIGTERM)
            self._process = None
        elif self._answers():
            with self._client() as client:
                os.kill(client.info("server")["process_id"], signal.SIGTERM)
            wait_until(lambda: not self.layout.valkey_socket.exists(), seconds=15)

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The server as our child; None while it is stopped, or when it was found running."""
        return self._process

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.layout.logs / "valkey.log"

    def _options(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.layout.valkey_socket),
            "unixsocketperm": "700",
            "dir": str(self.layout.valkey_data),
            "appendonly": "no" if self.throw_away else "yes",
            "save": "",
            # A queue loses nothing for want of memory: a full one refuses.
            "maxmemory-policy": "noeviction",
        }
        return [word for name, value in options.items() for word in (f"--{name}", value)]

    def _client(self) -> redis.Redis:
        at_once = Retry(NoBackoff(), 0)
        return redis.Redis(unix_socket_path=str(self.layout.valkey_socket), socket_timeout=2, retry=at_once)

    def _answers(self) -> bool:
        try:
            with self._client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
