"""The periodic jobs as Celery tasks under their fixed names, and the schedule that beat sends them by."""

import logging
from collections.abc import Callable

from django.utils import timezone

from loyalty.celery import app
from loyalty.jobs.periodic import EVERY, JOBS, counts_line, run_job

logger = logging.getLogger(__name__)


def _task(name: str) -> Callable[[], None]:
    def task() -> None:
        try:
            counts = run_job(name, timezone.now())
        except Exception:
            logger.exception("%s failed.", name)
            raise
        logger.info(counts_line(name, counts))

    return task


for _name in JOBS:
    app.task(name=_name)(_task(_name))

# A message that waited longer than its job's pause is dropped: the next one has been sent by then and does the same.
app.conf.beat_schedule = {
    name: {"task": name, "schedule": pause, "options": {"expires": pause.total_seconds()}}
    for name, pause in EVERY.items()
}
