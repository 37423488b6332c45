"""``manage.py quickstart``: what ``./run`` starts."""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from loyalty.embedded.layout import Layout
from loyalty.embedded.process import EmbeddedServerError
from loyalty.embedded.supervisor import RunningAlready, Servers, embedded_servers, remove_local_data, sole_supervisor
from loyalty.quickstart.children import ChildDied, Children
from loyalty.quickstart.example import Example, client_of_examples
from loyalty.quickstart.preparation import (
    Environments,
    PreparationFailed,
    environments,
    load_demonstration,
    make_secret_key,
    make_tables,
    make_tables_and_static_files,
)
from loyalty.quickstart.rest import RestError

USUAL_PORT = 8000
PATIENCE = 60.0
# This runs as whoever started it, on one machine; Celery's warning is meant for servers.
ROOT_IS_FINE = "ignore:You're running the worker with superuser"
# The web goes first, so that no request meets a half-stopped system.
STOP_ORDER = ("web", "beat", "worker")


class Command(BaseCommand):
    """Start everything, show where it is, and stop it in order."""

    help = "Start the servers, the web, a worker and beat on this machine, with a demonstration. Ctrl-C ends it."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The command's options."""
        parser.add_argument("--once", action="store_true", help="carry out a worked example by REST, then end")
        parser.add_argument("--reset", action="store_true", help="delete the local data (.local/), then end")
        parser.add_argument("--shell", nargs=argparse.REMAINDER, help="open Django's shell, which gets what follows")
        parser.add_argument("--port", type=int, help="the web's port (8000, or a free one)")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run one of the four. Every refusal is one message and exit code 1."""
        layout: Layout = settings.LAYOUT
        # Each of these ends everything in order, also where a shell had this process ignore them.
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, signal.default_int_handler)
        try:
            if options["reset"]:
                remove_local_data(layout)
                self.stdout.write(f"{layout.home} is deleted.")
            elif options["shell"] is not None:
                sys.exit(self._shell(layout, options["shell"]))
            else:
                self._run(layout, once=options["once"], port=options["port"])
        except (EmbeddedServerError, PreparationFailed, ChildDied, RestError, PermissionError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")

    def _run(self, layout: Layout, *, once: bool, port: int | None) -> None:
        # With --once the telling of the examples is what is to be read; the processes speak to their logs.
        children = Children(logs=layout.logs, show=_say_nothing if once else self._show)
        with sole_supervisor(layout) as lock, self._prepared(layout, static_files=True) as (servers, where):
            for server in servers:
                if server.process is not None:
                    children.watch(server.log.stem, server.process)
            demonstration = load_demonstration(settings.BASE_DIR, where.owner, layout)
            with _web_socket(port) as listener, _stopping(children):
                address = _start(children, where, layout, listener)
                _wait_until_up(children, address)
                _note(lock, address)
                self._introduce(address, demonstration, layout)
                if once:
                    self._carry_out_examples(address, demonstration)
                else:
                    children.wait()

    def _shell(self, layout: Layout, arguments: Sequence[str]) -> int:
        """Django's shell on the servers that run, else on ones that end with it. Answers its exit code."""
        try:
            with sole_supervisor(layout), self._prepared(layout, static_files=False) as (_servers, where):
                return _run_shell(where, arguments)
        except RunningAlready:
            return _run_shell(environments(layout), arguments)

    @contextmanager
    def _prepared(self, layout: Layout, *, static_files: bool) -> Iterator[tuple[Servers, Environments]]:
        """The servers that nobody has named, and what has to be there before anything uses them."""
        wanted = {"postgres": "DATABASE_URL" not in os.environ, "valkey": "REDIS_URL" not in os.environ}
        with embedded_servers(layout, **wanted) as servers:
            make_secret_key(layout)
            where = environments(layout)
            # Not among what a script prints in the shell, and no error.
            self.stderr.write("Migrating, collecting static files ..." if static_files else "Migrating ...", str)
            if static_files:
                make_tables_and_static_files(settings.BASE_DIR, where.owner, layout)
            else:
                make_tables(settings.BASE_DIR, where.owner)
            yield servers, where

    def _introduce(self, address: str, demonstration: dict[str, Any], layout: Layout) -> None:
        self.stdout.write(f"\nLoyalty Back-Office is at {address}/admin/")
        self.stdout.write("Sign in as (role, e-mail, password, store):")
        for login in demonstration["logins"]:
            store = f" ({login['store']})" if login.get("store") else ""
            self.stdout.write(f"  {login['role']:<9} {login['email']}  {login['password']}{store}")
        self.stdout.write(f"REST at {address}/api/v1/ (docs: {address}/api/v1/docs/)")
        for key in demonstration["api_keys"]:
            self.stdout.write(f"  API key   {key['key']} ({key['store']})")
        self.stdout.write(f"Logs in {layout.logs}, e-mails in {layout.mail}. Ctrl-C ends it.\n")
        self.stdout.flush()

    def _carry_out_examples(self, address: str, demonstration: dict[str, Any]) -> None:
        client = client_of_examples(address, [key["key"] for key in demonstration["api_keys"]])
        Example(client=client, tell=self.stdout.write, today=timezone.localdate()).run()
        self.stdout.write("\nDone.")

    def _show(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _say_nothing(_line: str) -> None:
    pass


def _run_shell(where: Environments, arguments: Sequence[str]) -> int:
    # Ctrl-C ends a line there, not the shell; a handler, unlike SIG_IGN, is not handed down to it.
    signal.signal(signal.SIGINT, lambda _signum, _frame: None)
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "shell", *arguments]
    return subprocess.run(command, env=dict(where.web), check=False).returncode


def _start(children: Children, where: Environments, layout: Layout, listener: socket.socket) -> str:
    python = [sys.executable, "-W", ROOT_IS_FINE, "-m"]
    web = ["gunicorn", "loyalty.wsgi", "--bind", f"fd://{listener.fileno()}"]
    celery = ["celery", "--app", "loyalty", "--quiet"]
    # Threads: a container without a writable /dev/shm cannot fork workers.
    worker = [*celery, "worker", "--pool", "threads", "--concurrency", "2", "--loglevel", "INFO"]
    beat = [*celery, "beat", "--schedule", str(layout.home / "beat-schedule"), "--pidfile", "", "--loglevel", "WARNING"]
    children.start("web", python + web, environment=where.web, pass_fds=[listener.fileno()])
    children.start("worker", python + worker, environment=where.worker)
    children.start("beat", python + beat, environment=where.worker)
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _wait_until_up(children: Children, address: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        children.check()
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=PATIENCE):  # noqa: S310 - our own server
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    message = f"The web did not answer within {PATIENCE:.0f} seconds; its log is in {children.logs / 'web.log'}."
    raise ChildDied(message)


def _note(lock: IO[str], address: str) -> None:
    """Leave the address where a second start finds it."""
    lock.write(f", {address}/admin/")
    lock.flush()


@contextmanager
def _web_socket(port: int | None) -> Iterator[socket.socket]:
    """A socket that is ours before the web starts, so that nobody takes the port in between."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", USUAL_PORT if port is None else port))
        except OSError as error:
            if port is not None:
                message = f"Port {port} is taken."
                raise ChildDied(message) from error
            listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


@contextmanager
def _stopping(children: Children) -> Iterator[None]:
    try:
        yield
    finally:
        # A second Ctrl-C changes nothing: everything below has a time limit.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        children.stop(STOP_ORDER)
