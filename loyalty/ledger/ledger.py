"""One kind's ledger: what customers have, and the verbs that change it (L1-L6, M4).

``credits.ledger`` and ``points.ledger`` hold the two instances. Verbs must run inside the caller's transaction, after
:func:`~loyalty.ledger.posting.lock_customers`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from django.db.models import Max, Q, QuerySet, Sum, Value

from loyalty.ledger.models import AbstractLot, MovementType, Origin
from loyalty.ledger.planner import GIVES_BACK, Amount, Draw, OpenLot, Outcome, PlannedLot, UsedLot, draw, draw_up_to
from loyalty.ledger.posting import BY_HAND, Cause, Entry, NewLot, Posted, Tables, post
from loyalty.stores.actors import Actor
from loyalty.stores.models import Customer

Kind = Literal["credits", "points"]


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
class Award:
    """Points that an order earns, as a new lot (C1)."""

    store_id: int
    customer_id: int
    order_id: int
    amount: Amount
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Points that an order earned and that are to be taken back; ``may_owe``: what is missing becomes a debt (C1)."""

    store_id: int
    customer_id: int
    order_id: int
    amount: Amount
    may_owe: bool


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
        rows = self.tables.movement.unscoped.filter(customer__in=customer_ids, lot__isnull=True).order_by()
        owed = rows.values("customer_id").annotate(total=Sum("amount")).filter(total__lt=0)
        return {row["customer_id"]: -row["total"] for row in owed}

    def used_lots(self, order_ids: Collection[int]) -> dict[int, list[UsedLot]]:
        """What these orders drew on, in the order of spending; one query. Callers hold the orders' locks to write."""
        used: dict[int, list[UsedLot]] = defaultdict(list)
        for lot in self._used(Q(order__in=order_ids)):
            if lot.order_id is not None:
                used[lot.order_id].append(lot)
        return used

    def redeemed_lots(self, redemption_id: int) -> list[UsedLot]:
        """What a redemption drew on, in the order of spending; one query. Callers hold its lock to write."""
        return self._used(Q(redemption=redemption_id))

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
        actor: Actor,
        trigger: str,
        now: datetime,
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
        return self._give([entry], actor=actor, trigger=trigger, now=now)[-1]

    def award(self, awards: Sequence[Award], *, actor: Actor, trigger: str, now: datetime) -> None:
        """Give what orders earn, each as a lot of its own (C1); statements do not grow with them."""
        entries = [
            Entry(
                store_id=item.store_id,
                customer_id=item.customer_id,
                type=MovementType.GRANT,
                amount=item.amount,
                new_lot=NewLot(Origin.EARNED, item.expires_at),
                cause=Cause(item.order_id),
            )
            for item in awards
        ]
        if entries:
            self._give(entries, actor=actor, trigger=trigger, now=now)

    def take_back_earned(
        self, takes: Sequence[TakeBack], *, actor: Actor, trigger: str, now: datetime
    ) -> dict[int, Amount]:
        """Take back what orders earned (C1); answers by order how much was taken, or is owed now.

        From the lots that the order earned first, then from the others in the order of L3, never below zero.
        """
        if not takes:
            return {}
        customers = {item.customer_id for item in takes}
        held: dict[int, list[OpenLot]] = defaultdict(list)
        for lot in self._open(now).filter(customer__in=customers):
            held[lot.customer_id].append(OpenLot(lot.pk, lot.remaining, lot.expires_at, lot.granted_at))
        own = self._earned_lots([item.order_id for item in takes])
        entries: list[Entry] = []
        for item in takes:
            draws = draw_up_to(held[item.customer_id], item.amount, first=own[item.order_id])
            held[item.customer_id] = _left(held[item.customer_id], draws)
            entries += _taking(item, draws)
        if entries:
            self._post(entries, customers, actor=actor, trigger=trigger, now=now)
        taken: dict[int, Amount] = dict.fromkeys((item.order_id for item in takes), 0)
        for entry in entries:
            taken[entry.cause.order_id or 0] -= entry.amount
        return taken

    def remove(
        self,
        customer: Customer,
        amount: Amount,
        *,
        currency: str,
        remark_id: int | None,
        actor: Actor,
        trigger: str,
        now: datetime,
    ) -> list[Posted]:
        """Take ``amount`` from the lots that expire first (L6). Raises InsufficientBalance, all or nothing."""
        draws = self._draw(customer, amount, currency=currency, now=now)
        entries = [
            Entry(
                store_id=customer.store_id,
                customer_id=customer.pk,
                type=MovementType.ADJUST,
                amount=-taken.amount,
                currency=currency,
                lot_id=taken.lot_id,
                remark_id=remark_id,
            )
            for taken in draws
        ]
        posted = self._post(entries, [customer.pk], actor=actor, trigger=trigger, now=now)
        return posted[-len(entries) :]

    def take_back(
        self,
        customer: Customer,
        draws: Sequence[Draw],
        *,
        currency: str,
        cause: Cause,
        remark_id: int | None,
        actor: Actor,
        trigger: str,
        now: datetime,
    ) -> None:
        """Take back what ``cause`` once gave, from the lots named and no others (R4); they must hold as much."""
        entries = [
            Entry(
                store_id=customer.store_id,
                customer_id=customer.pk,
                type=MovementType.CLAW_BACK,
                amount=-taken.amount,
                currency=currency,
                lot_id=taken.lot_id,
                cause=cause,
                remark_id=remark_id,
            )
            for taken in draws
        ]
        self._post(entries, [customer.pk], actor=actor, trigger=trigger, now=now)

    def spend(
        self,
        customer: Customer,
        amount: Amount,
        *,
        currency: str,
        cause: Cause,
        actor: Actor,
        trigger: str,
        now: datetime,
    ) -> None:
        """Spend ``amount`` on an order or a redemption, one allocation per lot (L3, L4).

        Raises InsufficientBalance, all or nothing.
        """
        draws = self._draw(customer, amount, currency=currency, now=now)
        entries = [self._spending(customer, taken, currency, cause) for taken in draws]
        self._post(entries, [customer.pk], actor=actor, trigger=trigger, now=now)

    def give_back(self, returns: Sequence[Return], *, actor: Actor, trigger: str, now: datetime) -> dict[int, int]:
        """Write planned returns (M4), for any number of spends; answers the new lot of each extended allocation.

        Only what the plan gives back is written: a valid lot gets its value back, an extended one becomes a new lot
        that names the old one.
        """
        back = [item for item in returns if item.planned.outcome in GIVES_BACK]
        if not back:
            return {}
        customers = {item.planned.used.customer_id for item in back}
        posted = self._post([_returning(item) for item in back], customers, actor=actor, trigger=trigger, now=now)
        pairs = zip(back, posted[-len(back) :], strict=True)
        return {
            item.planned.used.allocation_id: row.lot_id
            for item, row in pairs
            if item.planned.outcome is Outcome.EXTENDED
        }

    def post_due(self, customer_ids: Collection[int], *, actor: Actor, now: datetime) -> int:
        """Post what has lapsed for these customers (L5); answers how many lots."""
        return len(self._post([], customer_ids, actor=actor, trigger="", now=now))

    def _post(
        self, entries: Iterable[Entry], customer_ids: Collection[int], *, actor: Actor, trigger: str, now: datetime
    ) -> list[Posted]:
        return post(self.tables, list(entries), customer_ids=customer_ids, actor=actor, trigger=trigger, now=now)

    def _draw(self, customer: Customer, amount: Amount, *, currency: str, now: datetime) -> list[Draw]:
        owed = self.debts([customer.pk]).get(customer.pk, 0)
        return draw(self.open_lots(customer, currency=currency, now=now), amount, owed=owed)

    def _give(self, entries: Sequence[Entry], *, actor: Actor, trigger: str, now: datetime) -> list[Posted]:
        """Write new lots, and settle out of them what their customers owe (C1)."""
        customers = {entry.customer_id for entry in entries}
        posted = self._post(entries, customers, actor=actor, trigger=trigger, now=now)[-len(entries) :]
        debts = self.debts(customers)
        settling: list[Entry] = []
        for entry, row in zip(entries, posted, strict=True):
            settled = min(debts.get(entry.customer_id, 0), entry.amount)
            if settled:
                debts[entry.customer_id] -= settled
                settling += _settling(entry, row.lot_id, settled)
        if settling:
            self._post(settling, customers, actor=actor, trigger=trigger, now=now)
        return posted

    def _earned_lots(self, order_ids: Collection[int]) -> dict[int, set[int]]:
        grants = self.tables.movement.unscoped.filter(order__in=order_ids, type=MovementType.GRANT)
        lots: dict[int, set[int]] = defaultdict(set)
        for order_id, lot_id in grants.values_list("order_id", "lot_id"):
            lots[order_id].add(lot_id)
        return lots

    def _used(self, which: Q) -> list[UsedLot]:
        currency = "lot__currency" if self.tables.has_currency else Value("")
        columns = ("id", "order_id", "lot__customer_id", "lot_id", "amount", "returned", "lot__expires_at")
        allocations = self.tables.allocation.unscoped.filter(which).order_by("id")
        rows = allocations.values_list(*columns, "lot__origin", currency, "deduction", "redemption_id")
        return [UsedLot(*row) for row in rows]

    def _open(self, now: datetime) -> "QuerySet[AbstractLot]":
        return self.tables.lot.unscoped.filter(valid_at(now), remaining__gt=0)

    def _of_currency(self, lots: "QuerySet[AbstractLot]", currency: str) -> "QuerySet[AbstractLot]":
        return lots.filter(Q(currency=currency)) if self.tables.has_currency else lots

    def _spending(self, customer: Customer, taken: Draw, currency: str, cause: Cause) -> Entry:
        return Entry(
            store_id=customer.store_id,
            customer_id=customer.pk,
            type=MovementType.SPEND,
            amount=-taken.amount,
            currency=currency,
            lot_id=taken.lot_id,
            cause=cause,
        )


def _returning(item: Return) -> Entry:
    planned, used = item.planned, item.planned.used
    extended = planned.outcome is Outcome.EXTENDED
    return Entry(
        store_id=item.store_id,
        customer_id=used.customer_id,
        type=MovementType.REVERT,
        amount=planned.amount,
        currency=used.currency,
        lot_id=None if extended else used.lot_id,
        new_lot=NewLot(Origin.EXTENSION, planned.expires_at, used.lot_id) if extended else None,
        cause=Cause(used.order_id, used.redemption_id),
        allocation_id=used.allocation_id,
        revert_id=item.revert_id,
        remark_id=item.remark_id,
    )


def _left(lots: Iterable[OpenLot], draws: Iterable[Draw]) -> list[OpenLot]:
    taken = {item.lot_id: item.amount for item in draws}
    return [replace(lot, remaining=lot.remaining - taken.get(lot.lot_id, 0)) for lot in lots]


def _taking(item: TakeBack, draws: Sequence[Draw]) -> list[Entry]:
    entries = [
        _claw_back(item.store_id, item.customer_id, -taken.amount, item.order_id, taken.lot_id) for taken in draws
    ]
    missing = item.amount - sum((taken.amount for taken in draws), start=0)
    if missing and item.may_owe:
        entries.append(_claw_back(item.store_id, item.customer_id, -missing, item.order_id, None))
    return entries


def _settling(entry: Entry, lot_id: int, amount: Amount) -> list[Entry]:
    # What the lot loses settles what was booked without a lot, so the balance stays what it is.
    return [
        _claw_back(entry.store_id, entry.customer_id, -amount, None, lot_id),
        _claw_back(entry.store_id, entry.customer_id, amount, None, None),
    ]


def _claw_back(store_id: int, customer_id: int, amount: Amount, order_id: int | None, lot_id: int | None) -> Entry:
    return Entry(
        store_id=store_id,
        customer_id=customer_id,
        type=MovementType.CLAW_BACK,
        amount=amount,
        lot_id=lot_id,
        cause=Cause(order_id),
    )
