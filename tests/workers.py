"""Real processes of ours beside a test: they work on its database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection

import loyalty

PROJECT = Path(loyalty.__file__).parents[1]


def address_of_the_test_database() -> str:
    facts = connection.settings_dict
    account = ":".join(quote(facts[part], safe="") for part in ("USER", "PASSWORD") if facts[part])
    if facts["HOST"].startswith("/"):
        return f"postgres://{account}@/{facts['NAME']}?host={quote(facts['HOST'], safe='')}"
    return f"postgres://{account}@{facts['HOST']}:{facts['PORT'] or 5432}/{facts['NAME']}"


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
def celery_worker(**environment: str) -> "Iterator[subprocess.Popen[str]]":
    """A real worker on the test's database and queue while the block runs, unless ``environment`` names others."""
    command = ("-m", "celery", "-A", "loyalty", "worker", "--pool", "solo", "--loglevel", "INFO")
    with start(*command, LOG_LEVEL="INFO", **environment) as process:
        yield process
        process.terminate()


def wait_for(line: str, process: "subprocess.Popen[str]") -> None:
    """Read what the worker says until it says ``line``; the test's time limit ends the wait."""
    assert process.stdout is not None
    said = []
    for text in process.stdout:
        said.append(text)
        if line in text:
            return
    pytest.fail(f"The worker ended before it said “{line}”:\n{''.join(said)}")
