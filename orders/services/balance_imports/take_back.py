"""Taking an import back as a whole, while nothing of it was spent: all of it in one transaction, or nothing.

People who are being taken back from wait, for as long as that takes: half of an import taken back would be worse. What
has expired since stays expired, the old history stays (movements are never deleted), and so do the customers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from loyalty.core.errors import Conflict
from loyalty.core.locales import count_text
from loyalty.jobs.periodic import wake
from loyalty.journal.record import Event, record
from loyalty.ledger.ledger import Kind
from loyalty.ledger.models import MovementType
from loyalty.ledger.posting import Cause, Entry, lock_customers, post
from loyalty.stores.actors import Act, Actor
from loyalty.stores.models import Store
from orders.kinds import KINDS, LEDGERS
from orders.models import BalanceImport, BalanceImportKey, ImportState, Redemption, RedemptionState
from orders.services.balance_imports.jobs import JOB
from orders.services.balance_imports.rehearsal.history import IMPORT
from orders.services.balance_imports.start import happening
from orders.services.balance_imports.upload import locked

# So many obstacles are named; the rest is counted.
MOST_NAMED: Final = 100
_BATCH: Final = 5_000
# How long it is remembered how far somebody was who does not go on, in seconds.
_REMEMBERED: Final = 600


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands in the way: a lot, or a redemption's code, of which something is no more as the import made it."""

    kind: str
    customer_id: int
    customer: str
    lot_id: int | None
    redemption_id: int | None
    order_id: int | None
    order_number: str
    what: str


class CannotTakeBack(Conflict):
    """Something of the import was spent or changed."""

    code = "import-was-used"
    title = "Something of this import was used since."

    def __init__(self, obstacles: Sequence[Obstacle], count: int) -> None:
        super().__init__(
            _("%(count)s of what this import gave was used or changed since, so it cannot be taken back as a whole.")
            % {"count": count_text(count)}
        )
        self.obstacles, self.count = obstacles, count


_OBSTACLES: Final = """
SELECT '{kind}', lot.customer_id, coalesce(nullif(c.name, ''), nullif(c.email, ''), c.external_id, ''), lot.id,
    NULL::bigint, used.order_id, coalesce(o.number, ''), used.type
FROM orders_balanceimportkey AS made
JOIN "{lot}" AS lot ON lot.id = made.{column}
JOIN LATERAL (
    SELECT m.type, m.order_id FROM "{movement}" AS m
    WHERE m.lot_id = lot.id AND m.type NOT IN ('grant', 'expire', 'merge') ORDER BY m.id DESC LIMIT 1
) AS used ON true
JOIN stores_customer AS c ON c.id = lot.customer_id
LEFT JOIN orders_order AS o ON o.id = used.order_id
WHERE made.balance_import_id = %(import)s AND NOT made.taken_back
"""
_CODES: Final = """
SELECT 'code', code.customer_id, coalesce(nullif(c.name, ''), nullif(c.email, ''), c.external_id, ''), NULL::bigint,
    code.id, code.used_order_id, coalesce(o.number, ''), code.state
FROM orders_balanceimportkey AS made
JOIN orders_redemption AS code ON code.id = made.redemption_id
JOIN stores_customer AS c ON c.id = code.customer_id
LEFT JOIN orders_order AS o ON o.id = code.used_order_id
WHERE made.balance_import_id = %(import)s AND NOT made.taken_back AND code.state <> 'claimed'
"""
_COLUMNS: Final[dict[Kind, str]] = {"credits": "credit_lot_id", "points": "point_lot_id"}


def obstacles(held: BalanceImport) -> tuple[list[Obstacle], int]:
    """What stands in the way of taking the import back: the first of it, and how much there is in all."""
    parts = [
        _OBSTACLES.format(
            kind=kind,
            lot=LEDGERS[kind].tables.lot._meta.db_table,
            movement=LEDGERS[kind].tables.movement._meta.db_table,
            column=_COLUMNS[kind],
        )
        for kind in KINDS
    ]
    everything = "\nUNION ALL\n".join([*parts, _CODES])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT *, count(*) OVER () FROM ({everything}) AS found ORDER BY 2 LIMIT {MOST_NAMED}",
            {"import": held.pk},
        )
        rows = cursor.fetchall()
    return [Obstacle(*row[:-1]) for row in rows], rows[0][-1] if rows else 0


@transaction.atomic
def take_back(*, store: Store, import_id: int, actor: Actor, now: datetime) -> BalanceImport:
    """Have a finished import taken back by the worker. Safe to repeat: one that is taken back is answered as it is.

    Raises NotFound, ImportNotReady, and CannotTakeBack with what stands in the way.
    """
    held = locked(store, import_id)
    if held.state in (ImportState.TAKING_BACK, ImportState.TAKEN_BACK):
        return held
    held = locked(store, import_id, ImportState.DONE)
    found, count = obstacles(held)
    if count:
        raise CannotTakeBack(found, count)
    held.state, held.taken_back_by, held.updated_at, held.failure = ImportState.TAKING_BACK, actor.ref, now, ""
    held.save_changes()
    wake(JOB)
    return held


def carry_back(held: BalanceImport, *, now: datetime) -> int:
    """Take back everything, in the caller's transaction; answers how many lots and codes.

    If something was spent since it was asked for, nothing is taken back and the import says why.
    """
    actor = Actor.from_ref(held.taken_back_by)
    _lock_everybody(held)
    found, count = obstacles(held)
    if count:
        held.state, held.failure, held.updated_at = ImportState.DONE, str(CannotTakeBack(found, count)), now
        held.save_changes()
        return 0
    seen, taken = 0, 0
    for kind in KINDS:
        for count, some in _take_lots(held, kind, actor, now):
            seen, taken = seen + count, taken + some
            cache.set(_so_far(held), seen, _REMEMBERED)
    taken += _take_codes(held, actor, now)
    made = BalanceImportKey.objects.for_store(held.store).filter(balance_import=held)
    made.exclude(credit_lot=None, point_lot=None, redemption=None).update(taken_back=True)
    held.state, held.taken_back_at, held.updated_at = ImportState.TAKEN_BACK, now, now
    held.save_changes()
    record([happening(held, Event.IMPORT_TAKEN_BACK, {"taken": taken})], actor=actor, now=now)
    return taken


def to_take(held: BalanceImport) -> int:
    """How many lots and codes there are to be taken back."""
    return sum(int(line["lots"]) for line in held.result["totals"]) + int(held.result["codes"])


def taken_so_far(held: BalanceImport) -> int:
    """How many lots whoever takes the import back has gone through. Nothing of it is so until all of it is."""
    return int(cache.get(_so_far(held), 0))


def _so_far(held: BalanceImport) -> str:
    # The transaction that takes back shows nobody anything before it ends, so this is said beside it.
    return f"balance-import-{held.pk}-taken-back"


def _lock_everybody(held: BalanceImport) -> None:
    """The codes, then the customers whose the lots and codes are now: in the order in which others lock them."""
    list(_codes(held).select_for_update(of=("self",), no_key=True).values_list("pk"))
    ids: set[int] = set()
    with connection.cursor() as cursor:
        for table, column in (
            ("credits_creditlot", "credit_lot_id"),
            ("points_pointlot", "point_lot_id"),
            ("orders_redemption", "redemption_id"),
        ):
            cursor.execute(
                f"SELECT DISTINCT customer_id FROM orders_balanceimportkey AS made JOIN {table} AS it "
                f"ON it.id = made.{column} WHERE made.balance_import_id = %s AND NOT made.taken_back",
                [held.pk],
            )
            ids.update(pk for (pk,) in cursor.fetchall())
    ordered = sorted(ids)
    for begin in range(0, len(ordered), _BATCH):
        lock_customers(ordered[begin : begin + _BATCH])


def _take_lots(held: BalanceImport, kind: Kind, actor: Actor, now: datetime) -> Iterator[tuple[int, int]]:
    """Take back the lots of one kind; after each batch, how many it had, and how many of them still held something."""
    tables = LEDGERS[kind].tables
    currency = "lot.currency" if tables.has_currency else "''"
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT made.id, lot.id, lot.customer_id, lot.remaining, {currency}, lot.expires_at "
                f'FROM orders_balanceimportkey AS made JOIN "{tables.lot._meta.db_table}" AS lot '
                f"ON lot.id = made.{_COLUMNS[kind]} WHERE made.balance_import_id = %s AND NOT made.taken_back "
                "AND made.id > %s ORDER BY made.id LIMIT %s",
                [held.pk, after, _BATCH],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        after = rows[-1][0]
        entries = [
            Entry(held.store_id, customer, MovementType.ADJUST, -remaining, currency=money, lot_id=lot)
            for _, lot, customer, remaining, money, expires_at in rows
            if remaining and (expires_at is None or expires_at > now)
        ]
        customers = {row[2] for row in rows}
        post(tables, entries, customer_ids=customers, act=Act(actor, IMPORT, now))
        yield len(rows), len(entries)


def _codes(held: BalanceImport) -> "QuerySet[Redemption]":
    made = BalanceImportKey.objects.for_store(held.store).filter(balance_import=held, taken_back=False)
    made = made.exclude(redemption=None)
    return Redemption.objects.for_store(held.store).filter(pk__in=made.values("redemption_id")).order_by("pk")


def _take_codes(held: BalanceImport, actor: Actor, now: datetime) -> int:
    """Make the codes dead here; their points come back into their lots and go with them.

    The platform keeps its codes: the old system made them, and may still be the one that counts.
    """
    points = LEDGERS["points"]
    redemptions = list(_codes(held))
    entries: list[Entry] = []
    for redemption in redemptions:
        for used in points.redeemed_lots(redemption.pk):
            cause = Cause(redemption_id=redemption.pk)
            where: Any = {"store_id": held.store_id, "customer_id": used.customer_id, "lot_id": used.lot_id}
            back: Any = {"type": MovementType.REVERT, "allocation_id": used.allocation_id, "cause": cause}
            entries.append(Entry(**where, **back, amount=used.amount))
            entries.append(Entry(**where, type=MovementType.ADJUST, amount=-used.amount))
    if redemptions:
        customers = {redemption.customer_id for redemption in redemptions}
        post(points.tables, entries, customer_ids=customers, act=Act(actor, IMPORT, now))
    for redemption in redemptions:
        redemption.state, redemption.points_returned = RedemptionState.REVERSED, redemption.points
        redemption.reversed_at = redemption.ended_at = redemption.updated_at = now
        redemption.reversed_by = actor.ref
        redemption.save_changes()
    return len(redemptions)
