"""Bringing lots that rows of the database describe, such as those of an import, into a ledger."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from loyalty.ledger.ledger import Ledger
from loyalty.ledger.posting import post_new_lots
from loyalty.ledger.settle import settle
from loyalty.stores.actors import Act


def bring_lots(
    ledger: Ledger,
    lots: str,
    values: Mapping[str, Any],
    *,
    lot_ids: Sequence[int],
    customer_ids: Collection[int],
    act: Act,
) -> None:
    """Write the new lots that ``lots`` selects, as :func:`~loyalty.ledger.posting.post_new_lots` says it.

    ``lot_ids`` are theirs. What their customers owe is settled out of them (C1). Callers hold the customers' locks.
    """
    post_new_lots(ledger.tables, lots, values, customer_ids=customer_ids, act=act)
    debts = ledger.debts(customer_ids)
    if debts:
        settle(ledger.tables, debts, ledger.given(lot_ids, debts), act=act)
