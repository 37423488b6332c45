"""Every metric that is exported: its name, what it says, its labels. ``docs/monitoring.md`` has the same table.

Labels have few values, all of them words of this program: never a store, a path, a host or a person.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from loyalty.monitoring.state import State

# Seconds; the last bucket is what takes longer.
BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Declared:
    """A metric by its name without a counter's ``_total``, which Prometheus adds."""

    name: str
    says: str
    labels: tuple[str, ...] = ()
    counts: bool = False

    @property
    def exported(self) -> str:
        """What it is called where it is read."""
        return f"{self.name}_total" if self.counts else self.name

    def family(self, samples: "Iterable[tuple[tuple[str, ...], float]]") -> Metric:
        """The metric with its samples, each by the values of its labels."""
        kind = CounterMetricFamily if self.counts else GaugeMetricFamily
        family = kind(self.name, self.says, labels=self.labels)
        for values, value in samples:
            family.add_metric(values, value)
        return family


REQUESTS: Final = Declared(
    "loyalty_requests",
    "Requests answered, by the name of the route, method and class of status",
    ("route", "method", "status"),
    counts=True,
)
REQUEST_SECONDS: Final = Declared("loyalty_request_seconds", "How long answers took to begin, by route", ("route",))
READABLE: Final = Declared("loyalty_database_readable", "1 while what follows could be read from the database, else 0")
JOB_RUNS: Final = Declared(
    "loyalty_job_runs", "Runs of each job by all workers, by outcome: done or failed", ("job", "outcome"), counts=True
)
JOB_SECONDS: Final = Declared("loyalty_job_seconds", "Seconds that runs of each job took in all", ("job",), counts=True)
JOB_LAST_SECONDS: Final = Declared("loyalty_job_last_seconds", "Seconds that the last run of each job took", ("job",))
JOB_LAG: Final = Declared(
    "loyalty_job_lag_seconds", "Seconds by which the next run of each job is late; absent before the first", ("job",)
)
WAITING: Final = Declared(
    "loyalty_waiting", "Rows that wait for a job, due or not yet; 10,000 at most are counted", ("job", "what")
)
OLDEST_DUE: Final = Declared(
    "loyalty_oldest_due_seconds", "Seconds since the oldest of these rows became due, 0 for none", ("job", "what")
)
RETURNS: Final = Declared(
    "loyalty_returns_last_ten_minutes", "Returns of the last ten minutes; 100,000 at most", ("trigger", "kind")
)
LEDGER_FAULTS: Final = Declared("loyalty_ledger_faults", "Faults that the last ledger checks of all stores found")
LEDGER_AGE: Final = Declared(
    "loyalty_ledger_check_age_seconds", "Seconds since the store that waits longest was checked; absent before any"
)
LEDGER_UNCHECKED: Final = Declared("loyalty_ledger_stores_unchecked", "Stores whose books were never checked")
PARTNERS: Final = Declared(
    "loyalty_partners",
    "Hosts of partners by the state of their breaker: failing, resting (left alone now), tried",
    ("state",),
)
SET_ASIDE: Final = Declared("loyalty_set_aside", "Orders and customers that wait after an error", ("about",))

OF_REQUESTS: Final = (REQUESTS, REQUEST_SECONDS)
OF_STATE: Final = (
    READABLE,
    JOB_RUNS,
    JOB_SECONDS,
    JOB_LAST_SECONDS,
    JOB_LAG,
    WAITING,
    OLDEST_DUE,
    RETURNS,
    LEDGER_FAULTS,
    LEDGER_AGE,
    LEDGER_UNCHECKED,
    PARTNERS,
    SET_ASIDE,
)


def families(state: State) -> Iterator[Metric]:
    """The state as metrics."""
    yield READABLE.family([((), 1)])
    yield from _of_jobs(state)
    yield WAITING.family(((one.job, one.what), one.count) for one in state.backlogs)
    yield OLDEST_DUE.family(((one.job, one.what), one.overdue) for one in state.backlogs)
    yield RETURNS.family(state.returns.items())
    yield LEDGER_FAULTS.family([((), state.books.faults)])
    yield LEDGER_AGE.family([((), state.books.age)] if state.books.age is not None else [])
    yield LEDGER_UNCHECKED.family([((), state.books.unchecked)])
    yield PARTNERS.family(((name,), count) for name, count in state.partners.items())
    yield SET_ASIDE.family(((about,), count) for about, count in state.set_aside.items())


def _of_jobs(state: State) -> Iterator[Metric]:
    runs = [job.run for job in state.jobs if job.run]
    done = [((run.name, "done"), run.runs - run.failures) for run in runs]
    yield JOB_RUNS.family([*done, *(((run.name, "failed"), run.failures) for run in runs)])
    yield JOB_SECONDS.family(((run.name,), run.seconds_in_all) for run in runs)
    yield JOB_LAST_SECONDS.family(((run.name,), run.seconds) for run in runs)
    yield JOB_LAG.family(((job.name,), job.late) for job in state.jobs if job.late is not None)
