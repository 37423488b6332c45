"""The one clock that all processes go by, and the instant that a long piece of work goes by.

Instants that one process writes are compared by another: when a payment failed with when its order was reinstated, when
a lot expires with when a job looks. Machines' clocks differ, by minutes when one is set wrong. So the time is the
database's, which all of them share; each process asks for it now and then and counts on by its own monotonic clock.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

# For so many seconds a process counts on by itself; quartz is wrong by a thousandth of one meanwhile.
_ASK_EVERY: Final = 15.0
# An answer that took longer says too little about when it was given.
_PROMPT: Final = 0.005
_ACCEPTABLE: Final = 0.25
_TRIES: Final = 3


def read_clock() -> datetime:
    """What time it is, for this operation: read once at its start, and handed on as ``now``."""
    return _shared.read() if settings.CLOCK_OF_DATABASE else timezone.now()


@dataclass(frozen=True, slots=True)
class _Reading:
    """The database's time at a moment of this process's monotonic clock, known to ``within`` seconds."""

    time: datetime
    at: float
    within: float

    def now(self) -> datetime:
        return self.time + timedelta(seconds=monotonic() - self.at)


class DatabaseClock:
    """The database's clock, asked every few seconds. While it does not answer, the last answer counts on."""

    def __init__(self) -> None:
        self._reading: _Reading | None = None

    def read(self) -> datetime:
        """The time by the database; by this machine when it has never answered, so that nothing can be written."""
        kept = self._reading
        if kept is None or monotonic() - kept.at > _ASK_EVERY:
            kept = self._reading = self._ask_anew(kept)
        return kept.now() if kept else timezone.now()

    def _ask_anew(self, kept: _Reading | None) -> _Reading | None:
        try:
            found = _best_reading()
        except DatabaseError as error:
            logger.warning("The database's clock cannot be read (%s).", type(error).__name__)
            return kept
        # A server that was held up, by a debugger or a full disk, has answered too late to know when.
        return found if kept is None or found.within <= _ACCEPTABLE else kept


def _best_reading() -> _Reading:
    readings: list[_Reading] = []
    while len(readings) < _TRIES and not (readings and readings[-1].within <= _PROMPT):
        readings.append(_one_reading())
    return min(readings, key=lambda reading: reading.within)


def _one_reading() -> _Reading:
    before = monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        ((time,),) = cursor.fetchall()
    after = monotonic()
    return _Reading(time, (before + after) / 2, (after - before) / 2)


_shared: Final = DatabaseClock()


def later_than(before: datetime | None, now: datetime) -> datetime:
    """``now``, but after ``before``: for two instants of one row that say which of them came last.

    Whoever holds the row's lock writes after whoever held it before, though he may have read the clock earlier.
    """
    return now if before is None else max(now, before + timedelta(microseconds=1))


def ticking(now: datetime) -> Clock:
    """A clock that shows ``now`` and goes on by whole seconds from here.

    A run that begins before midnight and reaches its last batch after it must not take what has lapsed in between for
    valid: each batch asks anew, once it holds its locks. The first second of a run is all one instant.
    """
    began = monotonic()
    return lambda: now + timedelta(seconds=int(monotonic() - began))
