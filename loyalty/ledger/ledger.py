"""One kind's ledger: what customers have, and the verbs that change it (L1-L6, M4).

``credits.ledger`` and ``points.ledger`` hold the two instances. Verbs must run inside the caller's transaction, after
:func:`~loyalty.ledger.posting.lock_customers`.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from django.db.models import Max, Q, QuerySet, Sum, Value
from django.utils.translation import gettext as _

from loyalty.core.money import format_amount
from loyalty.database.bulk import array, new_ids
from loyalty.database.prepared import Answer, ask
from loyalty.ledger.models import AbstractLot, MovementType, Origin
from loyalty.ledger.planner import (
    GIVES_BACK,
    Amount,
    Draw,
    InsufficientBalance,
    OpenLot,
    Outcome,
    PlannedLot,
    TooLittle,
    UsedLot,
    draw,
)
from loyalty.ledger.posting import BY_HAND, Cause, Entry, NewLot, Posted, Tables, post, send
from loyalty.ledger.settle import Given, settle
from loyalty.stores.actors import Act, Actor
from loyalty.stores.models import Customer

Kind = Literal["credits", "points"]


def currency_for(kind: Kind, currency: str) -> str:
    """The currency of an amount of ``kind`` where money is in ``currency``; points have none."""
    return currency if kind == "credits" else ""


def valid_at(now: datetime) -> Q:
    """Lots that can be used at ``now``: expiry is this predicate, never a flag (L2)."""
    return Q(expires_at__isnull=True) | Q(expires_at__gt=now)


@dataclass(frozen=True, slots=True)
class Return:
    """One planned lot that is to be given back: an order's under a revert, a redemption's by its reversal."""

    store_id: int
    revert_id: int | None
    remark_id: int | None
    planned: PlannedLot


@dataclass(frozen=True, slots=True)
class Returned:
    """What a revert put into one lot for one allocation, and that lot as it is now.

    ``redemption_id`` is that of the code with which the order had used it (R7).
    """

    store_id: int
    customer_id: int
    order_id: int
    revert_id: int
    allocation_id: int
    lot_id: int
    amount: Amount
    remaining: Amount
    expires_at: datetime | None
    redemption_id: int | None
    currency: str = ""


_DEBTS: Final = """
SELECT customer_id, sum(amount)::{amount} FROM {movement}
WHERE customer_id = ANY(%s::bigint[]) AND lot_id IS NULL GROUP BY customer_id HAVING sum(amount) < 0
"""
_USED: Final = """
SELECT allocation.id, order_id, customer_id, lot_id, amount, returned, expires_at, origin, {lot_currency}, deduction,
    redemption_id, booked_off
FROM {allocation} AS allocation JOIN {lot} AS lot ON lot.id = lot_id
WHERE {spender}_id = ANY(%s::bigint[]) ORDER BY allocation.id
"""


@dataclass(frozen=True, slots=True)
class Ledger:
    """One kind's ledger over its three tables."""

    kind: Kind
    tables: Tables

    def open_lots(self, customer: Customer, *, currency: str, now: datetime) -> list[OpenLot]:
        """The customer's valid lots with something left, of one currency (L4)."""
        lots = self._of_currency(self._open(now).filter(customer=customer, store=customer.store_id), currency)
        return [OpenLot(lot.pk, lot.remaining, lot.expires_at, lot.granted_at) for lot in lots]

    def available(self, customer_ids: Collection[int], *, now: datetime) -> dict[tuple[int, str], Amount]:
        """What each customer can use at ``now``, less what he owes, by customer and currency (points: ``""``)."""
        columns = ("customer_id", "currency") if self.tables.has_currency else ("customer_id",)
        lots = self._open(now).filter(customer__in=customer_ids)
        rows = lots.order_by().values(*columns).annotate(total=Sum("remaining"))
        available: dict[tuple[int, str], Amount] = {
            (row["customer_id"], row.get("currency", "")): row["total"] for row in rows
        }
        for customer_id, owed in self.debts(customer_ids).items():
            available[customer_id, ""] = available.get((customer_id, ""), 0) - owed
        return available

    def debts(self, customer_ids: Collection[int]) -> dict[int, Amount]:
        """What each of these customers owes, for those who do (C1); one query where a customer may owe at all."""
        if not self.tables.may_owe:
            return {}
        rows = ask(self.tables.filled(_DEBTS), [array(customer_ids)]).rows()
        return {customer_id: -total for customer_id, total in rows}

    def given(self, lot_ids: Collection[int], customer_ids: Collection[int]) -> list[Given]:
        """Which of these lots are those customers', in the order in which they were given."""
        lots = self.tables.lot.unscoped.filter(pk__in=lot_ids, customer__in=customer_ids).order_by("pk")
        return [Given(*row) for row in lots.values_list("store_id", "customer_id", "pk", "granted")]

    def used_lots(self, order_ids: Collection[int]) -> dict[int, list[UsedLot]]:
        """What these orders drew on, in the order of spending; one query. Callers hold the orders' locks to write."""
        return self.asking_used(order_ids)()

    def asking_used(self, order_ids: Collection[int]) -> Callable[[], dict[int, list[UsedLot]]]:
        """As :meth:`used_lots`, awaited when they are asked for (ADR 0070)."""
        asked = self._used("order", order_ids)
        return lambda: _by_order(asked.rows())

    def redeemed_lots(self, redemption_id: int) -> list[UsedLot]:
        """What a redemption drew on, in the order of spending; one query. Callers hold its lock to write."""
        return [UsedLot(*row) for row in self._used("redemption", [redemption_id]).rows()]

    def hand_over(self, redemption_ids: Collection[int], order_id: int) -> None:
        """Make what these redemptions drew on the order's, which came with their codes (R7); no value moves.

        Callers hold the order's lock and the redemptions'. The database lets it happen once.
        """
        self.tables.allocation.unscoped.filter(redemption__in=redemption_ids).update(order=order_id)

    def next_deduction(self, order_id: int) -> int:
        """The number of the order's next *Deduct again*; 1 for the first (M10)."""
        last = self.tables.allocation.unscoped.filter(order=order_id).aggregate(last=Max("deduction"))["last"]
        return (last or 0) + 1

    def grant(
        self,
        customer: Customer,
        amount: Amount,
        *,
        currency: str,
        new_lot: NewLot,
        remark_id: int | None,
        act: Act,
        cause: Cause = BY_HAND,
    ) -> Posted:
        """Give ``amount`` as a new lot (L6, L7), by hand or because of what ``cause`` names."""
        entry = Entry(
            store_id=customer.store_id,
            customer_id=customer.pk,
            type=MovementType.GRANT,
            amount=amount,
            currency=currency,
            new_lot=new_lot,
            cause=cause,
            remark_id=remark_id,
        )
        return self.give_new([entry], act=act)[-1]

    def remove(
        self, customer: Customer, amount: Amount, *, currency: str, remark_id: int | None, act: Act
    ) -> list[Posted]:
        """Take ``amount`` from the lots that expire first (L6). Raises InsufficientBalance, all or nothing."""
        draws = self._draw(customer, amount, currency=currency, now=act.now)
        entries = _drawing(customer, draws, MovementType.ADJUST, currency=currency, remark_id=remark_id)
        posted = self._post(entries, [customer.pk], act=act)
        return posted[-len(entries) :]

    def take_back(
        self, customer: Customer, draws: Sequence[Draw], *, currency: str, cause: Cause, remark_id: int | None, act: Act
    ) -> None:
        """Take back what ``cause`` once gave, from the lots named and no others (R4); they must hold as much."""
        entries = _drawing(customer, draws, MovementType.CLAW_BACK, currency=currency, cause=cause, remark_id=remark_id)
        self._post(entries, [customer.pk], act=act)

    def spend(
        self, customer: Customer, amount: Amount, *, currency: str, cause: Cause, remark_id: int | None = None, act: Act
    ) -> None:
        """Spend ``amount`` on an order or a redemption, one allocation per lot (L3, L4).

        Raises InsufficientBalance, all or nothing.
        """
        draws = self._draw(customer, amount, currency=currency, now=act.now)
        entries = _drawing(customer, draws, MovementType.SPEND, currency=currency, cause=cause, remark_id=remark_id)
        self._post(entries, [customer.pk], act=act)

    def give_back(self, returns: Sequence[Return], *, act: Act) -> dict[int, int]:
        """Write planned returns (M4), for any number of spends; answers the new lot of each extended allocation.

        Only what the plan gives back is written: a valid lot gets its value back, an extended one becomes a new lot
        that names the old one.
        """
        back = [item for item in returns if item.planned.outcome in GIVES_BACK]
        extended = [item.planned.used.allocation_id for item in back if item.planned.outcome is Outcome.EXTENDED]
        new_lots = dict(zip(extended, new_ids(self.tables.lot, len(extended)), strict=True))
        if back:
            entries = [_returning(item, new_lots.get(item.planned.used.allocation_id)) for item in back]
            send(self.tables, entries, customer_ids={entry.customer_id for entry in entries}, act=act)
        return new_lots

    def returned_by(self, revert_ids: Collection[int]) -> dict[int, list[Returned]]:
        """What these reverts put into which lots, by revert, in the order of writing; one query.

        Callers hold the customers' locks to act on what the lots hold.
        """
        currency = "lot__currency" if self.tables.has_currency else Value("")
        # Whose lot it is now: who got it back may have been merged into another since (O7).
        columns = ("store_id", "lot__customer_id", "order_id", "revert_id", "allocation_id", "lot_id", "amount")
        rows = self.tables.movement.unscoped.filter(revert__in=revert_ids, type=MovementType.REVERT).order_by("id")
        returned: dict[int, list[Returned]] = defaultdict(list)
        facts = ("lot__remaining", "lot__expires_at", "allocation__redemption_id")
        for row in rows.values_list(*columns, *facts, currency):
            item = Returned(*row)
            returned[item.revert_id].append(item)
        return returned

    def spent_after(self, order_id: int, revert_id: int) -> bool:
        """Whether the order took value again after this revert (M10)."""
        movements = self.tables.movement.unscoped.filter(order=order_id)
        back = movements.filter(revert=revert_id, type=MovementType.REVERT).aggregate(last=Max("id"))["last"]
        return movements.filter(type=MovementType.SPEND, id__gt=back or 0).exists()

    def undo_returns(self, returned: Sequence[Returned], *, remark_id: int | None, act: Act) -> None:
        """Post the opposite of what reverts put into these lots, under the same reverts (M11).

        Lowers what the allocations say is returned. The database refuses to take a lot below zero.
        """
        entries = [_undoing(item, remark_id) for item in returned]
        self._post(entries, {item.customer_id for item in returned}, act=act)

    def post_due(self, customer_ids: Collection[int], *, actor: Actor, now: datetime) -> int:
        """Post what has lapsed for these customers (L5); answers how many lots."""
        return len(self._post([], customer_ids, act=Act(actor, "", now)))

    def _post(self, entries: Iterable[Entry], customer_ids: Collection[int], *, act: Act) -> list[Posted]:
        return post(self.tables, list(entries), customer_ids=customer_ids, act=act)

    def _draw(self, customer: Customer, amount: Amount, *, currency: str, now: datetime) -> list[Draw]:
        owed = self.debts([customer.pk]).get(customer.pk, 0)
        try:
            return draw(self.open_lots(customer, currency=currency, now=now), amount, owed=owed)
        except TooLittle as error:
            wanted, has = (format_amount(value, currency, customer.store.written_in) for value in (amount, error.has))
            raise InsufficientBalance(
                _("The customer does not have %(wanted)s: the balance is %(has)s.") % {"wanted": wanted, "has": has}
            ) from error

    def give_new(self, entries: Sequence[Entry], *, act: Act) -> list[Posted]:
        """Write new lots, and settle out of them what their customers owe (C1)."""
        customers = {entry.customer_id for entry in entries}
        posted = self._post(entries, customers, act=act)[-len(entries) :]
        given = [Given(entry.store_id, entry.customer_id, row.lot_id, entry.amount)
                 for entry, row in zip(entries, posted, strict=True)]  # fmt: skip
        settle(self.tables, self.debts(customers), given, act=act)
        return posted

    def _used(self, spender: Literal["order", "redemption"], ids: Collection[int]) -> Answer:
        # Every cancel asks this twice; putting the query together would take longer than answering it.
        return ask(self.tables.filled(_USED, spender=spender), [array(ids)])

    def _open(self, now: datetime) -> "QuerySet[AbstractLot]":
        return self.tables.lot.unscoped.filter(valid_at(now), remaining__gt=0)

    def _of_currency(self, lots: "QuerySet[AbstractLot]", currency: str) -> "QuerySet[AbstractLot]":
        return lots.filter(Q(currency=currency)) if self.tables.has_currency else lots


def _by_order(rows: Iterable[Sequence[Any]]) -> dict[int, list[UsedLot]]:
    used: dict[int, list[UsedLot]] = defaultdict(list)
    for row in rows:
        lot = UsedLot(*row)
        if lot.order_id is not None:
            used[lot.order_id].append(lot)
    return used


def _drawing(
    customer: Customer,
    draws: Sequence[Draw],
    movement: MovementType,
    *,
    currency: str,
    cause: Cause = BY_HAND,
    remark_id: int | None,
) -> list[Entry]:
    return [
        Entry(
            store_id=customer.store_id,
            customer_id=customer.pk,
            type=movement,
            amount=-taken.amount,
            currency=currency,
            lot_id=taken.lot_id,
            cause=cause,
            remark_id=remark_id,
        )
        for taken in draws
    ]


def _returning(item: Return, new_lot_id: int | None) -> Entry:
    planned, used = item.planned, item.planned.used
    new_lot = NewLot(Origin.EXTENSION, planned.expires_at, used.lot_id, id=new_lot_id) if new_lot_id else None
    return Entry(
        store_id=item.store_id,
        customer_id=used.customer_id,
        type=MovementType.REVERT,
        amount=planned.amount,
        currency=used.currency,
        lot_id=None if new_lot else used.lot_id,
        new_lot=new_lot,
        # What an order used with a code goes back through the order; its spend stays the redemption's (R7).
        cause=Cause(used.order_id) if used.order_id else Cause(redemption_id=used.redemption_id),
        allocation_id=used.allocation_id,
        revert_id=item.revert_id,
        remark_id=item.remark_id,
    )


def _undoing(item: Returned, remark_id: int | None) -> Entry:
    return Entry(
        store_id=item.store_id,
        customer_id=item.customer_id,
        type=MovementType.UNDO,
        amount=-item.amount,
        currency=item.currency,
        lot_id=item.lot_id,
        cause=Cause(item.order_id),
        allocation_id=item.allocation_id,
        revert_id=item.revert_id,
        remark_id=remark_id,
    )
