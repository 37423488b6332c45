"""The product's processes as children of one: started together, shown in one place, ended in order."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

from loyalty.embedded.process import die_with_parent, stop

PAUSE = 0.1
LONGEST_NAME = 6
# Whatever ends by itself more often than that within a minute is not started again.
OFTEN = 5
MINUTE = 60.0


class ChildDied(Exception):
    """A process ended by itself; the message names it, its exit code and its log."""


@dataclass(kw_only=True)
class Children:
    """The children of one run. ``show`` is called with each line they say, their name before it."""

    logs: Path
    show: Callable[[str], None]
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _readers: list[threading.Thread] = field(default_factory=list)
    _starts: dict[str, Callable[[], None]] = field(default_factory=dict)
    _ends: list[float] = field(default_factory=list)

    def start(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str], pass_fds: Sequence[int] = ()
    ) -> None:
        """Start a process in a session of its own; it ends when we do, even when we are killed."""
        self._starts[name] = partial(self.start, name, command, environment=environment, pass_fds=pass_fds)
        self.logs.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            pass_fds=pass_fds,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - it only makes two system calls
        )
        self.watch(name, process)
        if process.stdout is not None:
            reader = threading.Thread(target=self._read, args=(name, process.stdout), daemon=True)
            reader.start()
            self._readers.append(reader)

    def watch(self, name: str, process: subprocess.Popen[bytes]) -> None:
        """Report this process's end too, though somebody else started it and will stop it."""
        self._running[name] = process

    def check(self) -> None:
        """Raise ChildDied when a process has ended."""
        for name, code in self._ended():
            raise self._died(name, code)

    def wait(self) -> None:
        """Wait for ever, and start again what has ended; ChildDied when a server has, or something again and again."""
        while True:
            for name, code in self._ended():
                if name not in self._starts or self._ends_too_often():
                    raise self._died(name, code)
                self.show(f"{name:<{LONGEST_NAME}} | ended by itself (exit code {code}) and is started again")
                self._starts[name]()
            time.sleep(PAUSE)

    def _ended(self) -> list[tuple[str, int]]:
        codes = {name: process.poll() for name, process in self._running.items()}
        return [(name, code) for name, code in codes.items() if code is not None]

    def _died(self, name: str, code: int) -> ChildDied:
        return ChildDied(f"{name} ended by itself (exit code {code}); what it said is in {self.logs / name}.log")

    def _ends_too_often(self) -> bool:
        now = time.monotonic()
        self._ends = [*(ended for ended in self._ends if now - ended < MINUTE), now]
        return len(self._ends) > OFTEN

    def stop(self, names: Sequence[str]) -> None:
        """End the named processes one after another, then whatever they still had to say is shown."""
        for name in names:
            if name in self._running:
                stop(self._running.pop(name), signal.SIGTERM)
        for reader in self._readers:
            reader.join(timeout=2)

    def _read(self, name: str, output: IO[bytes]) -> None:
        with output, (self.logs / f"{name}.log").open("ab", buffering=0) as log:
            for line in output:
                log.write(line)
                self.show(f"{name:<{LONGEST_NAME}} | {line.decode(errors='replace').rstrip()}")
