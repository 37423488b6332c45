"""Stores take turns: whoever has waited longest is next, and none of them takes all the places of a job."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from threading import Lock
from typing import Final, TypeVar

from django.db import connection
from django.db.models import Model

from loyalty.jobs.places import one_more, places_of

T = TypeVar("T")

# The stores that have something queued, each found with one look into the index, however much that is.
_DUE: Final = """
WITH RECURSIVE waiting AS (
    (SELECT store_id FROM {table} WHERE status = 'queued' ORDER BY store_id LIMIT 1)
    UNION ALL
    SELECT following.store_id FROM waiting, LATERAL (
        SELECT store_id FROM {table} WHERE status = 'queued' AND store_id > waiting.store_id ORDER BY store_id LIMIT 1
    ) AS following
)
SELECT store_id FROM waiting WHERE EXISTS (
    SELECT FROM {table} AS one
    WHERE one.status = 'queued' AND one.store_id = waiting.store_id AND one.next_attempt_at <= %s
)
"""


def stores_due(model: type[Model], now: datetime) -> Sequence[int]:
    """The stores of which something is queued in a table and due. To be asked while every store is named."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE.format(table=connection.ops.quote_name(model._meta.db_table)), [now])
        return [store_id for (store_id,) in cursor.fetchall()]


class Turns:
    """The turns of one job in this process.

    A store whose partner is slow holds its own row for long; beside it others go on. While few are at work a store may
    have a quarter of the places; when half of them are taken, one.
    """

    def __init__(self, job: str) -> None:
        self._places = places_of(job)
        self._lock = Lock()
        self._numbers = count()
        self._last: dict[int | None, int] = {}
        self._in_hand: Counter[int | None] = Counter()

    @contextmanager
    def turn(
        self, due: Callable[[], Sequence[int | None]], claim: Callable[[int | None], T | None]
    ) -> Iterator[T | None]:
        """What ``claim`` takes up of the store whose turn it is, among those that ``due`` names; None for nothing.

        It counts as in that store's hands until the block ends.
        """
        with self._lock:
            store_id, claimed, others = self._next(due(), claim)
        if claimed is None:
            yield None
            return
        try:
            if others:
                one_more()
            yield claimed
        finally:
            with self._lock:
                self._in_hand[store_id] -= 1

    def _next(
        self, due: Sequence[int | None], claim: Callable[[int | None], T | None]
    ) -> tuple[int | None, T | None, bool]:
        """The store, what is claimed of it, and whether others wait as well."""
        free = sorted(filter(self._may, due), key=lambda store_id: self._last.get(store_id, -1))
        for store_id in free:
            claimed = claim(store_id)
            if claimed is not None:
                self._last[store_id] = next(self._numbers)
                self._in_hand[store_id] += 1
                return store_id, claimed, len(free) > 1
        return None, None, False

    def _may(self, store_id: int | None) -> bool:
        is_quiet = self._in_hand.total() * 2 < self._places
        return self._in_hand[store_id] < (max(self._places // 4, 1) if is_quiet else 1)
