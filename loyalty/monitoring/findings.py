"""The state in words: what of it is well, what needs a look, what is wrong, and what to do about it.

Pure: the same state always reads the same. ``docker/monitoring/alerts.yml`` speaks up at the same limits.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from babel.dates import format_timedelta
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from loyalty.core.locales import count_text, locale_of
from loyalty.core.phrases import enumerated
from loyalty.jobs.periodic import PULSE, WORDS
from loyalty.monitoring.state import Job, State

# Later than this, and six times as late: a job for its time, beat for every minute, a row for its job.
LATE: Final = timedelta(minutes=5)
VERY_LATE: Final = 6
CHECK_LATE: Final = timedelta(days=2)


class Light(StrEnum):
    """How it is, as a traffic light."""

    GREEN = "green"
    AMBER = "orange"
    RED = "red"


class Page(StrEnum):
    """The pages that show more; the back-office knows their addresses."""

    JOBS = "jobs"
    WAITING = "waiting"
    BOOKS = "books"
    OUTBOX = "outbox"


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of the installation: how it is in a sentence, and where it is not well, what to do, and where."""

    part: str
    light: Light
    says: str
    do: str = ""
    page: Page | None = None


def findings(state: State, *, broker_answers: bool, resting: Sequence[str]) -> Iterator[Finding]:
    """Every part, in the order in which somebody would look."""
    yield _broker(broker_answers=broker_answers)
    yield _beat(next(job for job in state.jobs if job.name == PULSE))
    yield _jobs(state)
    yield from _backlogs(state)
    yield _set_aside(state)
    yield _partners(resting)
    yield _books(state)


def worst(found: Sequence[Finding]) -> Light:
    """The light of the whole."""
    lights = {finding.light for finding in found}
    return next((light for light in (Light.RED, Light.AMBER) if light in lights), Light.GREEN)


def _broker(*, broker_answers: bool) -> Finding:
    if broker_answers:
        return Finding(_("Broker"), Light.GREEN, _("Valkey answers."))
    return Finding(
        _("Broker"),
        Light.RED,
        _("Valkey does not answer. Nothing is lost, but no job begins until it does."),
        _("Start Valkey again, and look at its memory and its disk."),
    )


def _beat(pulse: Job) -> Finding:
    part, do = _("Beat and workers"), _("See that beat and a worker run, and read the last lines of their logs.")
    if pulse.late is None:
        return Finding(part, Light.RED, _("No job has run yet."), do)
    if pulse.late > LATE.total_seconds():
        said = _("The job that beat asks for every minute is %(time)s late.") % {"time": _duration(pulse.late)}
        return Finding(part, Light.RED, said, do)
    return Finding(part, Light.GREEN, _("Beat asks for jobs, and a worker runs them."))


def _jobs(state: State) -> Finding:
    part = _("Jobs")
    failed = [job for job in state.jobs if job.failed]
    late = [job for job in state.jobs if job.late is not None and job.late > LATE.total_seconds()]
    if failed:
        said = ngettext(
            "The last run of one job failed: %(jobs)s.",
            "The last runs of %(number)d jobs failed: %(jobs)s.",
            len(failed),
        )
        do = _("Read the error on the page Jobs. The next run tries again; if that fails too, look at the log.")
        return Finding(part, Light.RED, said % {"number": len(failed), "jobs": _names(failed)}, do, Page.JOBS)
    if late:
        said = ngettext("One job is late: %(jobs)s.", "%(number)d jobs are late: %(jobs)s.", len(late))
        do = _("Look on the page Jobs how long runs take. If all are late, start another worker.")
        return Finding(part, Light.AMBER, said % {"number": len(late), "jobs": _names(late)}, do, Page.JOBS)
    return Finding(part, Light.GREEN, _("The last run of every job went well, and none is late."))


def _names(jobs: Sequence[Job]) -> str:
    return enumerated(_(WORDS[job.name]) for job in jobs)


def _backlogs(state: State) -> Iterator[Finding]:
    behind = [one for one in state.backlogs if one.overdue > one.patience]
    for one in behind:
        light = Light.RED if one.overdue > VERY_LATE * one.patience else Light.AMBER
        said = _("%(job)s: the oldest has waited for %(time)s, and %(number)s wait.") % {
            "job": _(WORDS[one.job]),
            "time": _duration(one.overdue),
            "number": count_text(one.count),
        }
        do = _("If the number falls, the backlog is being worked off. If it grows, see whether the job fails.")
        yield Finding(
            _("Waiting work"), light, said, do, Page.OUTBOX if one.job == "loyalty.deliver_outbox" else Page.JOBS
        )
    if not behind:
        yield Finding(_("Waiting work"), Light.GREEN, _("Nothing has waited longer than it should."))


def _set_aside(state: State) -> Finding:
    part, count = _("Set aside"), sum(state.set_aside.values())
    if not count:
        return Finding(part, Light.GREEN, _("Every order and customer could be processed."))
    said = ngettext(
        "One order or customer could not be processed, and is tried again.",
        "%(number)d orders and customers could not be processed, and are tried again.",
        count,
    )
    do = _("Read the errors on the page To be tried again of the store. Many with the same error point to one cause.")
    return Finding(part, Light.AMBER, said % {"number": count}, do, Page.WAITING)


def _partners(resting: Sequence[str]) -> Finding:
    part = _("Partners")
    if not resting:
        return Finding(part, Light.GREEN, _("No platform, mail server or webhook endpoint is left alone."))
    said = ngettext(
        "%(hosts)s does not answer and is left alone for up to five minutes.",
        "%(number)d hosts do not answer and are left alone for up to five minutes: %(hosts)s.",
        len(resting),
    )
    do = _("What is meant for them waits and is sent later. If it is your mail server, see to it.")
    return Finding(part, Light.AMBER, said % {"number": len(resting), "hosts": enumerated(resting)}, do, Page.OUTBOX)


def _books(state: State) -> Finding:
    part, books = _("Books"), state.books
    if books.faults:
        said = ngettext("The last check found one fault.", "The last checks found %(number)d faults.", books.faults)
        do = _("Read them on the page Ledger check, and change nothing about these customers until the cause is known.")
        return Finding(part, Light.RED, said % {"number": books.faults}, do, Page.BOOKS)
    if books.age is not None and books.age > CHECK_LATE.total_seconds():
        said = _("The books were last checked %(time)s ago.") % {"time": _duration(books.age)}
        return Finding(part, Light.AMBER, said, _("See on the page Jobs whether the check fails."), Page.JOBS)
    if books.age is None:
        return Finding(part, Light.GREEN, _("No store has been checked yet; the worker does it within a day."))
    return Finding(part, Light.GREEN, _("The books of every store agree."))


def _duration(seconds: float) -> str:
    return format_timedelta(timedelta(seconds=seconds), locale=locale_of(get_language() or "en"))
