"""``manage.py export_store``: everything of a store as one file."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.core.management.base import CommandError, CommandParser

from loyalty.accounts.open_store import find_store
from loyalty.core.clock import read_clock
from loyalty.database.named_stores import in_store
from loyalty.database.snapshot import snapshot
from loyalty.management.commanding import OneLineCommand
from orders.services.bundles.manifest import Manifest
from orders.services.bundles.write import write_bundle


class Command(OneLineCommand):
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
        if file.exists():
            raise CommandError(f"{file} is there already. Name another file.")
        try:
            with NamedTemporaryFile(dir=file.parent, prefix=".bundle-", delete=False) as kept:
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


def counts_line(manifest: Manifest) -> str:
    """What is in a bundle, in one line."""
    tables = {file.name.partition("/")[2].removesuffix(".ndjson"): file.rows for file in manifest.files}
    counts = ", ".join(f"{name} {rows}" for name, rows in tables.items() if rows and not name.endswith(".csv"))
    return f"store {manifest.store['slug']}: {counts or 'nothing'}"
