"""What orders earn, in the ledger: lots awarded, and what is taken back of them (C1).

Like the verbs of :class:`~loyalty.ledger.ledger.Ledger`: inside the caller's transaction, the customers locked.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models.functions import Coalesce

from loyalty.ledger.ledger import Ledger, valid_at
from loyalty.ledger.models import MovementType, Origin
from loyalty.ledger.planner import Amount, Draw, OpenLot, draw_up_to
from loyalty.ledger.posting import Cause, Entry, NewLot, post
from loyalty.ledger.settle import claw_back
from loyalty.stores.actors import Act


@dataclass(frozen=True, slots=True)
class Award:
    """Points that an order earns, as a new lot; ``expires_at`` is half-open, None for never."""

    store_id: int
    customer_id: int
    order_id: int
    amount: Amount
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Points that an order earned and that are to be taken back; ``may_owe``: what is missing becomes a debt."""

    store_id: int
    customer_id: int
    order_id: int
    amount: Amount
    may_owe: bool


@dataclass(slots=True)
class Receiver:
    """Somebody who got what an order earned: what of it is with him, and what was taken back from him."""

    customer_id: int
    has: Amount = 0
    taken: Amount = 0


def receivers(ledger: Ledger, order_ids: Collection[int]) -> dict[int, list[Receiver]]:
    """Who got what these orders earned, by order, the latest first, whoever the orders belong to now (C2); one query.

    Mostly that is one; an order that went over to another customer may have been awarded points again.
    """
    earned = ledger.tables.movement.unscoped.filter(
        order__in=order_ids, type__in=(MovementType.GRANT, MovementType.CLAW_BACK)
    )
    found: dict[int, dict[int, Receiver]] = defaultdict(dict)
    # Who was merged into another since is that one by now (O7).
    rows = earned.order_by("id").annotate(person=Coalesce("customer__merged_into_id", "customer_id"))
    for order_id, customer_id, amount in rows.values_list("order_id", "person", "amount"):
        mine = found[order_id].setdefault(customer_id, Receiver(customer_id))
        # What is taken has a minus. A grant after it gives it again, and what is above that is new.
        mine.taken -= min(mine.taken, amount)
        mine.has += amount
    return {order_id: list(reversed(people.values())) for order_id, people in found.items()}


def shared(amount: Amount, parts: Sequence[tuple[int, Amount]]) -> dict[int, Amount]:
    """``amount`` among customers, each up to his part, in this order; what is above all parts is the first one's."""
    shares: dict[int, Amount] = {}
    for customer_id, most in parts:
        if amount > 0 and most > 0:
            shares[customer_id] = min(most, amount)
            amount -= shares[customer_id]
    if amount > 0 and parts:
        shares[parts[0][0]] = shares.get(parts[0][0], 0) + amount
    return shares


def award(ledger: Ledger, awards: Sequence[Award], *, act: Act) -> None:
    """Give what orders earn, each as a lot of its own; statements do not grow with them."""
    if awards:
        ledger.give_new([_granting(item) for item in awards], act=act)


def take_back(ledger: Ledger, takes: Sequence[TakeBack], *, act: Act) -> dict[int, Amount]:
    """Take back what orders earned; answers by order how much was taken, or is owed now.

    From the lots that the order earned first, then from the others in the order of L3, never below zero.
    """
    if not takes:
        return {}
    customers = {item.customer_id for item in takes}
    held, own = _held(ledger, customers, act.now), _earned_lots(ledger, [item.order_id for item in takes])
    entries: list[Entry] = []
    for item in takes:
        draws = draw_up_to(held[item.customer_id], item.amount, first=own[item.order_id])
        held[item.customer_id] = _left(held[item.customer_id], draws)
        entries += _taking(item, draws)
    if entries:
        post(ledger.tables, entries, customer_ids=customers, act=act)
    taken: dict[int, Amount] = dict.fromkeys((item.order_id for item in takes), 0)
    for entry in entries:
        taken[entry.cause.order_id or 0] -= entry.amount
    return taken


def _granting(item: Award) -> Entry:
    return Entry(
        store_id=item.store_id,
        customer_id=item.customer_id,
        type=MovementType.GRANT,
        amount=item.amount,
        new_lot=NewLot(Origin.EARNED, item.expires_at),
        cause=Cause(item.order_id),
    )


def _held(ledger: Ledger, customers: Collection[int], now: datetime) -> dict[int, list[OpenLot]]:
    held: dict[int, list[OpenLot]] = defaultdict(list)
    for lot in ledger.tables.lot.unscoped.filter(valid_at(now), customer__in=customers, remaining__gt=0):
        held[lot.customer_id].append(OpenLot(lot.pk, lot.remaining, lot.expires_at, lot.granted_at))
    return held


def _earned_lots(ledger: Ledger, order_ids: Collection[int]) -> dict[int, set[int]]:
    grants = ledger.tables.movement.unscoped.filter(order__in=order_ids, type=MovementType.GRANT)
    lots: dict[int, set[int]] = defaultdict(set)
    for order_id, lot_id in grants.values_list("order_id", "lot_id"):
        lots[order_id].add(lot_id)
    return lots


def _left(lots: Iterable[OpenLot], draws: Iterable[Draw]) -> list[OpenLot]:
    taken = {item.lot_id: item.amount for item in draws}
    left = (replace(lot, remaining=lot.remaining - taken.get(lot.lot_id, 0)) for lot in lots)
    # From a lot that another order has emptied nothing is taken, not even nothing.
    return [lot for lot in left if lot.remaining]


def _taking(item: TakeBack, draws: Sequence[Draw]) -> list[Entry]:
    missing = item.amount - sum((taken.amount for taken in draws), start=0)
    parts: list[tuple[Amount, int | None]] = [(taken.amount, taken.lot_id) for taken in draws]
    if missing and item.may_owe:
        parts.append((missing, None))
    return [
        claw_back(item.store_id, item.customer_id, -amount, lot_id=lot_id, order_id=item.order_id)
        for amount, lot_id in parts
    ]
