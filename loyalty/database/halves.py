"""Doing many things at once, and finding those that fail by halves."""

import logging
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

from django.db import transaction

from loyalty.database.busy import raise_if_away

logger = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")
P = TypeVar("P", bound=Hashable)


def in_halves(items: Sequence[T], do: Callable[[Sequence[T]], Sequence[R]]) -> list[R | Exception]:
    """What ``do`` answers for ``items``, all in one transaction; for those that cannot be done, why not.

    When all together fail, each half is tried by itself, down to those that fail alone. A database that is away is
    nobody's fault and is raised.
    """
    if not items:
        return []
    try:
        with transaction.atomic():
            return list(do(items))
    except Exception as error:
        raise_if_away(error)
        logger.info("%s could not be done together.", len(items), exc_info=True)
        if len(items) == 1:
            return [error]
    middle = len(items) // 2
    return [result for half in (items[:middle], items[middle:]) for result in in_halves(half, do)]


def in_turns(names: Mapping[P, Hashable]) -> Iterator[list[P]]:
    """Places by name, such that no name comes twice in a turn; those of one name come turn by turn as they stand."""
    left = dict(names)
    while left:
        firsts = {name: place for place, name in reversed(left.items())}
        turn = [place for place, name in left.items() if firsts[name] == place]
        yield turn
        for place in turn:
            del left[place]
