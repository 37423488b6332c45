"""Writing what some people's rows say, in one transaction: who they are, their old history, their lots, their codes.

Everything goes through the ledger's one door, kind by kind, in statements that do not grow with the rows. Nobody is
told of an imported lot: an import is one entry of the journal.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection

from loyalty.customers.identify import identify_all
from loyalty.database.bulk import array, insert, new_ids
from loyalty.ledger.bring import bring_lots
from loyalty.ledger.ledger import Kind
from loyalty.ledger.models import MovementType, Origin
from loyalty.ledger.planner import Amount
from loyalty.ledger.posting import BY_HAND, Cause, Entry, NewLot, Posted, lock_customers, post
from loyalty.stores.actors import Act
from loyalty.stores.models import Remark, Store
from orders.kinds import KINDS, LEDGERS
from orders.models import BalanceImport
from orders.services.balance_imports.codes import write_codes
from orders.services.balance_imports.rehearsal.history import (
    Old,
    by_balance,
    first_movements,
    lots_of,
    mark,
    replay,
    unfit,
)
from orders.services.balance_imports.rehearsal.kept_rows import SPAN, Kept, facts_of, rows_of, span
from orders.services.balance_imports.rehearsal.stage import CODE, LOT, PAST

# Two imports of one store write one after the other, so that a row which both bring is seen by the second.
_ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended('balance imports', %s))"
_OTHERS: Final = """
SELECT 1 FROM orders_balanceimport WHERE store_id = %(store)s AND id <> %(import)s AND started_at IS NOT NULL LIMIT 1
"""
# One row after the other by the index, however many keys there are by now.
_LEAVE_OUT_KNOWN: Final = f"""
UPDATE orders_balanceimportrow AS r SET problem = 'already'
FROM (
    SELECT r.id FROM orders_balanceimportrow AS r CROSS JOIN LATERAL (
        SELECT FROM orders_balanceimportkey AS known
        WHERE known.store_id = %(store)s AND known.kind = r.kind AND known.key = r.key AND NOT known.taken_back LIMIT 1
    ) AS known
    WHERE {SPAN} AND r.key <> ''
) AS known
WHERE r.id = known.id
"""
_LEAVE_OUT: Final = f"""
UPDATE orders_balanceimportrow AS r SET problem = %(problem)s WHERE {SPAN} AND r.person = ANY(%(people)s::text[])
"""
_REASONS: Final = (
    f"SELECT DISTINCT r.person, r.reason FROM orders_balanceimportrow AS r WHERE {SPAN} AND r.reason <> ''"
)
_SORTS: Final = f"SELECT DISTINCT r.what, r.kind FROM orders_balanceimportrow AS r WHERE {SPAN}"
_LOTS: Final = f"""
SELECT id, person, reason, nextval((SELECT pg_get_serial_sequence(%(table)s, 'id'))::regclass) FROM (
    SELECT r.id, r.person, r.reason FROM orders_balanceimportrow AS r
    WHERE {SPAN} AND r.what = '{LOT}' AND r.kind = %(kind)s ORDER BY r.person, r.position, r.part
) AS r
"""
# From the rows into the ledger, in the order in which they were drawn. Here as below the rows are named by their people
# too, who stand together in the index; by ids alone a whole import would be gone through for each batch.
_NEW_LOTS: Final = f"""
SELECT r.store_id, given.customer_id, given.lot_id AS id, r.amount, r.currency, '{Origin.IMPORTED.value}' AS origin,
    r.at AS granted_at, r.expires_at, given.remark_id, given.position
FROM unnest(%(rows)s::bigint[], %(lots)s::bigint[], %(owners)s::bigint[], %(remarks)s::bigint[])
    WITH ORDINALITY AS given (row_id, lot_id, customer_id, remark_id, position)
JOIN orders_balanceimportrow AS r ON r.id = given.row_id AND {SPAN}
"""
_KEYS: Final = f"""
INSERT INTO orders_balanceimportkey (store_id, balance_import_id, kind, key, credit_lot_id, point_lot_id,
    redemption_id, taken_back)
SELECT r.store_id, r.balance_import_id, r.kind, r.key, made.credit_lot, made.point_lot, made.redemption, false
FROM unnest(%(rows)s::bigint[], %(credit_lots)s::bigint[], %(point_lots)s::bigint[], %(redemptions)s::bigint[])
    AS made (row_id, credit_lot, point_lot, redemption)
JOIN orders_balanceimportrow AS r ON r.id = made.row_id AND {SPAN}
"""
_MADE: Final = ("rows", "credit_lots", "point_lots", "redemptions")
_Key = tuple[int, int | None, int | None, int | None]


@dataclass(slots=True)
class _Batch:
    """What is being written: of whom, and why some of their rows are not."""

    held: BalanceImport
    people: Sequence[str]
    act: Act
    customers: dict[str, int] = field(default_factory=dict)
    left_out: dict[int, str] = field(default_factory=dict)
    keys: list[_Key] = field(default_factory=list)

    @property
    def store(self) -> Store:
        """Whose import it is."""
        return self.held.store

    def post(self, kind: Kind, entries: Sequence[Entry]) -> list[Posted]:
        """Through the one door, in the name of whoever started the import."""
        customers = {entry.customer_id for entry in entries}
        tables = LEDGERS[kind].tables
        return post(tables, entries, customer_ids=customers, act=self.act)

    def ask(self, statement: str, **values: Any) -> list[Any]:
        """What a statement about these people's rows answers."""
        with connection.cursor() as cursor:
            cursor.execute(statement, span(self.held, self.people) | values)
            return cursor.fetchall() if cursor.description else []

    def of(self, what: str, kind: str) -> dict[int, list[Kept]]:
        """What their rows say of one sort, by customer."""
        found: dict[int, list[Kept]] = defaultdict(list)
        for row in rows_of(self.held, self.people, what):
            if row.kind == kind:
                found[self.customers[row.person]].append(row)
        return found


def write_people(held: BalanceImport, people: Sequence[str], *, act: Act) -> Sequence[str]:
    """Write what the rows of these people say, who stand together in the order of keys; answers them.

    What another import wrote in the meantime is left as it is; what cannot be written any more is marked. Must run in a
    transaction.
    """
    batch = _Batch(held, people, act)
    with connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME, [held.store_id])
    if batch.ask(_OTHERS, store=held.store_id):
        batch.ask(_LEAVE_OUT_KNOWN, store=held.store_id)
    _find_customers(batch)
    lock_customers(sorted(set(batch.customers.values())))
    remarks = _remarks(batch)
    sorts = set(batch.ask(_SORTS))
    for kind in KINDS:
        if (PAST, kind) in sorts:
            _write_history(batch, kind, remarks)
        if (LOT, kind) in sorts:
            _write_lots(batch, kind, remarks)
    if (CODE, "points") in sorts:
        _write_codes(batch)
    _write_keys(batch)
    if batch.left_out:
        mark(batch.left_out)
    return people


def set_aside(held: BalanceImport, person: str) -> None:
    """Mark the rows of somebody that cannot be written, nobody knows why."""
    with connection.cursor() as cursor:
        cursor.execute(_LEAVE_OUT, span(held, [person]) | {"people": [person], "problem": "failed"})


def _find_customers(batch: _Batch) -> None:
    said = facts_of(batch.held, batch.people)
    found = identify_all(batch.store, list(said.values()), now=batch.act.now)
    batch.customers = {person: one.pk for person, one in zip(said, found, strict=True) if one is not None}
    nobody = said.keys() - batch.customers.keys()
    if nobody:
        batch.ask(_LEAVE_OUT, people=sorted(nobody), problem="several-people")


def _remarks(batch: _Batch) -> Mapping[tuple[int, str], int]:
    """A remark for each customer and reason: one that is erased takes nobody else's words with it."""
    wanted = {(batch.customers[person], reason) for person, reason in batch.ask(_REASONS)}
    if not wanted:
        return {}
    ordered, count = sorted(wanted), len(wanted)
    columns: dict[str, list[Any]] = {
        "store_id": [batch.store.pk] * count,
        "reason": [reason for _, reason in ordered],
        "note": [""] * count,
        "created_at": [batch.act.now] * count,
    }
    return dict(zip(ordered, insert(Remark, columns), strict=True))


def _amount(kind: str, amount: Any) -> Amount:
    return int(amount) if kind == "points" else amount


def _write_lots(batch: _Batch, kind: Kind, remarks: Mapping[tuple[int, str], int]) -> None:
    """Rows become lots without leaving the database: only who and which are said from here."""
    ledger = LEDGERS[kind]
    drawn = batch.ask(_LOTS, kind=kind, table=ledger.tables.lot._meta.db_table)
    rows, people, reasons, lots = zip(*drawn, strict=True)
    owners = [batch.customers[person] for person in people]
    said = [remarks.get(about) for about in zip(owners, reasons, strict=True)]
    values = {"rows": array(rows), "lots": array(lots), "owners": array(owners), "remarks": array(said)}
    values |= span(batch.held, batch.people)
    whose: Any = {"lot_ids": lots, "customer_ids": set(owners)}
    bring_lots(ledger, _NEW_LOTS, values, **whose, act=batch.act)
    of_credits = kind == "credits"
    batch.keys += [(row, lot, None, None) if of_credits else (row, None, lot, None)
                   for row, lot in zip(rows, lots, strict=True)]  # fmt: skip


def _write_history(batch: _Batch, kind: Kind, remarks: Mapping[tuple[int, str], int]) -> None:
    past = batch.of(PAST, kind)
    first = first_movements(LEDGERS[kind].tables.movement._meta.db_table, list(past))
    entries: list[Entry] = []
    for pk, rows in past.items():
        own, begun = first.get(pk, (None, None))
        for _, some in by_balance(rows):
            old = replay(some, carried_over=begun or batch.act.now)
            if unfit(some, own) or old.below_zero:
                code = "history-below-zero" if old.below_zero else "history-too-late"
                batch.left_out |= {row.id: code for row in some}
                continue
            entries += _closed(batch, kind, pk, old, remarks)
            batch.keys += [(row.id, None, None, None) for row in some]
    if entries:
        batch.post(kind, entries)


def _closed(
    batch: _Batch, kind: Kind, customer_id: int, old: Old, remarks: Mapping[tuple[int, str], int]
) -> Iterable[Entry]:
    """The entries of a replayed history; every lot is empty when they are all written."""
    lots = lots_of(old)
    ids = dict(zip(map(id, lots), new_ids(LEDGERS[kind].tables.lot, len(lots)), strict=True))
    for step in old.steps:
        lot_id, opens = ids[id(step.lot)], step.type is MovementType.GRANT
        new_lot = NewLot(
            Origin.IMPORTED,
            step.lot.ends,
            granted_at=step.lot.begins,
            id=lot_id,
            left=0,
            booked_off=step.lot.ends is not None,
        )
        yield Entry(
            store_id=batch.store.pk,
            customer_id=customer_id,
            type=step.type,
            amount=_amount(kind, step.amount),
            currency=step.row.currency if step.row else _currency(old),
            lot_id=None if opens else lot_id,
            new_lot=new_lot if opens else None,
            remark_id=remarks.get((customer_id, step.row.reason)) if step.row else None,
            at=step.at,
            cause=BY_HAND,
        )


def _currency(old: Old) -> str:
    return next(step.row.currency for step in old.steps if step.row)


def _write_codes(batch: _Batch) -> None:
    wanted = [(pk, row) for pk, rows in batch.of(CODE, "points").items() for row in rows]
    redemptions, left_out = write_codes(batch.store, wanted, actor=batch.act.actor, now=batch.act.now)
    batch.left_out |= left_out
    done = [(pk, row, redemptions[row.id]) for pk, row in wanted if row.id in redemptions]
    lots = new_ids(LEDGERS["points"].tables.lot, len(done))
    entries: list[Entry] = []
    for (pk, row, redemption_id), lot_id in zip(done, lots, strict=True):
        points = int(row.amount)
        granted = NewLot(Origin.IMPORTED, None, granted_at=row.at, id=lot_id, left=0)
        owner: Any = {"store_id": batch.store.pk, "customer_id": pk, "at": row.at}
        entries.append(Entry(**owner, type=MovementType.GRANT, amount=points, new_lot=granted))
        cause = Cause(redemption_id=redemption_id)
        entries.append(Entry(**owner, type=MovementType.SPEND, amount=-points, lot_id=lot_id, cause=cause))
        batch.keys.append((row.id, None, None, redemption_id))
    if entries:
        batch.post("points", entries)


def _write_keys(batch: _Batch) -> None:
    if batch.keys:
        made = zip(*batch.keys, strict=True)
        batch.ask(_KEYS, **dict(zip(_MADE, map(array, made), strict=True)))
