"""Taking a backup: one moment of the whole database, while everybody goes on working."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.db import connection

from loyalty.backups.clients import run_client
from loyalty.backups.folders import new_backup
from loyalty.backups.keys import seal
from loyalty.backups.manifest import NAME, BackupError, Manifest, TableSum, file_of
from loyalty.backups.progress import bar
from loyalty.backups.tables import sums_of_tables, table_sizes
from loyalty.database.snapshot import snapshot

DUMP: Final = "database"
_IS_OWNER: Final = """
SELECT to_regclass('django_migrations') IS NOT NULL
    AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = to_regclass('django_migrations')) = current_user
"""
_MIGRATIONS: Final = "SELECT app, array_agg(name::text ORDER BY name) FROM django_migrations GROUP BY app ORDER BY app"
_DUMPING: Final = re.compile(r'dumping contents of table "[^"]*\.(\w+)"')


def take_backup(within: Path, *, now: datetime, jobs: int = 1) -> tuple[Path, Manifest]:
    """Write a backup into a new folder of ``within``; answers where it is and what it says. Raises BackupError.

    The tables are added up at the very moment that ``pg_dump`` writes down: both read one snapshot. Nobody waits for
    it, except who would change tables.
    """
    with snapshot() as moment:
        _must_be_the_owner(moment)
        _stay(moment)
        with new_backup(within, now) as folder:
            shown = _one(moment, "SELECT pg_export_snapshot()")
            _dump(folder / DUMP, shown, table_sizes(moment), jobs)
            manifest = _describe(moment, folder, now)
            _write(folder / NAME, manifest.as_json())
    return within / folder.name.removesuffix(".unfinished"), manifest


def _must_be_the_owner(moment: Any) -> None:
    if not _one(moment, _IS_OWNER):
        raise BackupError("Only the tables' owner sees every row. Run it with the DATABASE_URL that migrate has.")


def _dump(folder: Path, shown: str, sizes: Mapping[str, int], jobs: int) -> None:
    arguments = ["--format=directory", f"--file={folder}", f"--jobs={jobs}", f"--snapshot={shown}"]
    with bar("written", sum(sizes.values()), "B") as progress:

        def heard(line: str) -> None:
            if table := _DUMPING.search(line):
                progress.update(sizes.get(table[1], 0))

        # A migration that holds a table for longer than that is not waited for.
        run_client("pg_dump", [*arguments, "--lock-wait-timeout=60s"], database=_name(), heard=heard)


def _describe(moment: Any, folder: Path, now: datetime) -> Manifest:
    with moment.cursor() as cursor:
        cursor.execute(_MIGRATIONS)
        migrations = dict(cursor.fetchall())
    return Manifest(
        taken_at=now.isoformat(timespec="seconds"),
        server=_one(moment, "SHOW server_version"),
        migrations=migrations,
        tables=dict(_with_bar(sums_of_tables(moment), len(table_sizes(moment)))),
        files={str(path.relative_to(folder)): file_of(path) for path in sorted(folder.rglob("*")) if path.is_file()},
        sealed=seal(),
    )


def _stay(moment: Any) -> None:
    """Let this connection wait while others write down what it shows, however long that takes."""
    with moment.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = 0")


def _with_bar(sums: Iterable[tuple[str, TableSum]], tables: int) -> Iterator[tuple[str, TableSum]]:
    with bar("tables added up", tables) as progress:
        for one in sums:
            progress.update()
            yield one


def _one(moment: Any, sql: str) -> Any:
    with moment.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def _write(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _name() -> str:
    name: str = connection.settings_dict["NAME"]
    return name
