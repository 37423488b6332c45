"""Triggers that hold for everybody: the package behind them knows a session setting by which they would look away."""

from typing import Final

from django.db import connection

# Every trigger asks this function; the package writes it anew with each trigger that a migration adds.
_ASKED: Final = "public._pgtrigger_should_ignore(name)"
_NEVER: Final = "SELECT false"
_HOLD: Final = f"""
CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name name) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS '{_NEVER}'
"""


def hold_triggers() -> None:
    """Answer every trigger that asks whether to look away with no, whatever a session has set. Runs as the owner."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE oid = to_regprocedure(%s)", [_ASKED])
        if cursor.fetchone() != (_NEVER,):
            cursor.execute(_HOLD)
