"""What customers owe, and how it is settled out of what they are given (C1)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from loyalty.ledger.models import MovementType
from loyalty.ledger.planner import Amount
from loyalty.ledger.posting import Cause, Entry, Tables, post
from loyalty.stores.actors import Act


class Given(NamedTuple):
    """A lot that a customer was given just now, with all that is in it."""

    store_id: int
    customer_id: int
    lot_id: int
    amount: Amount


def settle(
    tables: Tables,
    debts: Mapping[int, Amount],
    given: Iterable[Given],
    *,
    act: Act,
) -> None:
    """Take what customers owe from lots that they were given just now, until it is settled (C1)."""
    left, settling = dict(debts), list[Entry]()
    for lot in given:
        settled = min(left.get(lot.customer_id, 0), lot.amount)
        if settled:
            left[lot.customer_id] -= settled
            settling += _settling(lot, settled)
    if settling:
        post(tables, settling, customer_ids=set(debts), act=act)


def _settling(lot: Given, amount: Amount) -> list[Entry]:
    # What the lot loses settles what was booked without a lot, so the balance stays what it is.
    return [
        claw_back(lot.store_id, lot.customer_id, -amount, lot_id=lot.lot_id),
        claw_back(lot.store_id, lot.customer_id, amount, lot_id=None),
    ]


def claw_back(
    store_id: int, customer_id: int, amount: Amount, *, lot_id: int | None, order_id: int | None = None
) -> Entry:
    """A movement of earned points (C1); without a lot it is a debt, or with a positive amount what settles one."""
    return Entry(
        store_id=store_id,
        customer_id=customer_id,
        type=MovementType.CLAW_BACK,
        amount=amount,
        lot_id=lot_id,
        cause=Cause(order_id),
    )
