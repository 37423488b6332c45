"""Putting a backup back: into a database of its own, proved there, and only then in the place of the one in use."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from loyalty.backups.clients import run_client
from loyalty.backups.databases import connected_to, drop, exists, make_new, must_be_left_alone, put_in_place, tables_in
from loyalty.backups.keys import opens
from loyalty.backups.manifest import BackupError, Manifest, file_of, read_manifest
from loyalty.backups.progress import bar
from loyalty.backups.tables import sums_of_tables
from loyalty.backups.take import DUMP

_PUTTING: Final = re.compile(r'processing data for table "')
_RESTORING: Final = "{}_restoring"
_BEFORE: Final = "{}_before_%Y%m%d%H%M%S"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """What was asked for; ``tell`` gets each step, in words.

    ``replace``: also where there is a database with tables, which is kept under another name. ``without_keys``: also
    where the backup's stored secrets cannot be read.
    """

    folder: Path
    now: datetime
    tell: Callable[[str], object]
    replace: bool = False
    without_keys: bool = False
    jobs: int = 1


def restore_backup(asked: Restore, prove: Callable[[], None]) -> None:
    """Put a backup back in the place of the database that DATABASE_URL names. Raises BackupError, and nothing happened.

    It is restored beside, held against the manifest row by row, migrated to this version and handed to ``prove``.
    Whatever stops it before the last step, the database in use is the one that it was.
    """
    name: str = connection.settings_dict["NAME"]
    new, aside = _RESTORING.format(name), asked.now.astimezone(UTC).strftime(_BEFORE.format(name))
    manifest = read_manifest(asked.folder)
    _must_be_of_use(manifest, asked)
    tables = _must_have_room(name, asked)
    _must_be_whole(manifest, asked.folder)
    asked.tell(f"The backup of {manifest.taken_at} is whole: {len(manifest.files)} files, {manifest.size} bytes.")
    make_new(new)
    _put(manifest, asked, new)
    with connected_to(new):
        _must_be_alike(manifest)
        asked.tell(f"Every row is what it was: {manifest.rows} rows in {len(manifest.tables)} tables.")
        call_command("migrate", interactive=False, verbosity=0)
        asked.tell("Migrated to this version; rights and policies are as the models declare.")
        prove()
    put_in_place(new, name, aside=aside)
    if tables:
        asked.tell(f"{name} is the backup now. What it was is kept as {aside}: drop it when nobody misses anything.")
    else:
        _forget(aside)
        asked.tell(f"{name} is the backup now.")


def _must_be_of_use(manifest: Manifest, asked: Restore) -> None:
    loader = MigrationLoader(None)
    known = {*loader.disk_migrations, *(old for one in loader.disk_migrations.values() for old in one.replaces)}
    unknown = [f"{app}.{one}" for app, names in manifest.migrations.items() for one in names if (app, one) not in known]
    if unknown:
        raise BackupError(
            f"The backup is of version {manifest.product}, which is newer: this version does not know {unknown[0]}. "
            "Restore it with that version."
        )
    if not (asked.without_keys or opens(manifest.sealed)):
        raise BackupError(
            "None of CREDENTIALS_KEYS is the key that this backup's stored secrets were encrypted with. Put that key "
            "into CREDENTIALS_KEYS; where it is lost, say --without-keys: connections to platforms, webhook secrets "
            "and second factors have to be set up again then."
        )


def _must_have_room(name: str, asked: Restore) -> int:
    tables = tables_in(name)
    if tables and not asked.replace:
        raise BackupError(
            f"The database {name} has {tables} tables. Say --replace to put the backup in its place; "
            "it is kept under another name."
        )
    must_be_left_alone(name)
    return tables


def _must_be_whole(manifest: Manifest, folder: Path) -> None:
    with bar("checked", manifest.size, "B") as progress:
        for name, said in manifest.files.items():
            path = folder / name
            if not path.is_file() or file_of(path) != said:
                raise BackupError(f"{path} is missing or is not what was written. Take another backup.")
            progress.update(said.size)


def _put(manifest: Manifest, asked: Restore, new: str) -> None:
    # Owner and rights are those of this installation: whoever restores owns it, and the models say the rest.
    arguments = ["--no-owner", "--no-privileges", "--exit-on-error", f"--jobs={asked.jobs}", str(asked.folder / DUMP)]
    with bar("tables restored", len(manifest.tables)) as progress:

        def heard(line: str) -> None:
            progress.update(bool(_PUTTING.search(line)))

        run_client("pg_restore", arguments, database=new, heard=heard)


def _must_be_alike(manifest: Manifest) -> None:
    there = dict(sums_of_tables(connection))
    wrong = sorted(name for name in {*there, *manifest.tables} if there.get(name) != manifest.tables.get(name))
    if wrong:
        raise BackupError(f"What was restored is not what was taken: {', '.join(wrong)}. Nothing was put in place.")


def _forget(aside: str) -> None:
    if exists(aside):
        drop(aside)
