"""What a job could not process: found by halves, set aside with its error, tried again later (E7).

One bad thing never stops a job for the others: the batch is tried without it, in as few pieces as finding it takes.
"""

import logging
from collections.abc import Callable, Sequence
from copy import copy
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Exists, OuterRef

from loyalty.database.bulk import array
from loyalty.database.halves import in_halves
from loyalty.database.named_stores import in_stores
from loyalty.database.prepared import ask
from loyalty.jobs.retries import PROBLEMS, words_of
from loyalty.journal.models import AbstractProblem
from loyalty.stores.scoping import StoreOwned

logger = logging.getLogger(__name__)

R = TypeVar("R", bound=StoreOwned)


def set_aside(problems: type[AbstractProblem], job: str, now: datetime) -> Exists:
    """That a row of the outer query waits for its next attempt by ``job``."""
    waiting = problems.unscoped.filter(job=job, next_attempt_at__gt=now)
    return Exists(waiting.filter(**{problems.SUBJECT: OuterRef("pk")}))


def by_halves(
    problems: type[AbstractProblem],
    rows: Sequence[R],
    process: Callable[[Sequence[R]], None],
    *,
    job: str,
    now: datetime,
) -> int:
    """Process rows together, in their stores alone; when they fail, find those that do by halves and set them aside.

    ``rows`` are what ``problems`` are about. Answers how many failed. A database that is away is no row's fault and is
    raised.
    """

    def attempt(some: Sequence[R]) -> Sequence[R]:
        with in_stores(row.store_id for row in some):
            # Copies: what is made of them is undone with what was written.
            process([copy(row) for row in some])
        return some

    failed = 0
    for row, error in zip(rows, in_halves(rows, attempt), strict=True):
        if not isinstance(error, Exception):
            continue
        failed += 1
        logger.error("%s %s could not be processed by %s.", problems.SUBJECT, row.pk, job, exc_info=error)
        with in_stores([row.store_id]):
            _set_aside(problems, row, words_of(error), job, now)
    return failed


def solved(problems: type[AbstractProblem], rows: Sequence[Any], *, job: str) -> None:
    """Forget what was wrong with these rows: it succeeded."""
    table = problems._meta.db_table
    subject: Any = problems._meta.get_field(problems.SUBJECT)
    ask(
        f'DELETE FROM "{table}" WHERE job = %s AND "{subject.attname}" = ANY(%s::bigint[])',
        [job, array(row.pk for row in rows)],
    )


def _set_aside(problems: type[AbstractProblem], row: Any, error: str, job: str, now: datetime) -> None:
    about = {problems.SUBJECT: row, "job": job}
    before = problems.unscoped.filter(**about).first()
    attempts = before.attempts + 1 if before else 1
    facts = {"error": error, "attempts": attempts, "next_attempt_at": PROBLEMS.turn(attempts, now)}
    if before:
        problems.unscoped.filter(pk=before.pk).update(**facts)
    else:
        problems.objects.create(**about, **facts, store_id=row.store_id, created_at=now)
