"""Importing platform orders out of files, row by row (O2). A bad row never stops the others."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction

from loyalty.platforms.files import Row
from loyalty.platforms.registry import read_order
from loyalty.platforms.snapshot import NotAnOrder, OrderGone, OrderSnapshot
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from orders.services.ingesting import Outcome, ingest
from orders.services.platform_presence import note_deleted
from orders.services.platform_state import Standing, digest, standing
from orders.services.unsaid import meant

logger = logging.getLogger(__name__)

# What a row says: what an order is, or that it is gone.
Said = OrderSnapshot | OrderGone
Take = Callable[[Said, datetime], Outcome]


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

    def take(self, said: Said, now: datetime) -> Outcome:
        """Record one order, in a transaction of its own. Raises NotAnOrder."""
        if isinstance(said, OrderGone):
            return self._delete(said, now)
        return ingest(store=self.store, platform=self.platform, snapshot=said, actor=self.actor, now=now).outcome

    def _delete(self, gone: OrderGone, now: datetime) -> Outcome:
        """Note that an order is in the bin there (O9); one that is not recorded here is none."""
        order = note_deleted(
            store=self.store,
            platform=self.platform,
            external_id=gone.external_id,
            said_at=gone.at,
            heard_at=now,
            actor=self.actor,
            now=now,
        )
        if order is None:
            raise gone
        return Outcome.UPDATED if order.updated_at == now else Outcome.UNCHANGED


class Rehearsal:
    """An import that says what would happen and writes nothing.

    Each row is tried and rolled back by itself, so that no lock is held for longer than a row. An order that comes
    again is therefore held against its last state in the files; only that state's digest is remembered.
    """

    def __init__(self, real: Import) -> None:
        self._real = real
        self._seen: dict[str, tuple[Standing, str]] = {}

    def take(self, said: Said, now: datetime) -> Outcome:
        """What recording one order after the others would come to. Raises NotAnOrder."""
        outcome = self._try(said, now)
        if isinstance(said, OrderGone):
            return outcome
        last = self._seen.get(said.external_id)
        if last is not None:
            outcome = self._second_outcome(said, *last)
        if outcome not in (Outcome.STALE, Outcome.TEST):
            self._seen[said.external_id] = (self._standing(said), digest(said))
        return outcome

    def _try(self, said: Said, now: datetime) -> Outcome:
        with transaction.atomic():
            outcome = self._real.take(said, now)
            transaction.set_rollback(True)
        return outcome

    def _second_outcome(self, snapshot: OrderSnapshot, last: Standing, said: str) -> Outcome:
        if self._standing(snapshot) < last:
            return Outcome.STALE
        return Outcome.UNCHANGED if digest(snapshot) == said else Outcome.UPDATED

    def _standing(self, snapshot: OrderSnapshot) -> Standing:
        return standing(snapshot, self._real.platform)


def take_row(row: Row, *, platform: str, take: Take, now: datetime) -> RowResult:
    """Hand one row of a file to ``take`` and say what became of it. Raises only when the database is away."""
    number = ""
    try:
        said = _read(row, platform)
        if isinstance(said, OrderGone):
            return RowResult(row.position, number, take(said, now))
        snapshot = meant(said, now=now)
        number = snapshot.number
        return RowResult(row.position, number, take(snapshot, now), left_out=snapshot.left_out)
    except NotAnOrder as error:
        return RowResult(row.position, number, error=str(error), field=error.field)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("Row %s could not be imported.", row.position)
        return RowResult(row.position, number, error="Something unexpected is in this order; the log says what.")


def _read(row: Row, platform: str) -> Said:
    if row.document is None:
        raise row.error or NotAnOrder("There is no order here.")
    try:
        snapshot = read_order(platform, row.document)
    except OrderGone as gone:
        return gone
    return replace(snapshot, is_test_delivery=True) if row.is_test else snapshot
