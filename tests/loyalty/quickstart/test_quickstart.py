"""The one command, as a newcomer starts it: from nothing, in a folder of its own, to the end of the worked examples."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.utils import timezone

from loyalty.embedded.layout import WEB_ROLE, Layout
from loyalty.quickstart.example import Example, client_of_examples

PROJECT = Path(__file__).resolve().parents[3]
NAMED = {"DATABASE_URL", "REDIS_URL", "LOYALTY_ENV"}

# Twenty processes are started one after the other, each of which takes its time where others are at work.
pytestmark = pytest.mark.timeout(600)


def environment_of(layout: Layout) -> dict[str, str]:
    """Names no servers, so that the layout's are used."""
    return {name: value for name, value in os.environ.items() if name not in NAMED} | {
        "LOYALTY_LOCAL": str(layout.home)
    }


@contextmanager
def started(layout: Layout, *options: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "manage.py", "quickstart", "--port", "0", *options],
        cwd=PROJECT,
        env=environment_of(layout),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def said_until(process: subprocess.Popen[str], words: str) -> str:
    """What the process said up to the line with these words, or to its end."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            break
    return said


def in_the_shell(layout: Layout) -> str:
    """What a script in ``./run shell`` finds: what it runs as, as whom, and whether there is a demonstration."""
    script = (
        "from django.conf import settings; from django.db import connection;"
        "from orders.models import Order;"
        "print(settings.PROCESS, connection.settings_dict['USER'], Order.unscoped.exists())"
    )
    shell = subprocess.run(
        [sys.executable, "manage.py", "quickstart", "--shell", "--no-imports", "--command", script],
        cwd=PROJECT,
        env=environment_of(layout),
        capture_output=True,
        text=True,
        check=True,
    )
    return shell.stdout


def assert_all_has_ended(layout: Layout) -> None:
    assert not (layout.postgres_data / "postmaster.pid").exists()
    assert not layout.valkey_socket.exists()


@pytest.mark.slow
def test_x2_once_carries_out_the_examples_then_a_second_start_finds_them_done(layout: Layout) -> None:
    assert in_the_shell(layout) == f"command {WEB_ROLE} False\n"
    assert_all_has_ended(layout)

    with started(layout, "--once") as process:
        said = said_until(process, "never said")
    assert process.returncode == 0, said
    assert "10.00 extended" in said
    assert "order X2: cancelled, Credit Revert Status reverted (15.00 of 15.00), full" in said

    with started(layout) as process:
        introduction = said_until(process, "Logs in")
        address = re.findall(r"is at (http://\S+)/admin/", introduction)[0]
        keys = re.findall(r"API key +(\S+)", introduction)
        told: list[str] = []
        Example(client=client_of_examples(address, keys), tell=told.append, today=timezone.localdate()).run()
        assert any("it was cancelled before" in line for line in told)

        with started(layout) as second:
            refusal = said_until(second, "never said")
        assert second.returncode == 1
        assert f"running already (process {process.pid}, {address}/admin/)" in refusal

        assert in_the_shell(layout) == f"command {WEB_ROLE} True\n"

        with psycopg.connect(host=str(layout.postgres_sockets), user=WEB_ROLE, dbname="loyalty") as connection:
            owned = "SELECT count(*) FROM pg_class WHERE relowner = 'loyalty_web'::regrole"
            assert connection.execute(owned).fetchone() == (0,)
            roles = "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = 'loyalty'"
            assert connection.execute(roles).fetchall() == [(WEB_ROLE,)]

        process.send_signal(signal.SIGINT)
        end = said_until(process, "never said")
    assert process.returncode == 0
    assert end.endswith("Stopped.\n")
    assert_all_has_ended(layout)


def test_reset_leaves_nothing(layout: Layout) -> None:
    (layout.home / "logs").mkdir()
    with started(layout, "--reset") as process:
        said = said_until(process, "never said")
    assert process.returncode == 0, said
    assert not layout.home.exists()
