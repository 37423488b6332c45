"""``manage.py backup``: the whole installation's database as a folder that ``restore`` puts back."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from loyalty.backups.folders import clear_away
from loyalty.backups.manifest import BackupError
from loyalty.backups.take import take_backup
from loyalty.core.clock import read_clock
from loyalty.management.commanding import OneLineCommand


class Command(OneLineCommand):
    """backup FOLDER."""

    help = (
        "Write the whole database into a new folder of FOLDER while everybody goes on working. Keys are not in it: "
        "keep CREDENTIALS_KEYS and SECRET_KEY elsewhere. docs/backups.md says how to restore."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to, and how many to keep."""
        parser.add_argument("folder", type=Path, metavar="FOLDER", help="where backups lie, each in its own folder")
        parser.add_argument("--keep", type=int, metavar="N", help="delete all but the newest N backups afterwards")
        parser.add_argument("--jobs", type=int, default=1, metavar="N", help="write N tables at once (1)")

    def handle(self, *_args: Any, folder: Path, keep: int | None, jobs: int, **_options: Any) -> None:
        """Write it; older ones go only once it is there."""
        if jobs < 1 or (keep is not None and keep < 1):
            raise CommandError("--keep and --jobs are numbers from 1 on.")
        try:
            there, manifest = take_backup(Path(folder), now=read_clock(), jobs=jobs)
            gone = [] if keep is None else clear_away(Path(folder), keep=keep)
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{there}: {manifest.rows} rows in {len(manifest.tables)} tables, {manifest.size} bytes. "
            "Keys are not in it (docs/backups.md)."
        )
        for path in gone:
            self.stdout.write(f"deleted: {path}")
