"""Real processes of ours beside a test: they work on its database."""

import os
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import pytest
from celery import Celery
from django.conf import settings
from django.db import connection

import loyalty
from loyalty.embedded.layout import Layout
from loyalty.embedded.valkey import ValkeyServer
from loyalty.jobs import periodic
from loyalty.settings import broker_address

PROJECT = Path(loyalty.__file__).parents[1]

# A proxy that runs for a test makes a certificate that nobody knows.
ANY_CERTIFICATE = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ANY_CERTIFICATE.check_hostname, ANY_CERTIFICATE.verify_mode = False, ssl.CERT_NONE


def address_of_the_test_database() -> str:
    facts = connection.settings_dict
    options = quote(facts["OPTIONS"]["options"], safe="")
    account = ":".join(quote(facts[part], safe="") for part in ("USER", "PASSWORD") if facts[part])
    if facts["HOST"].startswith("/"):
        return f"postgres://{account}@/{facts['NAME']}?host={quote(facts['HOST'], safe='')}&options={options}"
    return f"postgres://{account}@{facts['HOST']}:{facts['PORT'] or 5432}/{facts['NAME']}?options={options}"


def start(*command: str, **environment: str) -> "subprocess.Popen[str]":
    """Start Python with these arguments on the test's database; what it says is one stream."""
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=PROJECT,
        env=os.environ | {"DATABASE_URL": address_of_the_test_database()} | environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@contextmanager
def own_queue(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> Iterator[ValkeyServer]:
    """A queue for one test and its workers: those beside it on the common one would take each other's messages."""
    valkey = ValkeyServer(layout=layout, throw_away=True)
    valkey.start()
    own = Celery("own", broker=broker_address(layout.redis_url()), set_as_current=False)
    own.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    monkeypatch.setattr(periodic, "app", own)
    monkeypatch.setenv("REDIS_URL", layout.redis_url())
    try:
        yield valkey
    finally:
        valkey.stop()


@contextmanager
def celery_worker(**environment: str) -> "Iterator[subprocess.Popen[str]]":
    """A real worker on the test's database and queue while the block runs, unless ``environment`` names others."""
    command = ("-m", "celery", "-A", "loyalty", "worker", "--pool", "solo", "--loglevel", "INFO")
    with start(*command, LOG_LEVEL="INFO", **environment) as process:
        yield process
        process.terminate()


@dataclass
class Web:
    """The web as it is served in production; ``said`` grows while it runs, and is whole once it has ended."""

    port: int
    process: "subprocess.Popen[str]"
    said: list[str] = field(default_factory=list)


@contextmanager
def web(**environment: str) -> Iterator[Web]:
    """The web on the test's database, with the settings of production behind a proxy."""
    production = {
        "LOYALTY_ENV": "production",
        "SECRET_KEY": settings.SECRET_KEY,
        "CREDENTIALS_KEYS": ",".join(settings.CREDENTIALS_KEYS),
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "EMAIL_URL": "dummymail://",
        "DEFAULT_FROM_EMAIL": "shop@example.com",
        "DATABASE_CONN_MAX_AGE": "60",
        "BEHIND_TLS_PROXY": "true",
        "OUTGOING_TO_LOCALHOST": "true",
    }
    command = ("-m", "gunicorn", "loyalty.wsgi", "--bind", "127.0.0.1:0")
    with start(*command, **(production | environment)) as process:
        port = int(re.findall(r"127.0.0.1:(\d+)", wait_for("Listening at", process))[0])
        served = Web(port, process)
        reader = Thread(target=lambda: served.said.extend(process.stdout or ()))
        reader.start()
        try:
            yield served
        finally:
            process.terminate()
            process.wait()
            reader.join()


@contextmanager
def proxy(address: str, folder: Path) -> Iterator[int]:
    """The proxy of docker-compose.yml, with its own file, before a web at this address; the port it is reached at."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        https, http = one.getsockname()[1], other.getsockname()[1]
    given = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "CADDY_ADMIN": f"unix/{folder}/admin.sock",
        "SITE_ADDRESS": "https://localhost",
        "HTTPS_PORT": str(https),
        "HTTP_PORT": str(http),
        "WEB_ADDRESS": address,
    }
    # Beside Python: the package brings the program and nothing else.
    command = [str(Path(sys.executable).parent / "caddy"), "run", "--config", str(PROJECT / "docker" / "Caddyfile")]
    with subprocess.Popen(command, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            wait_for("serving initial configuration", process)
            while not _shakes_hands(https):
                pass
            yield https
        finally:
            process.kill()
            process.communicate()


def _shakes_hands(port: int) -> bool:
    """Whether TLS is there: the proxy makes its certificate for localhost after it has begun to listen."""
    try:
        with socket.create_connection(("127.0.0.1", port)) as plain:
            ANY_CERTIFICATE.wrap_socket(plain, server_hostname="localhost").close()
    except ssl.SSLError:
        return False
    return True


def wait_for(line: str, process: "subprocess.Popen[str]") -> str:
    """Read what the process says until it says ``line``, and answer that; the test's time limit ends the wait."""
    assert process.stdout is not None
    said = []
    for text in process.stdout:
        said.append(text)
        if line in text:
            return text
    pytest.fail(f"The process ended before it said “{line}”:\n{''.join(said)}")
