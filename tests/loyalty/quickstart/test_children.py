"""What ends by itself under ``./run``: processes of ours are started again, what never lasts ends it."""

import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from loyalty.quickstart.children import OFTEN, ChildDied, Children


@pytest.fixture
def shown() -> list[str]:
    return []


@pytest.fixture
def children(tmp_path: Path, shown: list[str]) -> Iterator[Children]:
    running = Children(logs=tmp_path, show=shown.append)
    yield running
    running.stop(["web", "valkey"])


def test_a_process_that_is_killed_is_started_again(children: Children, shown: list[str]) -> None:
    came, numbers = Event(), []

    def note(line: str) -> None:
        shown.append(line)
        if line.startswith("web    | number "):
            numbers.append(int(line.rpartition(" ")[2]))
            came.set()

    children.show = note
    children.start("web", ["sh", "-c", "echo number $$; exec sleep 600"], environment=os.environ)
    server = subprocess.Popen(["sleep", "600"])
    children.watch("valkey", server)
    with ThreadPoolExecutor() as pool:
        assert came.wait(30)
        came.clear()
        os.kill(numbers[0], signal.SIGKILL)
        watching = pool.submit(children.wait)
        assert came.wait(30)
        assert "web    | ended by itself (exit code -9) and is started again" in shown
        assert len(set(numbers)) == 2
        # Nobody here knows how a server is started, so its end is everybody's.
        server.kill()
        with pytest.raises(ChildDied, match="valkey ended by itself"):
            watching.result(30)


def test_what_ends_again_and_again_ends_it(children: Children, shown: list[str]) -> None:
    children.start("web", ["sh", "-c", "exit 3"], environment=os.environ)
    with pytest.raises(ChildDied, match=r"web ended by itself \(exit code 3\)"):
        children.wait()
    assert shown == ["web    | ended by itself (exit code 3) and is started again"] * OFTEN
