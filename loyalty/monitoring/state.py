"""How the installation is, read at once: what metrics count and what the page *Is everything well?* says in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import Final

from django.db import connection, transaction
from django.utils.module_loading import import_string

from loyalty.core.clock import read_clock
from loyalty.database.named_stores import every_store
from loyalty.jobs.periodic import EVERY, JOBS
from loyalty.journal.models import JobRun
from loyalty.monitoring.backlogs import Waiting, customers_set_aside, waiting
from loyalty.partners.breaker import states_of_partners
from loyalty.proof.outcomes import last_of_each_store

# Whoever asks within so many seconds is told the same.
_LASTS: Final = 10.0
# One statement takes so long at most: watching must not be what is slow.
_PATIENCE: Final = "2s"
# Named as strings, because the foundation imports none of the apps that stand on it.
_RETURNS: Final = "orders.services.automation.backlogs.returns_lately"
_ORDERS_SET_ASIDE: Final = "orders.services.automation.backlogs.orders_set_aside"


@dataclass(frozen=True, slots=True)
class Job:
    """One job: its last run, if there was one, and by how many seconds the next one is late."""

    name: str
    run: JobRun | None
    late: float | None

    @property
    def failed(self) -> bool:
        """Whether the last run failed."""
        return self.run is not None and bool(self.run.error) and self.run.failed_at == self.run.started_at


@dataclass(frozen=True, slots=True)
class Books:
    """The last ledger checks of all stores: faults, seconds since the oldest of them, stores that never had one."""

    faults: int
    age: float | None
    unchecked: int


@dataclass(frozen=True, slots=True)
class State:
    """Everything about all stores together, as it was at ``now``."""

    now: datetime
    jobs: Sequence[Job]
    backlogs: Sequence[Waiting]
    returns: Mapping[tuple[str, str], int]
    books: Books
    partners: Mapping[str, int]
    set_aside: Mapping[str, int]


def read_state(now: datetime) -> State:
    """The state at ``now``, by a dozen statements that each read an index. Raises what the database raises."""
    with every_store(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{_PATIENCE}'")
        return State(
            now,
            jobs=_jobs(now),
            backlogs=tuple(waiting(now)),
            returns=import_string(_RETURNS)(now),
            books=_books(now),
            partners=states_of_partners(),
            set_aside={"orders": import_string(_ORDERS_SET_ASIDE)(), "customers": customers_set_aside()},
        )


def _jobs(now: datetime) -> list[Job]:
    runs = {run.name: run for run in JobRun.objects.all()}
    return [Job(name, run := runs.get(name), _late(name, run, now)) for name in JOBS]


def _late(name: str, run: JobRun | None, now: datetime) -> float | None:
    return max((now - run.started_at - EVERY[name]).total_seconds(), 0.0) if run else None


def _books(now: datetime) -> Books:
    last = last_of_each_store()
    ages = [(now - checked_at).total_seconds() for checked_at, _ in last if checked_at]
    return Books(sum(faults or 0 for _, faults in last), max(ages, default=None), len(last) - len(ages))


class Reader:
    """Reads the state when it is asked, and again only after some seconds; many who ask at once wait for one answer."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: State | None = None
        self._until = 0.0

    def read(self) -> State:
        """The state of now, or of a few seconds ago."""
        with self._lock:
            if self._kept is None or monotonic() >= self._until:
                self._kept = read_state(read_clock())
                self._until = monotonic() + _LASTS
            return self._kept
