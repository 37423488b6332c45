"""``manage.py run_jobs``: the periodic jobs in the foreground, for cron and for people without a worker."""

import logging
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandError, CommandParser

from loyalty.core.causes import run_of
from loyalty.core.clock import read_clock
from loyalty.core.logs import what_failed
from loyalty.database.busy import raise_if_away
from loyalty.jobs.periodic import JOBS, counts_line, found_work, run_job
from loyalty.management.commanding import OneLineCommand

logger = logging.getLogger(__name__)


class Command(OneLineCommand):
    """Runs the named jobs once; without names all of them, again until none finds work that is due."""

    help = "Run the periodic jobs: the named ones once, or all of them until none finds work that is due."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(JOBS)}")

    def handle(self, *_args: Any, names: list[str], **_options: Any) -> None:
        """Run and print one line of counts for each job. Raises CommandError for a name that is no job."""
        unknown = [name for name in names if name not in JOBS]
        if unknown:
            raise CommandError(f"There is no job {', '.join(unknown)}. The jobs are {', '.join(JOBS)}.")
        run = _Run(dict.fromkeys(names or JOBS))
        run.once() if names else run.until_idle()
        for name, counts in run.totals.items():
            self.stdout.write(counts_line(name, counts))
        if run.errors:
            raise CommandError("; ".join(f"{name} failed: {error}" for name, error in run.errors.items()))


class _Run:
    """The jobs of one call, each with what it did; one that fails holds up none of the others."""

    def __init__(self, names: Iterable[str]) -> None:
        self.totals = {name: Counter[str]() for name in names}
        self.errors: dict[str, str] = {}

    def once(self) -> bool:
        """Run each of them; answers whether one found work."""
        found = [self._job(name) for name in self.totals if name not in self.errors]
        return any(found)

    def until_idle(self) -> None:
        """Run all of them again while one found work: what one job does may be another one's work."""
        while self.once():
            pass

    def _job(self, name: str) -> bool:
        with run_of(name):
            try:
                counts = run_job(name, read_clock())
            except Exception as error:
                raise_if_away(error)
                logger.exception("%s failed.", name)
                self.errors[name] = what_failed(error)
                return False
        self.totals[name].update(counts)
        return found_work(counts)
