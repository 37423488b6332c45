"""Working imports through: read and rehearsed, carried out, taken back. The job, and each of its steps.

A step is one transaction with everything in it that it did, how far it came included: whoever is killed in it has done
nothing, and whoever comes next goes on from there.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from time import monotonic
from typing import Final

from django.db import connection, transaction

from loyalty.core.clock import Clock, ticking
from loyalty.database.busy import raise_if_away
from loyalty.database.halves import in_halves
from loyalty.database.named_stores import in_store
from loyalty.jobs.periodic import wake_later
from loyalty.journal.record import Event, record
from loyalty.stores.actors import Act, Actor
from loyalty.stores.models import Store
from orders.models import WORKED_ON, BalanceImport, ImportState
from orders.services.balance_imports.certify import written_totals
from orders.services.balance_imports.jobs import JOB
from orders.services.balance_imports.rehearsal.history import IMPORT
from orders.services.balance_imports.rehearsal.kept_rows import next_people
from orders.services.balance_imports.rehearsal.rehearse import rehearse
from orders.services.balance_imports.start import happening
from orders.services.balance_imports.take_back import carry_back
from orders.services.balance_imports.write import set_aside, write_people

logger = logging.getLogger(__name__)

# A run ends after so many seconds and has itself called again, so that other jobs have their turn.
_TURN: Final = 60.0
_OPEN: Final = "SELECT id, store_id, state FROM orders_balanceimport WHERE state = ANY(%s) ORDER BY id"


def import_balances(now: datetime) -> dict[str, int]:
    """The job: reads files, and writes or takes back what is wanted, a batch of each import in turn.

    May run in several workers at once and be killed at any moment (E8).
    """
    counts = {"read": 0, "written": 0, "taken_back": 0, "postponed": 0}
    clock, began = ticking(now), monotonic()
    while sum([_step_or_leave(*found, clock, counts) for found in _open()]):
        if monotonic() - began > _TURN:
            wake_later(JOB, seconds=1)
            break
    return counts


def _open() -> list[tuple[int, int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [[state.value for state in WORKED_ON]])
        return list(cursor.fetchall())


def _step_or_leave(import_id: int, store_id: int, state: str, clock: Clock, counts: dict[str, int]) -> int:
    """A step of one import; one that cannot go on is left to its next turn and holds up none of the others."""
    try:
        with in_store(store_id):
            store = Store.objects.get(pk=store_id)
            return step(import_id, store, state, clock, counts)
    except Exception as error:
        raise_if_away(error)
        logger.exception("Balance import %s could not go on.", import_id)
        counts["postponed"] += 1
        return 0


def step(import_id: int, store: Store, state: str, clock: Clock, counts: dict[str, int]) -> int:
    """The next step of an import in ``state``; adds to ``counts``, answers how much was done. Its store is named."""
    if state == ImportState.READING:
        done, name = rehearse(import_id, store, clock), "read"
    elif state == ImportState.RUNNING:
        done, name = run_batch(import_id, store, clock), "written"
    else:
        done, name = _take_back(import_id, store, clock), "taken_back"
    counts[name] += done
    return done


@contextmanager
def _claim(import_id: int, store: Store, state: ImportState) -> Iterator[BalanceImport | None]:
    """The import, alone, if nobody else is at it: taken first and never waited for."""
    with transaction.atomic():
        claims = BalanceImport.objects.for_store(store).filter(pk=import_id, state=state)
        held = claims.select_for_update(of=("self",), no_key=True, skip_locked=True).first()
        if held is not None:
            held.store = store
        yield held


def run_batch(import_id: int, store: Store, clock: Clock) -> int:
    """Write the rows of the next people; answers how many rows were gone through, 0 when there are no more.

    Somebody whose rows cannot be written is found by halves and set aside (E7).
    """
    with _claim(import_id, store, ImportState.RUNNING) as held:
        if held is None:
            return 0
        people = next_people(held, held.done_until)
        if not people:
            _end(held, clock())
            return 0
        act = Act(Actor.from_ref(held.started_by), IMPORT, clock())
        done = in_halves(list(people), lambda some: write_people(held, some, act=act))
        for person, came in zip(people, done, strict=True):
            if isinstance(came, Exception):
                logger.error("Rows of an import could not be written.", exc_info=came)
                set_aside(held, person)
        rows = sum(people.values())
        held.done_until = next(reversed(people))
        held.items_done += rows
        held.save(update_fields=["done_until", "items_done"])
        return rows


def _end(held: BalanceImport, now: datetime) -> None:
    held.result = written_totals(held)
    held.state, held.finished_at, held.updated_at = ImportState.DONE, now, now
    held.save(update_fields=["result", "state", "finished_at", "updated_at"])
    facts = {"totals": held.result["totals"], "codes": held.result["codes"]}
    record([happening(held, Event.IMPORT_DONE, facts)], actor=Actor.from_ref(held.started_by), now=now)


def _take_back(import_id: int, store: Store, clock: Clock) -> int:
    with _claim(import_id, store, ImportState.TAKING_BACK) as held:
        return carry_back(held, now=clock()) if held is not None else 0
