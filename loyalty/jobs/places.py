"""How many runs of each job a worker has under way at once: no job waits for another one, nor for its partners.

Celery's message asks for a run, which gets a thread of its own beside Celery's pool. So whatever hangs (a mail server,
a platform, an endpoint) holds places of its own job and nobody else's, however few processes Celery was given. A run
that is asked for while all places of its job are taken is made when one of them is free: one for all who asked.
"""

import logging
import os
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from threading import Lock, Timer
from time import monotonic
from typing import Final

from celery import signals
from django.db import close_old_connections, connections

from loyalty.core.causes import run_of

logger = logging.getLogger(__name__)

# Those that wait for others have more, so that some are left while a partner is slow; of what moves value, two sweeps
# share the orders. Where rows are taken by stores' turns, no store has more than a quarter of them.
PLACES: Final[Mapping[str, int]] = {
    "loyalty.deliver_outbox": 8,
    "orders.process_deliveries": 8,
    "orders.poll_platforms": 4,
    "loyalty.deliver_notices": 4,
    "loyalty.deliver_letters": 4,
    "loyalty.check_ledger": 1,
    "loyalty.prune": 1,
}
_USUAL: Final = 2
# After so many seconds a run ends, and another one goes on.
_RUN_SECONDS: Final = 20.0
# So many threads keep their connection to the database while they are idle.
_KEPT: Final = 4

Run = Callable[[], object]


class Places:
    """The places of one process, by the name of the job."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken: Counter[str] = Counter()
        # Jobs to be run once more, each with the request that asked for it last.
        self._again: dict[str, str] = {}
        self._ending = False
        self._threads = ThreadPoolExecutor(64, thread_name_prefix="job")

    def begin(self, name: str, run: Run, request_id: str = "", *, extra: bool = False) -> None:
        """Have ``run`` made now, or once more when a place is free; an ``extra`` one only where a place is."""
        with self._lock:
            if self._ending:
                return
            if self._taken[name] >= places_of(name):
                if not extra:
                    self._again[name] = request_id
                return
            self._taken[name] += 1
        self._threads.submit(self._take, _Place(self, name, run, request_id))

    def end(self) -> None:
        """Begin nothing more: the process is about to end, and runs look up from their work."""
        self._ending = True

    @property
    def is_ending(self) -> bool:
        """Whether runs are to come to an end."""
        return self._ending

    def _take(self, place: "_Place") -> None:
        _mine.set(place)
        while True:
            place.began = monotonic()
            close_old_connections()
            with run_of(place.name, request_id=place.request_id):
                try:
                    place.run()
                except Exception:
                    logger.exception("%s failed.", place.name)
                finally:
                    close_old_connections()
            if not self._goes_on(place):
                return

    def _goes_on(self, place: "_Place") -> bool:
        """Whether this place is needed once more; gives it back where it is not."""
        with self._lock:
            if place.name in self._again and not self._ending:
                place.request_id = self._again.pop(place.name)
                return True
            is_kept = self._taken.total() <= _KEPT
            self._taken[place.name] -= 1
        if not is_kept:
            connections.close_all()
        return False


class _Place:
    """One run that is under way."""

    def __init__(self, places: Places, name: str, run: Run, request_id: str) -> None:
        self.places, self.name, self.run, self.request_id, self.began = places, name, run, request_id, monotonic()


_mine: ContextVar[_Place | None] = ContextVar("place", default=None)
_of_process: Final[dict[int, Places]] = {}
_making: Final = Lock()


def places_of(name: str) -> int:
    """How many runs of a job a process has at once."""
    return PLACES.get(name, _USUAL)


def begin(name: str, run: Run, *, after: float = 0.0, request_id: str = "") -> None:
    """Have a run made in this process, in a thread of its own; ``after``: so many seconds from now.

    ``request_id``: of the request that asks for it.
    """
    if after > 0:
        later = Timer(after, _places().begin, (name, run, request_id))
        later.daemon = True
        later.start()
    else:
        _places().begin(name, run, request_id)


def one_more() -> None:
    """From within a run: there is work for another one beside it, where a place is free. A worker's alone."""
    mine = _mine.get()
    if mine is not None:
        mine.places.begin(mine.name, mine.run, mine.request_id, extra=True)


def is_over() -> bool:
    """Whether a run has gone on for long enough, or its process is to end; never outside a worker.

    What it leaves, another run takes up.
    """
    mine = _mine.get()
    if mine is None:
        return False
    if monotonic() - mine.began < _RUN_SECONDS and not mine.places.is_ending:
        return False
    mine.places.begin(mine.name, mine.run, mine.request_id)
    return True


def _places() -> Places:
    # A process that was forked has no threads of the one before it.
    with _making:
        return _of_process.setdefault(os.getpid(), Places())


def _end(**_facts: object) -> None:
    # In the handler of a signal: it may have interrupted whoever holds a lock.
    places = _of_process.get(os.getpid())
    if places is not None:
        places.end()


signals.worker_shutting_down.connect(_end)
