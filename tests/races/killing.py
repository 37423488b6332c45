"""Jobs killed in the middle of their work, and what they leave behind (E8)."""

import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from django.db import connection
from django.db.models import Model

from loyalty.journal.models import JournalEntry
from orders.kinds import LEDGERS
from orders.models import Order, Problem, Revert
from tests.races.racing import ROUNDS
from tests.workers import start, wait_for

# Kills take a process each: fewer of them than of other rounds, unless somebody asks for more.
KILLS: Final = range(min(2, len(ROUNDS)) if len(ROUNDS) <= 20 else len(ROUNDS))
# The real command, in small batches so that a kill has many moments to meet.
_JOB: Final = """
import django
django.setup()
from django.core.management import call_command
from orders.services.automation import cancel_unpaid, run_rules
from orders.services.bulk_cancels import run
cancel_unpaid.BATCH = run.BATCH = run_rules.BATCH = 10
print("ready.", flush=True)
call_command("run_jobs", "{name}")
"""
# To be seen by every role, unlike what others are asking.
_LOCKS: Final = """
SELECT count(*) FROM pg_locks AS held JOIN pg_database AS here ON here.oid = held.database
WHERE here.datname = current_database() AND held.pid <> pg_backend_pid()
"""


def killed_job(name: str, has_done_enough: Callable[[], bool], pause: float) -> None:
    """Run a job in a real process; SIGKILL it ``pause`` seconds after it has done enough."""
    with start("-c", _JOB.format(name=name)) as process:
        wait_for("ready.", process)
        while not has_done_enough() and process.poll() is None:
            pass
        with suppress(subprocess.TimeoutExpired):
            process.wait(pause)
        process.kill()
        process.communicate()
    nobody_else_is_at_work()


def nobody_else_is_at_work() -> None:
    """Return when nobody else holds a lock: PostgreSQL ends what a killed client began when it comes to hear of it."""
    while _locks_of_others():
        pass


def _locks_of_others() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_LOCKS)
        count: int = cursor.fetchone()[0]
        return count


def rows(model: type[Model], *columns: str) -> Counter[tuple[Any, ...]]:
    """What a table holds, without ids that depend on who came first and without times."""
    return Counter(model._meta.base_manager.values_list(*columns))


def end_state() -> list[Counter[tuple[Any, ...]]]:
    """Everything that a sweep writes."""
    decided = ("credits_reverted", "points_reverted", "credits_decision", "points_decision")
    state = [
        rows(Order, "id", "status", "cancelled_by", "version", *decided),
        rows(Revert, "order", "kind", "amount", "applied", "completeness", "trigger", "actor"),
        rows(JournalEntry, "order", "event", "actor"),
        rows(Problem, "order", "error"),
    ]
    for ledger in LEDGERS.values():
        state.append(rows(ledger.tables.lot, "id", "remaining"))
        state.append(rows(ledger.tables.allocation, "id", "returned"))
        state.append(rows(ledger.tables.movement, "order", "lot", "type", "amount", "balance_after", "actor"))
    return state
