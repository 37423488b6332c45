"""Server processes that end with us, whichever way we end."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from loyalty.embedded.account import Identity

PR_SET_PDEATHSIG = 1
PAUSE = 0.02


class EmbeddedServerError(Exception):
    """An embedded server could not be brought up; the message says which, why, and where its log is."""


def die_with_parent(signum: signal.Signals) -> Callable[[], None] | None:
    """A ``preexec_fn`` that has the kernel signal the child when its parent is gone; None where there is no such thing.

    The kernel forgets the request when the account changes; ``preexec_fn`` runs after that.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, int(signum))
        # The parent may have gone before the request was made.
        if os.getppid() != parent:
            os._exit(1)

    return ask


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    identity: Identity,
    on_parent_death: signal.Signals,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that Ctrl-C reaches it through us and in order."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            cwd="/",
            start_new_session=True,
            preexec_fn=die_with_parent(on_parent_death),  # noqa: PLW1509 - it only makes two system calls
            **identity,
        )


def stop(process: subprocess.Popen[bytes], *signals: signal.Signals, patience: float = 15.0) -> None:
    """Send the signals in turn, each with some seconds' patience, until the process has ended."""
    for signum in signals:
        if process.poll() is not None:
            return
        process.send_signal(signum)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    if process.poll() is None:
        process.kill()
        process.wait()


def is_zombie(process_id: int) -> bool:
    """Whether a process has ended and nobody took note; False where the system does not tell."""
    status = Path(f"/proc/{process_id}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Ask again and again until the condition holds; False when it did not within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True


def tail(log: Path, lines: int = 15) -> str:
    """The end of a log, for an error message."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
