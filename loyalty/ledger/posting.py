"""The ledger's only write: one set-based SQL statement for one entry or for thousands.

Every change of anybody's credits or points (grant, spend, revert, expiry, adjustment) is a list of :class:`Entry`
handed to :func:`post`. In one statement it posts what has lapsed (L5), changes the lots, creates new ones, records
allocations and what came back to them, and writes the movements with their running balance.

Callers hold the customers' row locks (:func:`lock_customers`), which is what serialises a customer's ledger.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from django.db import IntegrityError, connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.errors import Conflict
from loyalty.customers.merged import CustomerMerged
from loyalty.database.bulk import array, new_ids
from loyalty.database.prepared import Answer, ask, together, when_answered
from loyalty.ledger.models import AbstractAllocation, AbstractLot, AbstractMovement, MovementType, Origin
from loyalty.ledger.planner import Amount
from loyalty.stores.actors import Act

# How the constraint that keeps lapsed lots empty is called, whichever kind's.
_BOOKED_OFF: Final = "lot_booked_off_is_empty"


_LOCK: Final = """
SELECT merged_into_id FROM stores_customer WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""


class LotBookedOff(Conflict):
    """Value was to go into a lot that lapsed since that was planned; whoever looks again sees it as expired."""

    code = "lot-expired"
    title = gettext_noop("Some of this value has expired at this very moment.")


@dataclass(frozen=True, slots=True)
class NewLot:
    """A lot that an entry creates with its whole amount.

    One that comes from another system says when it was granted there. One that later entries of the same call take from
    has its ``id`` drawn beforehand and says what they leave of it, and whether what they took had lapsed.
    """

    origin: Origin
    expires_at: datetime | None
    extended_from: int | None = None
    granted_at: datetime | None = None
    id: int | None = None
    left: Amount | None = None
    booked_off: bool = False


@dataclass(frozen=True, slots=True)
class Cause:
    """What a movement belongs to: an order (for a spend with the number of its deduction, M10) or a redemption."""

    order_id: int | None = None
    redemption_id: int | None = None
    deduction: int = 0


BY_HAND: Final = Cause()


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement to be written: a signed ``amount`` into an existing lot or into a ``new_lot``.

    A spend has a ``cause`` and creates the allocation; a revert names the ``allocation_id`` whose *returned* it raises.
    ``at`` is when a movement of another system's history happened; all others happen now.
    """

    store_id: int
    customer_id: int
    type: MovementType
    amount: Amount
    currency: str = ""
    lot_id: int | None = None
    new_lot: NewLot | None = None
    cause: Cause = BY_HAND
    allocation_id: int | None = None
    revert_id: int | None = None
    remark_id: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """A movement that was written. Lapsed lots come first, then the entries in the order given."""

    id: int
    lot_id: int
    type: str
    amount: Amount
    balance_after: Amount


@dataclass(frozen=True, slots=True)
class Tables:
    """Where one kind's rows live, and the SQL that differs between kinds."""

    lot: type[AbstractLot]
    allocation: type[AbstractAllocation]
    movement: type[AbstractMovement]
    amount_type: str
    has_currency: bool
    # Whether a customer may owe: then a movement without a lot is a debt, and what settles it another one (C1).
    may_owe: bool = False

    def filled(self, statement: str, **names: str) -> str:
        """The statement with what its placeholders stand for, and with ``names`` for others."""
        return _filled(statement, self, tuple(names.items()))

    @property
    def sql(self) -> dict[str, str]:
        """What the statement's placeholders stand for."""
        quote = connection.ops.quote_name
        return {
            "lot": quote(self.lot._meta.db_table),
            "allocation": quote(self.allocation._meta.db_table),
            "movement": quote(self.movement._meta.db_table),
            "amount": self.amount_type,
            "lot_currency": "lot.currency" if self.has_currency else "''::text",
            "currency_column": ", currency" if self.has_currency else "",
            "line_currency": ", line.currency" if self.has_currency else "",
            "owed": _OWED.format(movement=quote(self.movement._meta.db_table)) if self.may_owe else "",
        }


def lock_customers(customer_ids: Collection[int]) -> None:
    """Lock the ledgers of these customers until the transaction ends; always after their orders, always in id order.

    NO KEY: inserting rows that point to the customer does not wait, writing his ledger does. Raises CustomerMerged for
    one who was merged into another: nothing is written to a ledger that has moved (O7).
    """
    if not customer_ids:
        return
    locked = ask(_LOCK, [array(customer_ids)])
    when_answered(lambda: _refuse_merged(locked))


def _refuse_merged(locked: Answer) -> None:
    if any(merged_into is not None for (merged_into,) in locked.rows()):
        raise CustomerMerged


@contextmanager
def posting_together() -> Iterator[None]:
    """As :func:`~loyalty.database.prepared.together`, for what is sent by :func:`send`: raises LotBookedOff, too."""
    with _lapsing_told(), together():
        yield


@contextmanager
def _lapsing_told() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        if _BOOKED_OFF in str(error):
            raise LotBookedOff(_("Some of this value has expired at this very moment. Look again.")) from error
        raise


def post(tables: Tables, entries: Sequence[Entry], *, customer_ids: Collection[int], act: Act) -> list[Posted]:
    """Write ``entries`` and everything due at ``now`` for ``customer_ids``; callers hold the customers' locks.

    At most two statements: ids for new lots, when there are any, and the write. The database refuses an entry that
    would take a lot below zero or above what was granted, or an allocation above what was used. Raises LotBookedOff for
    value into a lot that lapsed, and was posted as such, since the entries were planned.
    """
    with _lapsing_told():
        return [Posted(*row) for row in send(tables, entries, customer_ids=customer_ids, act=act).rows()]


def send(tables: Tables, entries: Sequence[Entry], *, customer_ids: Collection[int], act: Act) -> Answer:
    """As :func:`post` for what nobody waits for; within :func:`posting_together` it may still be refused."""
    said = {
        **_said(customer_ids, act),
        **_columns(entries, new_ids(tables.lot, sum(_wants_id(entry) for entry in entries))),
    }
    with _lapsing_told():
        return ask(tables.filled(_POST, entries=tables.filled(_HANDED_IN), returning=_RETURNING), said)


def post_new_lots(
    tables: Tables, lots: str, values: Mapping[str, Any], *, customer_ids: Collection[int], act: Act
) -> None:
    """As :func:`post`, for new lots that rows of the database describe already: they get here without leaving it.

    ``lots`` is a query with the columns of :data:`NEW_LOT`, and ``values`` are its parameters.
    """
    said = {**_said(customer_ids, act), **values}
    entries = tables.filled(_AT_HAND, lots=lots)
    ask(tables.filled(_POST, entries=entries, returning=""), said)


def _said(customer_ids: Collection[int], act: Act) -> dict[str, Any]:
    return {"customers": array(customer_ids), "now": act.now, "actor": act.actor.ref, "trigger": act.trigger}


def _wants_id(entry: Entry) -> bool:
    return entry.new_lot is not None and entry.new_lot.id is None


@cache
def _filled(statement: str, tables: Tables, names: Sequence[tuple[str, str]]) -> str:
    # Without what makes it readable it is short enough for the driver to remember where its parameters are.
    return " ".join(statement.format(**tables.sql, **dict(names)).split())


def _columns(entries: Sequence[Entry], new_ids: list[int]) -> dict[str, str]:
    ids = iter(new_ids)
    columns: dict[str, list[Any]] = {
        "store": [entry.store_id for entry in entries],
        "customer": [entry.customer_id for entry in entries],
        "type": [entry.type for entry in entries],
        "amount": [entry.amount for entry in entries],
        "currency": [entry.currency for entry in entries],
        "lot": [(entry.new_lot.id or next(ids)) if entry.new_lot else entry.lot_id for entry in entries],
        "origin": [entry.new_lot.origin if entry.new_lot else None for entry in entries],
        "expires": [entry.new_lot.expires_at if entry.new_lot else None for entry in entries],
        "extended_from": [entry.new_lot.extended_from if entry.new_lot else None for entry in entries],
        "granted": [entry.new_lot.granted_at if entry.new_lot else None for entry in entries],
        "left": [entry.new_lot.left if entry.new_lot else None for entry in entries],
        "booked_off": [entry.new_lot is not None and entry.new_lot.booked_off for entry in entries],
        "order": [entry.cause.order_id for entry in entries],
        "redemption": [entry.cause.redemption_id for entry in entries],
        "allocation": [entry.allocation_id for entry in entries],
        "revert": [entry.revert_id for entry in entries],
        "remark": [entry.remark_id for entry in entries],
        "deduction": [entry.cause.deduction for entry in entries],
        "at": [entry.at for entry in entries],
    }
    return {name: array(values) for name, values in columns.items()}


_OWED = """
        UNION ALL
        SELECT customer_id, ''::text, amount
        FROM {movement} WHERE customer_id = ANY(%(customers)s::bigint[]) AND lot_id IS NULL"""

# Entries that come as arrays, one for each column.
_HANDED_IN = """
    SELECT * FROM unnest(
        %(store)s::bigint[], %(customer)s::bigint[], %(type)s::text[], %(amount)s::{amount}[], %(currency)s::text[],
        %(lot)s::bigint[], %(origin)s::text[], %(expires)s::timestamptz[], %(extended_from)s::bigint[],
        %(order)s::bigint[], %(redemption)s::bigint[], %(allocation)s::bigint[], %(revert)s::bigint[],
        %(remark)s::bigint[], %(deduction)s::int[], %(granted)s::timestamptz[], %(left)s::{amount}[],
        %(booked_off)s::boolean[], %(at)s::timestamptz[]
    ) WITH ORDINALITY
"""

# What a query for new lots answers, by these names. Their ids were drawn beforehand.
NEW_LOT: Final = (
    *("store_id", "customer_id", "id", "amount", "currency", "origin", "granted_at", "expires_at"),
    *("remark_id", "position"),
)
_AT_HAND = """
    SELECT store_id, customer_id, 'grant', amount::{amount}, currency, id, origin, expires_at, NULL::bigint,
        NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, remark_id, 0, granted_at, NULL::{amount}, false,
        NULL::timestamptz, position
    FROM ({lots}) AS lot
"""

_POST = """
WITH due AS (
    SELECT id, store_id, customer_id, {lot_currency} AS currency, remaining, expires_at
    FROM {lot} AS lot
    WHERE customer_id = ANY(%(customers)s::bigint[]) AND remaining > 0 AND expires_at <= %(now)s
), opening AS (
    SELECT customer_id, currency, sum(balance) AS balance
    FROM (
        SELECT customer_id, {lot_currency} AS currency, remaining AS balance
        FROM {lot} AS lot
        WHERE customer_id = ANY(%(customers)s::bigint[]) AND remaining > 0{owed}
    ) AS held
    GROUP BY 1, 2
), entry (
    store_id, customer_id, type, amount, currency, lot_id, origin, expires_at, extended_from_id, order_id,
    redemption_id, allocation_id, revert_id, remark_id, deduction, granted_at, remaining, booked_off, at, position
) AS (
    {entries}
), line AS (
    SELECT 1 AS part, position, store_id, customer_id, currency, lot_id, type, amount, order_id, redemption_id,
        allocation_id, revert_id, remark_id, origin, deduction, at
    FROM entry
    UNION ALL
    SELECT 0, row_number() OVER (ORDER BY expires_at, id), store_id, customer_id, currency, id, 'expire', -remaining,
        NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL
    FROM due
), created AS (
    INSERT INTO {lot} (id, store_id, customer_id, granted, remaining, granted_at, expires_at, origin,
        extended_from_id, booked_off{currency_column})
    SELECT lot_id, store_id, customer_id, amount, coalesce(remaining, amount), coalesce(granted_at, %(now)s),
        expires_at, origin, extended_from_id, booked_off{currency_column}
    FROM entry WHERE origin IS NOT NULL
), changed AS (
    UPDATE {lot} AS lot SET remaining = lot.remaining + change.amount, booked_off = lot.booked_off OR change.lapsed
    FROM (
        SELECT lot_id, sum(amount)::{amount} AS amount, bool_or(part = 0) AS lapsed
        FROM line WHERE origin IS NULL GROUP BY lot_id
    ) AS change
    WHERE lot.id = change.lot_id
), allocated AS (
    INSERT INTO {allocation} (store_id, order_id, redemption_id, lot_id, amount, returned, deduction, created_at)
    SELECT store_id, order_id, redemption_id, lot_id, -amount, 0, deduction, coalesce(at, %(now)s)
    FROM entry WHERE type = 'spend' ORDER BY position
    RETURNING id, order_id, redemption_id, lot_id, deduction
), returned AS (
    UPDATE {allocation} AS allocation SET returned = allocation.returned + back.amount
    FROM (
        SELECT allocation_id, sum(amount)::{amount} AS amount
        FROM entry WHERE allocation_id IS NOT NULL GROUP BY allocation_id
    ) AS back
    WHERE allocation.id = back.allocation_id
)
INSERT INTO {movement} (store_id, customer_id, lot_id, type, amount, balance_after, order_id, redemption_id,
    allocation_id, revert_id, remark_id, actor, trigger, created_at{currency_column})
SELECT line.store_id, line.customer_id, line.lot_id, line.type, line.amount,
    coalesce(opening.balance, 0) + sum(line.amount) OVER (
        PARTITION BY line.customer_id, line.currency ORDER BY line.part, line.position
    ),
    line.order_id, line.redemption_id, coalesce(line.allocation_id, allocated.id), line.revert_id, line.remark_id,
    %(actor)s, CASE WHEN line.type = 'expire' THEN '' ELSE %(trigger)s END,
    coalesce(line.at, %(now)s){line_currency}
FROM line
LEFT JOIN opening ON opening.customer_id = line.customer_id AND opening.currency = line.currency
LEFT JOIN allocated ON line.type = 'spend' AND allocated.lot_id = line.lot_id
    AND allocated.order_id IS NOT DISTINCT FROM line.order_id
    AND allocated.redemption_id IS NOT DISTINCT FROM line.redemption_id AND allocated.deduction = line.deduction
ORDER BY line.part, line.position
{returning}
"""
_RETURNING = "RETURNING id, lot_id, type, amount, balance_after"
