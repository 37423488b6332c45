"""The proxy of docker-compose.yml with its own file: what it lets through, and what the web may believe of it."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.test import RequestFactory, override_settings

from loyalty.accounts.signing_in.known_browsers import address_of
from loyalty.serving.worker import MOST_BODY
from tests.workers import ANY_CERTIFICATE, PROJECT, proxy

FORGED = "203.0.113.9"
FORGERIES = {
    "X-Forwarded-For": FORGED,
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "elsewhere.example",
    "Forwarded": f"for={FORGED};proto=http",
    "X-Real-IP": FORGED,
}


@dataclass
class Behind:
    """A web that keeps what it was sent as a whole, and the port of the proxy before it."""

    port: int = 0
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> int:
        line = HTTPSConnection("localhost", self.port, timeout=30, context=ANY_CERTIFICATE)
        line.request(method, path, body, headers)
        status = line.getresponse().status
        line.close()
        return status


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[Behind]:
    kept = Behind()

    class Keeper(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            if len(self.rfile.read(length)) == length:
                kept.seen.append((self.path, dict(self.headers)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Keeper) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with proxy(f"127.0.0.1:{server.server_port}", tmp_path) as kept.port:
                yield kept
        finally:
            server.shutdown()
            thread.join()


def test_t6_nobody_forges_where_he_comes_from_and_nothing_long_or_half_gets_through(behind: Behind) -> None:
    with socket.create_connection(("localhost", behind.port)) as plain:
        half = ANY_CERTIFICATE.wrap_socket(plain, server_hostname="localhost")
        half.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf")
        assert behind.ask("POST", "/accounts/", b"{}", **FORGERIES) == 200
        half.close()
    [(path, headers)] = behind.seen
    assert path == "/accounts/"
    request = RequestFactory().post("/", headers=headers)
    with override_settings(TRUSTED_PROXIES=1, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
        assert address_of(request) == "127.0.0.1"
        assert request.is_secure()
    assert FORGED not in " ".join(headers[name] for name in headers if name != "X-Real-Ip")
    assert headers["Host"] == f"localhost:{behind.port}"

    assert behind.ask("POST", "/", b"x" * MOST_BODY) == 200
    assert behind.ask("POST", "/", b"x" * (MOST_BODY + 1)) == 413
    assert [headers["Content-Length"] for _, headers in behind.seen] == ["2", str(MOST_BODY)]


def test_the_limits_of_the_proxy_are_those_of_the_web() -> None:
    said = (PROJECT / "docker" / "Caddyfile").read_text()
    assert MOST_BODY == 8 * 1024 * 1024
    assert "max_size 8MiB" in said
    assert "request_buffers 8MiB" in said
    assert "read_body 30s" in said
