"""Triggers that hold for everybody: the package behind them knows a session setting by which they would look away."""

import hashlib
from typing import Final

from django.db import connection
from pgtrigger.compiler import Trigger, UpsertTriggerSql
from pgtrigger.migrations import AddTrigger

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


def before(operation: str, model: str, name: str, *, when: str = "", do: str = "") -> AddTrigger:
    """For migrations: the trigger ``name`` that the model declares, such as ``orders.Revert``, as the package makes it.

    Before an ``operation`` ("DELETE", "UPDATE OR DELETE") on a row for which ``when`` is so it does ``do``, or refuses.
    """
    marked = hashlib.sha1(f"{model}:{name}".encode(), usedforsecurity=False).hexdigest()[:5]
    refuse = f"RAISE EXCEPTION 'pgtrigger: Cannot {operation.lower()} rows from % table', TG_TABLE_NAME;"
    sql = UpsertTriggerSql(
        pgid=f"pgtrigger_{name}_{marked}",
        table=model.lower().replace(".", "_"),
        when="BEFORE",
        operation=operation,
        condition=f"WHEN ({when})" if when else "",
        func=do or refuse,
    )
    return AddTrigger(model_name=model.partition(".")[2].lower(), trigger=Trigger(name=name, sql=sql))


def changed(*columns: str) -> str:
    """For :func:`before`: one of these columns is another than it was."""
    return " OR ".join(f'OLD."{column}" IS DISTINCT FROM (NEW."{column}")' for column in columns)
