"""What happens to one kind's ledger when a customer is merged into another (O7)."""

from loyalty.ledger.ledger import Ledger, valid_at
from loyalty.ledger.models import MovementType
from loyalty.ledger.planner import Amount
from loyalty.ledger.posting import Entry, post
from loyalty.stores.actors import Act
from loyalty.stores.models import Customer


def move_holdings(ledger: Ledger, merged: Customer, kept: Customer, *, act: Act) -> dict[str, Amount]:
    """Book what ``merged`` has, and what he owes, over to ``kept``; answers how much, by currency (points: ``""``).

    Two movements for every lot: what leaves the one arrives with the other, so each history adds up and every lot holds
    what it held. What has lapsed is booked before, in the history of whoever let it lapse. Callers hold both
    customers' locks; the lots change hands by :func:`hand_over`, once the customer points to the kept one.
    """
    lots = ledger.tables.lot.unscoped.filter(valid_at(act.now), customer=merged, remaining__gt=0).order_by("id")
    held = [(lot.pk, lot.remaining, lot.currency) for lot in lots]
    held += [(None, -owed, "") for owed in ledger.debts([merged.pk]).values()]
    entries = [
        Entry(
            store_id=merged.store_id,
            customer_id=customer.pk,
            type=MovementType.MERGE,
            amount=amount,
            currency=currency,
            lot_id=lot_id,
        )
        for lot_id, remaining, currency in held
        for customer, amount in ((merged, -remaining), (kept, remaining))
    ]
    post(ledger.tables, entries, customer_ids=[merged.pk, kept.pk], act=act)
    moved: dict[str, Amount] = {}
    for _, remaining, currency in held:
        moved[currency] = moved.get(currency, 0) + remaining
    return moved


def hand_over(ledger: Ledger, merged: Customer, kept: Customer) -> None:
    """Make the lots of ``merged`` those of ``kept``, spent and lapsed ones too: what returns to them is his."""
    ledger.tables.lot.unscoped.filter(customer=merged).update(customer=kept)
