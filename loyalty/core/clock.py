"""The instant that a long piece of work goes by: read at its start, and moving on with it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic

Clock = Callable[[], datetime]


def ticking(now: datetime) -> Clock:
    """A clock that shows ``now`` and goes on by whole seconds from here.

    A run that begins before midnight and reaches its last batch after it must not take what has lapsed in between for
    valid: each batch asks anew, once it holds its locks. The first second of a run is all one instant.
    """
    began = monotonic()
    return lambda: now + timedelta(seconds=int(monotonic() - began))
