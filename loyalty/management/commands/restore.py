"""``manage.py restore``: a backup put back, and proved before anybody works on it."""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from loyalty.backups.databases import connected_to
from loyalty.backups.examine import faults_of_books, faults_of_database, has_web_role
from loyalty.backups.keys import unreadable_secrets
from loyalty.backups.manifest import BackupError
from loyalty.backups.restore import Restore, restore_backup
from loyalty.core.clock import read_clock
from loyalty.management.commanding import OneLineCommand


class Command(OneLineCommand):
    """restore FOLDER."""

    help = (
        "Put a backup in the place of the database that DATABASE_URL names, as the tables' owner, with the web, the "
        "worker and beat stopped. It is restored beside, compared row by row, migrated and proved first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which backup, and what it may replace."""
        parser.add_argument("folder", type=Path, metavar="FOLDER", help="such as …/loyalty-2026-11-29T030000Z")
        parser.add_argument("--replace", action="store_true", help="also where there are tables; they are kept aside")
        parser.add_argument("--without-keys", action="store_true", help="also where its stored secrets cannot be read")
        parser.add_argument("--jobs", type=int, default=1, metavar="N", help="restore N tables at once (1)")

    def handle(self, *_args: Any, folder: Path, **options: Any) -> None:
        """Restore, and end with 1 where the books of the backup do not agree, which they did not before either."""
        named = {name: options[name] for name in ("replace", "without_keys", "jobs")}
        if named["jobs"] < 1:
            raise CommandError("--jobs is a number from 1 on.")
        asked = Restore(folder=Path(folder), now=_now(), tell=self.stdout.write, **named)
        faults = 0

        def prove() -> None:
            nonlocal faults
            self._must_work(asked)
            faults = faults_of_books()

        try:
            restore_backup(asked, prove)
        except BackupError as error:
            raise CommandError(str(error)) from error
        if faults:
            raise CommandError(f"The books do not agree: {faults} faults. manage.py check_ledger names each.")
        self.stdout.write("check_ledger: the books agree.")

    def _must_work(self, asked: Restore) -> None:
        if wrong := list(faults_of_database()):
            raise BackupError(f"Nothing was put in place, because {'; '.join(wrong)}.")
        if not has_web_role():
            self.stdout.write("There is no role of the web's own here: docker/roles.sql makes one; then run migrate.")
        unreadable = [f"{of} ({number})" for of, number in unreadable_secrets().items()]
        if unreadable and not asked.without_keys:
            raise BackupError(
                f"Nothing was put in place: no key opens the stored secrets of {', '.join(unreadable)}. Put all of the "
                "CREDENTIALS_KEYS of then into CREDENTIALS_KEYS, or say --without-keys."
            )
        for of in unreadable:
            self.stdout.write(f"To be entered again, because no key opens it: {of}.")


def _now() -> datetime:
    # The database of DATABASE_URL may not be there yet; its server is.
    with connected_to("postgres"):
        return read_clock()
