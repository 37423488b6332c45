"""The rehearsal: the file is read, each row judged and kept, and added up. Nothing is written to a ledger."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, BinaryIO, Final

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.core.clock import Clock
from loyalty.core.locales import count_text
from loyalty.database.bulk import send
from loyalty.database.prepared import together
from loyalty.jobs.periodic import wake
from loyalty.stores.models import Store
from orders.models import BalanceImport, BalanceImportRow, ImportState
from orders.services.balance_imports.jobs import JOB
from orders.services.balance_imports.layouts.read import layout_by_names, read_rows
from orders.services.balance_imports.rehearsal.judge import judge
from orders.services.balance_imports.rehearsal.stage import COLUMNS, Stage, Values
from orders.services.balance_imports.rows import NotReadable, Row
from orders.services.balance_imports.stored_file import stored_file
from orders.services.balance_imports.upload import locked

# How many rows of a file there may be.
MOST_ROWS: Final = 1_000_000
# So many rows are kept in one statement, and so many statements in one transaction: while PostgreSQL writes some rows,
# the next are read.
BATCH: Final = 1_000
BATCHES: Final = 6
_DELETED_AT_ONCE: Final = 20_000
# Nobody else begins to read while somebody does; who was killed holds others up for so long.
READING_LASTS: Final = timedelta(seconds=15)
_READ_FROM: Final = (ImportState.UPLOADED, ImportState.REHEARSED, ImportState.FAILED)


class _TakenOver(Exception):
    """Somebody else reads this file now, or it is not to be read any more."""


@transaction.atomic
def start_reading(*, store: Store, import_id: int, layout: dict[str, Any], now: datetime) -> BalanceImport:
    """Have the file read (again) as ``layout`` says, and rehearsed. A worker does it.

    Raises NotFound, and ImportNotReady for a file that is not whole or an import that runs already.
    """
    held = locked(store, import_id, *_READ_FROM)
    if held.received < held.size or not held.sha256:
        held = locked(store, import_id, ImportState.UPLOADED)
    held.layout, held.state = layout, ImportState.READING
    held.rows_read, held.busy_until, held.failure = 0, None, ""
    held.summary, held.told, held.items, held.rehearsed_at = {}, [], 0, None
    held.updated_at = now
    held.save_changes()
    wake(JOB)
    return held


def rehearse(import_id: int, store: Store, clock: Clock, *, take_over: bool = False) -> int:
    """Read the file on from where it was left, and add up; answers how many rows were read. The store is named.

    Does nothing while somebody else reads it, unless told to take over; a file that cannot be read has *failed*.
    """
    held = _claim(import_id, store, clock(), take_over=take_over)
    if held is None:
        return 0
    before = held.rows_read
    try:
        _forget_rows(held)
        with stored_file(held) as file:
            refused = _read_on(held, file, clock)
        if refused:
            _fail(held, refused, clock())
        else:
            _finish(held, clock())
    except _TakenOver:
        pass
    return held.rows_read - before


def _read_on(held: BalanceImport, file: BinaryIO, clock: Clock) -> str:
    """Keep the rows behind those that are kept; answers why the file cannot be read, if it cannot."""
    # Judged by one instant to the end, so that a row is judged the same whoever reads on.
    stage = Stage(held.store, held.sha256, held.updated_at)
    try:
        if not held.layout.get("columns"):
            # Kept, so that whatever is said of a row is said in the file's own words.
            held.layout = layout_by_names(file, held.store).to_json()
            held.save(update_fields=["layout"])
        rows = _batches(_after(_counted(read_rows(file, held.layout, held.store)), held.rows_read))
        while _keep(held, stage, islice(rows, BATCHES), clock):
            pass
    except NotReadable as error:
        return str(error)
    return ""


def _claim(import_id: int, store: Store, now: datetime, *, take_over: bool) -> BalanceImport | None:
    with transaction.atomic():
        claims = BalanceImport.objects.for_store(store).filter(pk=import_id, state=ImportState.READING)
        held: BalanceImport | None = claims.select_for_update(of=("self",), no_key=True, skip_locked=True).first()
        if held is None or (held.busy_until and held.busy_until > now and not take_over):
            return None
        held.store = store
        held.busy_until = now + READING_LASTS
        held.save(update_fields=["busy_until"])
        return held


def _forget_rows(held: BalanceImport) -> None:
    """Delete what an earlier reading kept, when this one begins."""
    if held.rows_read:
        return
    rows = BalanceImportRow.objects.for_store(held.store).filter(balance_import=held)
    while ids := list(rows.values_list("pk", flat=True)[:_DELETED_AT_ONCE]):
        BalanceImportRow.objects.for_store(held.store).filter(pk__in=ids).delete()


def _counted(rows: Iterator[Row]) -> Iterator[Row]:
    for count, row in enumerate(rows, start=1):
        if count > MOST_ROWS:
            raise NotReadable(
                _("A file has at most %(most)s rows; cut it into several.") % {"most": count_text(MOST_ROWS)}
            )
        yield row


def _after(rows: Iterator[Row], position: int) -> Iterator[Row]:
    return (row for row in rows if row.position > position)


def _batches(rows: Iterator[Row]) -> Iterator[Sequence[Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _keep(held: BalanceImport, stage: Stage, batches: Iterator[Sequence[Row]], clock: Clock) -> bool:
    """Keep the rows of some batches in one transaction; answers whether there were any."""
    rows: Sequence[Row] = ()
    with transaction.atomic(), together():
        _go_on(held)
        for rows in batches:
            columns, same = _columns(held, [values for row in rows for values in stage.values(row)])
            send(BalanceImportRow, columns, same=same)
        if rows:
            held.rows_read, held.busy_until = rows[-1].position, clock() + READING_LASTS
            held.save(update_fields=["rows_read", "busy_until"])
    return bool(rows)


def _go_on(held: BalanceImport) -> None:
    """Hold the import, which must be as this reader left it."""
    rows = BalanceImport.objects.for_store(held.store).select_for_update(of=("self",), no_key=True)
    seen = rows.filter(pk=held.pk).values_list("state", "rows_read", "busy_until").first()
    if seen != (ImportState.READING, held.rows_read, held.busy_until):
        raise _TakenOver


def _columns(held: BalanceImport, things: Sequence[Values]) -> tuple[dict[str, Sequence[Any]], dict[str, Any]]:
    """The columns of what is kept; those of which a file has nothing to say, as most files of most, one value each."""
    columns: dict[str, Sequence[Any]] = dict(zip(COLUMNS, zip(*things, strict=True), strict=True))
    same = {name: column[0] for name, column in columns.items() if name != "position" and len(set(column)) == 1}
    rest = {name: column for name, column in columns.items() if name not in same}
    return rest, {"store_id": held.store_id, "balance_import_id": held.pk, **same}


@transaction.atomic
def _finish(held: BalanceImport, now: datetime) -> None:
    _go_on(held)
    held.summary = judge(held)
    held.items = held.summary["items"]
    held.state, held.rehearsed_at, held.busy_until, held.updated_at = ImportState.REHEARSED, now, None, now
    held.save_changes()


@transaction.atomic
def _fail(held: BalanceImport, why: str, now: datetime) -> None:
    try:
        _go_on(held)
    except _TakenOver:
        return
    held.state, held.failure, held.busy_until, held.updated_at = ImportState.FAILED, why, None, now
    held.save_changes()
