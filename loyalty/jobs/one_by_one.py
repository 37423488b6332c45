"""Work that is taken up one row at a time, by jobs whose rows keep their own attempts and their own next turn."""

import logging
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import TypeVar

from django.db.models import Model

from loyalty.database.busy import raise_if_away
from loyalty.database.named_stores import in_store
from loyalty.jobs.places import is_over

logger = logging.getLogger(__name__)

T = TypeVar("T")


class CannotBeWritten(Exception):
    """A row of which nothing can be written, not even that it failed."""

    def __init__(self, row: Model) -> None:
        super().__init__(f"{row._meta.verbose_name} {row.pk}")
        self.pk: int = row.pk


@contextmanager
def alone_with(row: Model) -> Iterator[None]:
    """Work on this row, in its store alone (T1): what goes wrong inside is its own trouble.

    Raises CannotBeWritten, unless the database is away.
    """
    try:
        with in_store(vars(row)["store_id"]):
            yield
    except CannotBeWritten:
        raise
    except Exception as error:
        raise_if_away(error)
        raise CannotBeWritten(row) from error


def one_by_one(take: Callable[[AbstractSet[int]], T | None], *, job: str) -> Iterator[T]:
    """What ``take`` answers, again and again until it finds nothing; it is told which rows to leave out.

    A row that cannot be written is left out for the rest of the run, so that it holds up none of those behind it (E7);
    every run meets it once. A run of a worker ends when its time is over, and another one goes on.
    """
    left_out: set[int] = set()
    while not is_over():
        try:
            found = take(left_out)
        except CannotBeWritten as error:
            logger.exception("%s leaves one out.", job)
            left_out.add(error.pk)
            continue
        if found is None:
            return
        yield found
