"""The folder that backups lie in: one takes at a time, whole ones have a name of their own, the oldest ones go."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from loyalty.backups.manifest import NAME, BackupError

_NAMED: Final = "loyalty-%Y-%m-%dT%H%M%SZ"
_UNFINISHED: Final = ".unfinished"


@contextmanager
def new_backup(within: Path, now: datetime) -> Iterator[Path]:
    """A folder to be filled, which gets its name when the block ends well, and not a moment before.

    Whatever stops it leaves a folder that is called unfinished; the next backup clears it away. Raises BackupError
    while another one is being taken, and where nothing can be written.
    """
    name = now.astimezone(UTC).strftime(_NAMED)
    try:
        within.mkdir(parents=True, exist_ok=True)
        with _alone(within):
            for left_over in within.glob(f"loyalty-*{_UNFINISHED}"):
                shutil.rmtree(left_over)
            unfinished = within / f"{name}{_UNFINISHED}"
            # What is in it is about people: whoever takes it reads it, and nobody else.
            unfinished.mkdir(mode=0o700)
            yield unfinished
            _to_disk(unfinished)
            unfinished.rename(within / name)
            _to_disk(within)
    except OSError as error:
        raise BackupError(f"A backup cannot be written to {within}: {error.strerror}.") from error


def whole_backups(within: Path) -> list[Path]:
    """The backups that lie there, the newest first."""
    found = [path for path in within.glob("loyalty-*Z") if (path / NAME).is_file()]
    return sorted(found, key=lambda path: path.name, reverse=True)


def clear_away(within: Path, *, keep: int) -> list[Path]:
    """Delete all but the newest ``keep`` whole backups; answers those that went.

    One that is half deleted has no manifest, so nobody takes it for whole.
    """
    gone = whole_backups(within)[keep:]
    for path in gone:
        (path / NAME).unlink()
        shutil.rmtree(path)
    return gone


@contextmanager
def _alone(within: Path) -> Iterator[None]:
    with (within / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"Another backup is being written to {within}.") from None
        yield


def _to_disk(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
