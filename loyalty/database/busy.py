"""What it means that PostgreSQL gave up on a statement: somebody else holds what it needs, and a repeat may succeed."""

from typing import Final

from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError
from psycopg import errors

_GAVE_UP: Final = (
    errors.QueryCanceled,
    errors.LockNotAvailable,
    errors.DeadlockDetected,
    errors.IdleInTransactionSessionTimeout,
)
# Code of the next version that runs already, while its migrations are under way (docs/upgrading.md).
_NOT_MIGRATED: Final = (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction)
# Seconds after which whoever was in the way is likely to be done.
TRY_AGAIN_AFTER: Final = 5


def is_busy(error: BaseException | None) -> bool:
    """Whether a statement ran into one of the time limits, or into somebody who waited for it in turn.

    Its transaction is rolled back, so whatever was asked for can be asked again.
    """
    return isinstance(error, DatabaseError) and isinstance(error.__cause__, _GAVE_UP)


def is_away(error: BaseException | None) -> bool:
    """Whether the database could not be reached, went away, or is not migrated yet to what this code asks of it."""
    if isinstance(error, ProgrammingError):
        return isinstance(error.__cause__, _NOT_MIGRATED)
    return isinstance(error, InterfaceError | OperationalError) and not is_busy(error)


def raise_if_away(error: Exception) -> None:
    """Raise ``error`` again where the database is away, which is no row's fault.

    For what goes on with others when one thing fails (E7): a row that somebody else holds for too long is such a thing.
    """
    if is_away(error):
        raise error
