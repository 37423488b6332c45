"""``manage.py run_jobs``: the periodic jobs in the foreground, for cron and for people without a worker."""

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from loyalty.jobs import JOBS, counts_line, found_work, run_job


class Command(BaseCommand):
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
        done = _once(names) if names else _until_idle()
        for name, counts in done.items():
            self.stdout.write(counts_line(name, counts))


def _once(names: list[str]) -> dict[str, Counter[str]]:
    return {name: _run(name) for name in dict.fromkeys(names)}


def _until_idle() -> dict[str, Counter[str]]:
    """Run all jobs, and all of them again while one found work: what one job does may be another one's work."""
    totals = {name: Counter[str]() for name in JOBS}
    busy = True
    while busy:
        this_time = {name: _run(name) for name in JOBS}
        for name, counts in this_time.items():
            totals[name].update(counts)
        busy = any(found_work(counts) for counts in this_time.values())
    return totals


def _run(name: str) -> Counter[str]:
    return Counter(run_job(name, timezone.now()))
