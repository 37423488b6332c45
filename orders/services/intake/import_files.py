"""Importing platform orders out of files, some hundred rows at a time (O2). A bad row never stops the others."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.database.halves import in_halves, in_turns
from loyalty.platforms.files import Row
from loyalty.platforms.read import read_order
from loyalty.platforms.snapshot import NotAnOrder, OrderGone, OrderSnapshot
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from orders.services.intake.fill_gaps import meant
from orders.services.intake.ingest import Arrival, Outcome, ingest_all
from orders.services.intake.platform_presence import note_deleted
from orders.services.intake.platform_state import Standing, digest, standing

logger = logging.getLogger(__name__)

# What a row says: what an order is, or that it is gone.
Said = OrderSnapshot | OrderGone
# What recording rows came to, one by one: an outcome, or why there is none.
Took = Outcome | Exception
Take = Callable[[Sequence[Said], datetime], Sequence[Took]]

# As many rows are recorded in one transaction; more make it longer and nothing faster.
BATCH: Final = 250
_UNEXPECTED: Final = gettext_noop("Something unexpected is in this order; the log says what.")


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row: an outcome, or the sentence that says why there is none and the field it is about.

    ``left_out`` names what could not be read (O10).
    """

    position: int
    number: str = ""
    outcome: Outcome | None = None
    error: str = ""
    field: str = ""
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Import:
    """An import into one store from one platform; ``actor`` is who brings the files."""

    store: Store
    platform: str
    actor: Actor

    def take(self, said: Sequence[Said], now: datetime) -> list[Took]:
        """Record orders, each of them named once, together or else as many of them as can be."""
        recorded = iter(in_halves([one for one in said if isinstance(one, OrderSnapshot)], partial(self._ingest, now)))
        # Each of the few that are gone in a transaction of its own: its order is locked with nothing locked before.
        return [
            in_halves([one], partial(self._delete, now))[0] if isinstance(one, OrderGone) else next(recorded)
            for one in said
        ]

    def _ingest(self, now: datetime, snapshots: Sequence[OrderSnapshot]) -> list[Took]:
        arrivals = [Arrival(snapshot) for snapshot in snapshots]
        done = ingest_all(store=self.store, platform=self.platform, arrivals=arrivals, actor=self.actor, now=now)
        return [one.outcome for one in done]

    def _delete(self, now: datetime, gone: Sequence[OrderGone]) -> list[Took]:
        """Note that an order is in the bin there (O9); one that is not recorded here is none."""
        took: list[Took] = []
        for one in gone:
            order = note_deleted(
                store=self.store,
                platform=self.platform,
                external_id=one.external_id,
                said_at=one.at,
                heard_at=now,
                actor=self.actor,
                now=now,
            )
            took.append(one if order is None else Outcome.UPDATED if order.updated_at == now else Outcome.UNCHANGED)
        return took


class Rehearsal:
    """An import that says what would happen and writes nothing.

    Each batch is tried and rolled back by itself, so that no lock is held for longer than that takes. An order that
    comes again is therefore held against its last state in the files; only that state's digest is remembered.
    """

    def __init__(self, real: Import) -> None:
        self._real = real
        self._seen: dict[str, tuple[Standing, str]] = {}

    def take(self, said: Sequence[Said], now: datetime) -> list[Took]:
        """What recording these orders would come to."""
        with transaction.atomic():
            took = self._real.take(said, now)
            transaction.set_rollback(True)
        return [self._after_those_before(one, came) for one, came in zip(said, took, strict=True)]

    def _after_those_before(self, said: Said, took: Took) -> Took:
        if isinstance(said, OrderGone) or isinstance(took, Exception):
            return took
        last = self._seen.get(said.external_id)
        if last is not None:
            took = self._second_outcome(said, *last)
        if took not in (Outcome.STALE, Outcome.TEST):
            self._seen[said.external_id] = (self._standing(said), digest(said))
        return took

    def _second_outcome(self, snapshot: OrderSnapshot, last: Standing, said: str) -> Outcome:
        if self._standing(snapshot) < last:
            return Outcome.STALE
        return Outcome.UNCHANGED if digest(snapshot) == said else Outcome.UPDATED

    def _standing(self, snapshot: OrderSnapshot) -> Standing:
        return standing(snapshot, self._real.platform)


def take_rows(
    rows: Iterable[Row], *, platform: str, take: Take, clock: Callable[[], datetime], batch_size: int | None = None
) -> Iterator[RowResult]:
    """Hand the rows of a file to ``take``, a batch at a time, and say what became of each, in their order.

    Raises only when the database is away; what was recorded by then stays, and importing the file again goes on.
    """
    left = iter(rows)
    while batch := list(islice(left, batch_size or BATCH)):
        now = clock()
        read = [_read(row, platform, now) for row in batch]
        took = _in_turns(read, take, now)
        for row, one, came in zip(batch, read, took, strict=True):
            yield _result(row.position, None if isinstance(one, _Unread) else one, came)


def _in_turns(read: Sequence["Said | _Unread"], take: Take, now: datetime) -> list[Took]:
    """What ``take`` makes of the rows, each state of an order in a transaction after the one before it."""
    said = {place: one for place, one in enumerate(read) if not isinstance(one, _Unread)}
    took: dict[int, Took] = {place: one.error for place, one in enumerate(read) if isinstance(one, _Unread)}
    for turn in in_turns({place: one.external_id for place, one in said.items()}):
        took |= zip(turn, take([said[place] for place in turn], now), strict=True)
    return [took[place] for place in range(len(read))]


@dataclass(frozen=True, slots=True)
class _Unread:
    """A row out of which nothing could be read."""

    error: NotAnOrder


def _read(row: Row, platform: str, now: datetime) -> Said | _Unread:
    if row.document is None:
        return _Unread(row.error or NotAnOrder(_("There is no order here.")))
    try:
        snapshot = meant(read_order(platform, row.document), now=now)
    except OrderGone as gone:
        return gone
    except NotAnOrder as error:
        return _Unread(error)
    except Exception:
        logger.exception("Row %s could not be read.", row.position)
        return _Unread(NotAnOrder(_(_UNEXPECTED)))
    return replace(snapshot, is_test_delivery=True) if row.is_test else snapshot


def _result(position: int, said: Said | None, took: Took) -> RowResult:
    snapshot = said if isinstance(said, OrderSnapshot) else None
    number = snapshot.number if snapshot else ""
    if isinstance(took, NotAnOrder):
        return RowResult(position, number, error=str(took), field=took.field)
    if isinstance(took, Exception):
        logger.error(_("Row %s could not be imported."), position, exc_info=took)
        return RowResult(position, number, error=_(_UNEXPECTED))
    return RowResult(position, number, took, left_out=snapshot.left_out if snapshot else ())
