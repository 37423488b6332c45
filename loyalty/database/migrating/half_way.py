"""Which databases can be brought to this version: those that have all or nothing of what a migration replaces."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def whole_upgrade(*, databases: Sequence[str] | None = None, **_given: Any) -> list[CheckMessage]:
    """Refuse to migrate a database that stopped amid migrations which this version has as one (ADR 0051).

    Django would leave such a migration out without a word. ``migrate`` asks this before it does anything.
    """
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    loader = MigrationLoader(connection, load=False)
    loader.load_disk()
    applied, here = set(MigrationRecorder(connection).applied_migrations()), set(loader.disk_migrations)
    found = []
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        replaced = set(migration.replaces)
        missing = replaced - applied
        if missing != replaced and missing - here:
            found.append(_half_way(f"{app}.{name}", missing))
    return found


def _half_way(migration: str, missing: Iterable[tuple[str, str]]) -> CheckMessage:
    names = ", ".join(f"{app}.{name}" for app, name in sorted(missing))
    return Error(
        f"This database has some of the migrations that {migration} stands for, and not {names}.",
        hint="Migrate it with the version before this one, which still has them; then with this one.",
        id="loyalty.E001",
    )
