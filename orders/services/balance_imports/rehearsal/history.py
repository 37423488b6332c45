"""The old history as closed lots: what was granted there is a lot, what was taken is drawn from it, nothing stays.

What the old balance still held in the end is carried over into the lots that the import gives, so no value is made.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from django.db import connection

from loyalty.database.bulk import update
from loyalty.ledger.models import MovementType
from orders.models import BalanceImport, BalanceImportRow
from orders.services.balance_imports.rehearsal.kept_rows import Kept, people
from orders.services.balance_imports.rehearsal.known_people import KNOWN_PEOPLE
from orders.services.balance_imports.rehearsal.stage import PAST
from orders.services.balance_imports.rows import PastType

# What movements that an import writes carry as their trigger.
IMPORT: Final = "import"


@dataclass(slots=True)
class Closed:
    """A lot of the old history; ``ends`` is when the last of it expired, None where nothing did."""

    amount: Decimal
    left: Decimal
    begins: datetime
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A movement of a closed lot; ``row`` is what it comes from, None for what was carried over."""

    lot: Closed
    type: MovementType
    amount: Decimal
    at: datetime
    row: Kept | None = None


@dataclass(slots=True)
class Old:
    """What one balance was there: its steps in the order of time, and the rows that would have it below zero."""

    steps: list[Step] = field(default_factory=list)
    below_zero: list[Kept] = field(default_factory=list)


def replay(rows: Sequence[Kept], *, carried_over: datetime) -> Old:
    """The steps that the past movements of one balance come to; at ``carried_over`` what is left goes. Pure.

    What was taken is taken from the oldest lots first.
    """
    old = Old()
    lots: list[Closed] = []
    for row in sorted(rows, key=lambda one: (one.at, one.position, one.part)):
        if row.amount > 0:
            lots.append(Closed(row.amount, row.amount, row.at))
            old.steps.append(Step(lots[-1], MovementType.GRANT, row.amount, row.at, row))
        elif sum(lot.left for lot in lots) + row.amount < 0:
            old.below_zero.append(row)
        else:
            old.steps += _taking(lots, row)
    for lot in lots:
        if lot.left:
            old.steps.append(Step(lot, MovementType.ADJUST, -lot.left, carried_over))
            lot.left = Decimal(0)
    return old


def _taking(lots: list[Closed], row: Kept) -> Iterator[Step]:
    wanted = -row.amount
    while wanted:
        lot = lots[0]
        taken = min(lot.left, wanted)
        lot.left -= taken
        wanted -= taken
        lapsed = row.type == PastType.EXPIRED and not lot.left
        if lapsed:
            lot.ends = row.at
        yield Step(lot, MovementType.EXPIRE if lapsed else MovementType.ADJUST, -taken, row.at, row)
        if not lot.left:
            lots.pop(0)


def by_balance(rows: Sequence[Kept]) -> Iterator[tuple[tuple[str, str], list[Kept]]]:
    """Past movements by kind and currency."""
    ordered = sorted(rows, key=lambda row: (row.kind, row.currency))
    return ((name, list(some)) for name, some in groupby(ordered, key=lambda row: (row.kind, row.currency)))


def judge_history(held: BalanceImport) -> None:
    """Mark past movements that cannot be: with them the old balance would have been below zero."""
    for _person, rows in people(held, PAST):
        for _name, some in by_balance(rows):
            bad = {row.id: "history-below-zero" for row in replay(some, carried_over=some[0].at).below_zero}
            if bad:
                mark({row.id: bad.get(row.id, "history-incomplete") for row in some})
    with connection.cursor() as cursor:
        for kind, table in (("credits", "credits_creditmovement"), ("points", "points_pointmovement")):
            names: dict[str, Any] = {"import": held.pk, "store": held.store_id, "kind": kind, "what": PAST}
            cursor.execute(_TOO_LATE.format(table=table), names)


def mark(problems: dict[int, str]) -> None:
    """Say of kept rows, by id, why they are not imported."""
    update(BalanceImportRow, list(problems), {"problem": list(problems.values())})


def first_movements(table: str, customer_ids: Sequence[int]) -> dict[int, tuple[datetime | None, datetime | None]]:
    """When each of these customers first had a movement that no import wrote, and any at all; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT customer_id, min(created_at) FILTER (WHERE {_OWN}), min(created_at) FROM "{table}" AS m '
            "WHERE customer_id = ANY(%s) GROUP BY customer_id",
            [list(customer_ids)],
        )
        return {row[0]: row[1:] for row in cursor.fetchall()}


_OWN: Final = f"m.trigger <> '{IMPORT}' AND m.type <> 'expire'"

# Since when people who are here already have movements of ours.
_TOO_LATE: Final = f"""
{KNOWN_PEOPLE}, begun AS (
    SELECT found.person, min(m.created_at) AS at
    FROM found JOIN {{table}} AS m ON m.customer_id = found.customer_id WHERE {_OWN} GROUP BY found.person
)
UPDATE orders_balanceimportrow AS r SET problem = 'history-too-late', "column" = 'at'
FROM begun
WHERE r.balance_import_id = %(import)s AND r.problem = '' AND r.what = 'past' AND r.kind = %(kind)s
    AND r.person = begun.person AND r.at >= begun.at
"""


def unfit(rows: Sequence[Kept], since: datetime | None) -> bool:
    """Whether this history reaches into the time in which the customer already has movements here."""
    return since is not None and any(row.at >= since for row in rows)


def lots_of(old: Old) -> list[Any]:
    """The closed lots of a history, in the order in which they began."""
    seen: dict[int, Closed] = {}
    for step in old.steps:
        seen.setdefault(id(step.lot), step.lot)
    return list(seen.values())
