"""How a change of tables waits for its locks: briefly, because whoever comes after it waits behind it; then again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from django.db import OperationalError, connection
from psycopg.errors import DeadlockDetected, LockNotAvailable

# Less than a request waits for a lock itself (loyalty.database.time_limits): nobody is refused for a migration.
LOCK_SECONDS: Final = 2
# What there is between attempts, in seconds: some three minutes in all.
PAUSES: Final = (1, 2, 5, 10, 20, 30, 60, 60)


class LockNotHad(Exception):
    """Somebody held a lock throughout; what was migrated before it stays migrated."""


def with_patience(change: Callable[[], object], *, pause: Callable[[int], None]) -> None:
    """Carry out a change that can be carried out again, until it has got its locks. Raises LockNotHad.

    ``pause`` waits for so many seconds, and says so.
    """
    for seconds in PAUSES:
        if _has_locks(change):
            return
        pause(seconds)
    if not _has_locks(change):
        raise LockNotHad(f"A lock was not had in {len(PAUSES) + 1} attempts of {LOCK_SECONDS} s each.")


@contextmanager
def waiting_for(seconds: int) -> Iterator[None]:
    """Within, statements wait so long for a lock; 0 is for ever, for what nobody has to wait behind."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        before = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{seconds}s"])
    yield
    # Where something failed the connection is closed, or goes on with the limits of its next use.
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [before])


def _has_locks(change: Callable[[], object]) -> bool:
    try:
        with waiting_for(LOCK_SECONDS):
            change()
    except OperationalError as error:
        connection.close()
        if isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
            return False
        raise
    return True
