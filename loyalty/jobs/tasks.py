"""The periodic jobs as Celery tasks under their fixed names, and the schedule that beat sends them by."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

from celery import Task

from loyalty.celery import app
from loyalty.core.causes import accepted_id
from loyalty.core.clock import read_clock
from loyalty.jobs.periodic import EVERY, JOBS, counts_line, run_job
from loyalty.jobs.places import begin

logger = logging.getLogger(__name__)


def _run(name: str) -> None:
    logger.info(counts_line(name, run_job(name, read_clock())))


def _task(name: str) -> Callable[..., None]:
    def task(self: Task, after: float = 0.0) -> None:
        if self.request.called_directly or self.request.is_eager:
            _run(name)
        else:
            asked = (self.request.headers or {}).get("request_id")
            begin(name, partial(_run, name), after=after, request_id=accepted_id(asked) if asked else "")

    return task


for _name in JOBS:
    app.task(name=_name, bind=True)(_task(_name))

# A message that waited much longer than its pause is dropped: the next one has been sent by then and does the same.
# How old it is, Celery tells by the clock of the worker's machine and that of beat's, which may differ by minutes.
CLOCKS_DIFFER: Final = timedelta(minutes=15)
app.conf.beat_schedule = {
    name: {"task": name, "schedule": pause, "options": {"expires": (pause + CLOCKS_DIFFER).total_seconds()}}
    for name, pause in EVERY.items()
}
