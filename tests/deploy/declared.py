"""What deploy/processes.toml says an installation runs."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PROJECT: Final = Path(__file__).resolve().parents[2]
_SAID: Final[dict[str, Any]] = tomllib.loads((PROJECT / "deploy" / "processes.toml").read_text())


@dataclass(frozen=True, kw_only=True)
class Process:
    """One kind of process; ``memory`` in megabytes, ``stop`` in seconds (none where it ends by itself)."""

    name: str
    runs: str
    command: list[str]
    kind: str
    role: str
    writes: list[str]
    memory: int
    stop: int | None = None


PROCESSES: Final = [Process(name=name, **said) for name, said in _SAID["processes"].items()]
LASTING: Final = [process for process in PROCESSES if process.runs != "before"]
PLAIN: Final[frozenset[str]] = frozenset(_SAID["environment"]["plain"])
SECRET: Final[frozenset[str]] = frozenset(_SAID["environment"]["secret"])


def called(process: Process) -> str:
    return process.name
