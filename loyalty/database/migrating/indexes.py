"""Indexes that are made and renamed while everybody goes on, and can be made again after what was interrupted.

PostgreSQL leaves an index that was not finished behind, invalid and under its name. Migrations of one statement at a
time are not rolled back, so each of their statements has to see what is done already.
"""

from contextlib import nullcontext
from typing import Any, Final

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import connection
from django.db.migrations.operations import RenameIndex

from loyalty.database.migrating.locks import waiting_for

_STATE: Final = """
SELECT indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE relname = %s AND relnamespace = current_schema()::regnamespace
"""


class AddIndexOnline(AddIndexConcurrently):
    """Makes an index beside those who write; one that was left unfinished goes first, a finished one stays."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Make it, unless it is there. It waits for everybody who is at work, and nobody waits behind it."""
        if schema_editor.collect_sql:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        is_valid = _is_valid(self.index.name)
        if is_valid:
            return
        with waiting_for(0):
            if is_valid is False:
                schema_editor.execute(f"DROP INDEX CONCURRENTLY {schema_editor.quote_name(self.index.name)}")
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class RemoveIndexOnline(RemoveIndexConcurrently):
    """Removes an index, where it is there, beside those who read by it."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Remove it. It waits for everybody who is at work, and nobody waits behind it."""
        with nullcontext() if schema_editor.collect_sql else waiting_for(0):
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class RenameIndexOnce(RenameIndex):
    """Renames an index, unless there is one of the new name already."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Rename it."""
        if schema_editor.collect_sql or _is_valid(self.new_name) is None:
            super().database_forwards(app_label, schema_editor, from_state, to_state)


def _is_valid(index: str) -> bool | None:
    """Whether an index can be used; None where there is none of that name."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE, [index])
        found = cursor.fetchone()
    return found[0] if found else None
