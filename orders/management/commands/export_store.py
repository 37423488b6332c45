"""``manage.py export_store``: everything of a store as one file."""

import os
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser

from loyalty.accounts.open_store import find_store
from loyalty.core.clock import read_clock
from loyalty.database.named_stores import in_store
from loyalty.database.snapshot import snapshot
from loyalty.management.commanding import PatientCommand
from orders.services.bundles.manifest import Manifest
from orders.services.bundles.write import write_bundle

# What is being written; whoever writes it holds its lock.
_UNFINISHED: Final = ".bundle-"


class Command(PatientCommand):
    """export_store --store SLUG FILE.zip."""

    help = (
        "Write everything of a store as one file, which import_store reads in another installation. "
        "Secrets, API keys and accounts of staff stay; the file's manifest says what else and why."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which store, and where to."""
        parser.add_argument("--store", required=True, metavar="SLUG", help="the store to write")
        parser.add_argument("file", type=Path, metavar="FILE.zip", help="where to write it; must not be there yet")

    def handle(self, *_args: Any, store: str, file: Path, **_options: Any) -> None:
        """Write it under another name first: whatever stops it, no half of a file bears the name that was asked for."""
        mine, file = find_store(store), Path(file)
        try:
            _delete_what_was_killed(file.parent)
            if file.exists():
                raise CommandError(f"{file} is there already. Name another file.")
            with NamedTemporaryFile(dir=file.parent, prefix=_UNFINISHED, delete=False) as kept:
                flock(kept, LOCK_EX)
                unfinished = Path(kept.name)
                try:
                    with in_store(mine.pk), snapshot() as connection:
                        manifest = write_bundle(connection, mine, kept, now=read_clock())
                    os.link(unfinished, file)
                finally:
                    unfinished.unlink()
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from None
        self.stdout.write(counts_line(manifest))


def _delete_what_was_killed(folder: Path) -> None:
    """Delete what nobody writes any more: whoever was killed at it left a store's people lying there."""
    for left in folder.glob(f"{_UNFINISHED}*"):
        # Locked: somebody is at it. Not there, or not ours to open: somebody else's.
        with suppress(BlockingIOError, FileNotFoundError, PermissionError), left.open("rb") as file:
            flock(file, LOCK_EX | LOCK_NB)
            left.unlink()


def counts_line(manifest: Manifest) -> str:
    """What is in a bundle, in one line."""
    tables = {file.name.partition("/")[2].removesuffix(".ndjson"): file.rows for file in manifest.files}
    counts = ", ".join(f"{name} {rows}" for name, rows in tables.items() if rows and not name.endswith(".csv"))
    return f"store {manifest.store['slug']}: {counts or 'nothing'}"
