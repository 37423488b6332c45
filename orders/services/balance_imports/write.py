"""Writing what some people's rows say, in one transaction: who they are, their old history, their lots, their codes.

Everything goes through the ledger's one door, kind by kind, in statements that do not grow with the rows. Nobody is
told of an imported lot: an import is one entry of the journal.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import connection

from loyalty.customers.identify import identify_all
from loyalty.database.bulk import array, insert, new_ids
from loyalty.ledger.ledger import Kind
from loyalty.ledger.models import MovementType, Origin
from loyalty.ledger.planner import Amount
from loyalty.ledger.posting import BY_HAND, Cause, Entry, NewLot, Posted, lock_customers, post
from loyalty.stores.actors import Act, Actor
from loyalty.stores.models import Remark, Store
from orders.kinds import KINDS, LEDGERS
from orders.models import BalanceImport
from orders.services.balance_imports.codes import write_codes
from orders.services.balance_imports.rehearsal.history import (
    IMPORT,
    Old,
    by_balance,
    first_movements,
    lots_of,
    mark,
    replay,
    unfit,
)
from orders.services.balance_imports.rehearsal.kept_rows import Kept, Person, merged_facts
from orders.services.balance_imports.rehearsal.stage import CODE, LOT, PAST

# Two imports of one store write one after the other, so that a row which both bring is seen by the second.
_ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended('balance imports', %s))"
_KNOWN: Final = """
SELECT key FROM orders_balanceimportkey WHERE store_id = %s AND kind = %s AND key = ANY(%s::text[]) AND NOT taken_back
"""


@dataclass(slots=True)
class _Batch:
    """What is being written: the rows of each customer, and why some of them are not."""

    store: Store
    held: BalanceImport
    actor: Actor
    now: datetime
    rows: dict[int, list[Kept]] = field(default_factory=lambda: defaultdict(list))
    left_out: dict[int, str] = field(default_factory=dict)
    keys: list[tuple[str, str, int | None, int | None, int | None]] = field(default_factory=list)

    def post(self, kind: Kind, entries: Sequence[Entry]) -> list[Posted]:
        """Through the one door, in the name of whoever started the import."""
        customers = {entry.customer_id for entry in entries}
        tables = LEDGERS[kind].tables
        return post(tables, entries, customer_ids=customers, act=Act(self.actor, IMPORT, self.now))


def write_people(held: BalanceImport, people: Sequence[Person], *, actor: Actor, now: datetime) -> list[int]:
    """Write what these people's rows say; answers how many things were written of each. Must run in a transaction.

    What another import wrote in the meantime is left as it is; what cannot be written any more is marked.
    """
    batch = _Batch(held.store, held, actor, now)
    with connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME, [held.store_id])
    _leave_out_known(batch, people)
    _find_customers(batch, people)
    lock_customers(sorted(batch.rows))
    remarks = _remarks(batch)
    for kind in KINDS:
        _write_history(batch, kind, remarks)
        _write_lots(batch, kind, remarks)
    _write_codes(batch)
    _write_keys(batch)
    if batch.left_out:
        mark(batch.left_out)
    return [sum(row.id not in batch.left_out for row in rows) for _, rows in people]


def _leave_out_known(batch: _Batch, people: Sequence[Person]) -> None:
    by_kind: dict[str, dict[str, int]] = defaultdict(dict)
    for _, rows in people:
        for row in rows:
            if row.key:
                by_kind[row.kind][row.key] = row.id
    for kind, keys in by_kind.items():
        with connection.cursor() as cursor:
            cursor.execute(_KNOWN, [batch.store.pk, kind, array(keys)])
            batch.left_out |= {keys[key]: "already" for (key,) in cursor.fetchall()}


def _find_customers(batch: _Batch, people: Sequence[Person]) -> None:
    wanted = [[row for row in rows if row.id not in batch.left_out] for _, rows in people]
    wanted = [rows for rows in wanted if rows]
    customers = identify_all(batch.store, [merged_facts(rows) for rows in wanted], now=batch.now)
    for customer, rows in zip(customers, wanted, strict=True):
        if customer is None:
            batch.left_out |= {row.id: "several-people" for row in rows}
        else:
            batch.rows[customer.pk] += rows


def _of(batch: _Batch, what: str, kind: str) -> dict[int, list[Kept]]:
    found: dict[int, list[Kept]] = defaultdict(list)
    for pk, rows in batch.rows.items():
        for row in rows:
            if row.what == what and row.kind == kind:
                found[pk].append(row)
    return found


def _remarks(batch: _Batch) -> Mapping[tuple[int, str], int]:
    """A remark for each customer and reason: one that is erased takes nobody else's words with it."""
    wanted = {(pk, row.reason) for pk, rows in batch.rows.items() for row in rows if row.reason}
    if not wanted:
        return {}
    ordered, count = sorted(wanted), len(wanted)
    columns: dict[str, list[Any]] = {
        "store_id": [batch.store.pk] * count,
        "reason": [reason for _, reason in ordered],
        "note": [""] * count,
        "created_at": [batch.now] * count,
    }
    return dict(zip(ordered, insert(Remark, columns), strict=True))


def _amount(kind: str, amount: Any) -> Amount:
    return int(amount) if kind == "points" else amount


def _write_lots(batch: _Batch, kind: Kind, remarks: Mapping[tuple[int, str], int]) -> None:
    lots = [(pk, row) for pk, rows in _of(batch, LOT, kind).items() for row in rows]
    if not lots:
        return
    entries = [
        Entry(
            store_id=batch.store.pk,
            customer_id=pk,
            type=MovementType.GRANT,
            amount=_amount(kind, row.amount),
            currency=row.currency,
            new_lot=NewLot(Origin.IMPORTED, row.expires_at, granted_at=row.at),
            remark_id=remarks.get((pk, row.reason)),
        )
        for pk, row in lots
    ]
    posted = LEDGERS[kind].give_new(entries, act=Act(batch.actor, IMPORT, batch.now))
    for (_, row), made in zip(lots, posted, strict=True):
        of_credits = kind == "credits"
        batch.keys.append(
            (kind, row.key, made.lot_id if of_credits else None, None if of_credits else made.lot_id, None)
        )


def _write_history(batch: _Batch, kind: Kind, remarks: Mapping[tuple[int, str], int]) -> None:
    past = _of(batch, PAST, kind)
    if not past:
        return
    first = first_movements(LEDGERS[kind].tables.movement._meta.db_table, list(past))
    entries: list[Entry] = []
    for pk, rows in past.items():
        own, begun = first.get(pk, (None, None))
        for _, some in by_balance(rows):
            old = replay(some, carried_over=begun or batch.now)
            if unfit(some, own) or old.below_zero:
                code = "history-below-zero" if old.below_zero else "history-too-late"
                batch.left_out |= {row.id: code for row in some}
                continue
            entries += _closed(batch, kind, pk, old, remarks)
            batch.keys += [(kind, row.key, None, None, None) for row in some]
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
    wanted = [(pk, row) for pk, rows in _of(batch, CODE, "points").items() for row in rows]
    if not wanted:
        return
    redemptions, left_out = write_codes(batch.store, wanted, actor=batch.actor, now=batch.now)
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
        batch.keys.append(("points", row.key, None, None, redemption_id))
    if entries:
        batch.post("points", entries)


def _write_keys(batch: _Batch) -> None:
    count = len(batch.keys)
    if not count:
        return
    kinds, keys, credit_lots, point_lots, redemptions = zip(*batch.keys, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orders_balanceimportkey (store_id, balance_import_id, kind, key, credit_lot_id, point_lot_id, "
            "redemption_id, taken_back) SELECT %s, %s, kind, key, credit_lot, point_lot, redemption, false FROM "
            "unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[]) "
            "AS made (kind, key, credit_lot, point_lot, redemption)",
            [
                batch.store.pk,
                batch.held.pk,
                *(array(values) for values in (kinds, keys, credit_lots, point_lots, redemptions)),
            ],
        )
