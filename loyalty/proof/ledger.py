"""What must hold in one kind's ledger, as set-based SQL over its three tables (H5).

What has lapsed and was not posted yet is no fault (L5): it is still in ``remaining`` and in the sum of movements.
"""

from typing import Final

from loyalty.ledger.posting import Tables
from loyalty.proof.prove import Check, Rule, counting, scope


def ledger_check(tables: Tables, *, name: str) -> Check:
    """The check of one kind's ledger; ``name`` is what its rows are called, such as ``store credit``."""
    names = tables.sql | {
        "name": name,
        "lot_scope": scope("lot"),
        "allocation_scope": scope("allocation"),
        "movement_scope": scope("movement"),
        "spent_on": _SPENT_ON.format("allocation"),
        "belongs_to": _SPENT_ON.format("movement"),
        "currency": "movement.currency" if tables.has_currency else "''::text",
    }
    return Check(
        counted={
            "lots": counting(tables.lot._meta.db_table),
            "movements": counting(tables.movement._meta.db_table),
            "allocations": counting(tables.allocation._meta.db_table),
        },
        rules=[Rule(f"{name} {sentence}", sql.format(**names)) for sentence, sql in _RULES.items()],
    )


# What an allocation or a movement belongs to, in words.
_SPENT_ON: Final = """CASE WHEN {0}.redemption_id IS NOT NULL THEN 'redemption ' || {0}.redemption_id
    ELSE 'order ' || coalesce({0}.order_id, 0) END"""

_REMAINING: Final = """
SELECT store.slug, lot.id, lot.remaining, coalesce(booked.total, 0)
FROM {lot} AS lot
JOIN stores_store AS store ON store.id = lot.store_id
LEFT JOIN (SELECT lot_id, sum(amount) AS total FROM {movement} GROUP BY lot_id) AS booked ON booked.lot_id = lot.id
WHERE {lot_scope} AND lot.remaining <> coalesce(booked.total, 0)
"""

_WITHIN: Final = """
SELECT store.slug, lot.id, lot.remaining, lot.granted
FROM {lot} AS lot
JOIN stores_store AS store ON store.id = lot.store_id
WHERE {lot_scope} AND (lot.remaining < 0 OR lot.remaining > lot.granted)
"""

_OPENING: Final = """
SELECT store.slug, lot.id, lot.granted, lot.origin, coalesce(opening.type, 'nothing'), coalesce(opening.amount, 0),
    coalesce(booked.grants, 0)
FROM {lot} AS lot
JOIN stores_store AS store ON store.id = lot.store_id
LEFT JOIN (
    SELECT lot_id, min(id) AS first, count(*) FILTER (WHERE type = 'grant') AS grants FROM {movement} GROUP BY lot_id
) AS booked ON booked.lot_id = lot.id
LEFT JOIN {movement} AS opening ON opening.id = booked.first
WHERE {lot_scope} AND (
    opening.amount IS DISTINCT FROM lot.granted
    OR opening.type <> CASE lot.origin WHEN 'extension' THEN 'revert' ELSE 'grant' END
    OR booked.grants <> CASE lot.origin WHEN 'extension' THEN 0 ELSE 1 END
)
"""

_CHAIN: Final = """
SELECT store.slug, movement.id, movement.customer_id, movement.balance_after, movement.before, movement.amount
FROM (
    SELECT movement.id, movement.store_id, movement.customer_id, movement.amount, movement.balance_after,
        coalesce(lag(movement.balance_after) OVER (
            PARTITION BY movement.customer_id, {currency} ORDER BY movement.id
        ), 0) AS before
    FROM {movement} AS movement
    WHERE {movement_scope}
) AS movement
JOIN stores_store AS store ON store.id = movement.store_id
WHERE movement.balance_after <> movement.before + movement.amount
"""

_SPENT: Final = """
SELECT store.slug, allocation.id, {spent_on}, allocation.amount, coalesce(booked.spent, 0)
FROM {allocation} AS allocation
JOIN stores_store AS store ON store.id = allocation.store_id
LEFT JOIN (
    SELECT allocation_id, -sum(amount) AS spent FROM {movement}
    WHERE type = 'spend' AND allocation_id IS NOT NULL GROUP BY allocation_id
) AS booked ON booked.allocation_id = allocation.id
WHERE {allocation_scope} AND allocation.amount <> coalesce(booked.spent, 0)
"""

_RETURNED: Final = """
SELECT store.slug, allocation.id, {spent_on}, allocation.returned, coalesce(booked.returned, 0),
    allocation.amount
FROM {allocation} AS allocation
JOIN stores_store AS store ON store.id = allocation.store_id
LEFT JOIN (
    SELECT allocation_id, sum(amount) AS returned FROM {movement}
    WHERE type IN ('revert', 'undo') AND allocation_id IS NOT NULL GROUP BY allocation_id
) AS booked ON booked.allocation_id = allocation.id
WHERE {allocation_scope} AND (
    allocation.returned <> coalesce(booked.returned, 0)
    OR allocation.returned < 0 OR allocation.returned > allocation.amount
)
"""

_LOT_OF_MOVEMENT: Final = """
SELECT store.slug, movement.id, movement.customer_id, {currency}, lot.id, lot.customer_id, {lot_currency}
FROM {movement} AS movement
JOIN stores_store AS store ON store.id = movement.store_id
JOIN {lot} AS lot ON lot.id = movement.lot_id
JOIN stores_customer AS customer ON customer.id = movement.customer_id
WHERE {movement_scope} AND (
    lot.customer_id <> coalesce(customer.merged_into_id, customer.id) OR {lot_currency} <> {currency}
)
"""

# What was merged is with the kept one, to the last lot; and what left one customer has arrived with the other (O7).
_LEFT_BEHIND: Final = """
SELECT store.slug, lot.id, customer.id, customer.merged_into_id
FROM {lot} AS lot
JOIN stores_customer AS customer ON customer.id = lot.customer_id
JOIN stores_store AS store ON store.id = lot.store_id
WHERE {lot_scope} AND customer.merged_into_id IS NOT NULL
"""

_MERGED: Final = """
SELECT store.slug, coalesce(movement.lot_id, 0), sum(movement.amount)
FROM {movement} AS movement
JOIN stores_store AS store ON store.id = movement.store_id
WHERE {movement_scope} AND movement.type = 'merge'
GROUP BY store.slug, movement.lot_id HAVING sum(movement.amount) <> 0
"""

_ALLOCATION_OF_MOVEMENT: Final = """
SELECT store.slug, movement.id, movement.type, movement.lot_id, {belongs_to}, allocation.id, allocation.lot_id,
    {spent_on}
FROM {movement} AS movement
JOIN stores_store AS store ON store.id = movement.store_id
JOIN {lot} AS lot ON lot.id = movement.lot_id
JOIN {allocation} AS allocation ON allocation.id = movement.allocation_id
WHERE {movement_scope} AND (
    (movement.order_id IS DISTINCT FROM allocation.order_id
        AND movement.redemption_id IS DISTINCT FROM allocation.redemption_id)
    OR num_nonnulls(movement.order_id, movement.redemption_id) <> 1
    OR (movement.type = 'spend' AND movement.redemption_id IS DISTINCT FROM allocation.redemption_id)
    OR allocation.lot_id NOT IN (lot.id, coalesce(lot.extended_from_id, lot.id))
    OR (movement.type = 'spend' AND allocation.lot_id <> lot.id)
)
"""

_SHAPE: Final = """
SELECT store.slug, movement.id, movement.type, movement.amount
FROM {movement} AS movement
JOIN stores_store AS store ON store.id = movement.store_id
WHERE {movement_scope} AND (
    (movement.type IN ('grant', 'revert') AND movement.amount < 0)
    OR (movement.type IN ('spend', 'undo', 'expire') AND movement.amount > 0)
    OR (movement.type = 'claw_back' AND movement.amount > 0 AND movement.lot_id IS NOT NULL)
    OR (movement.type NOT IN ('claw_back', 'merge') AND movement.lot_id IS NULL)
    OR (movement.type IN ('revert', 'undo', 'spend') AND movement.allocation_id IS NULL)
    OR (movement.type IN ('revert', 'undo') AND num_nonnulls(movement.revert_id, movement.redemption_id) <> 1)
)
"""

_RULES: Final = {
    "lot {0}: {1} remain, but its movements add up to {2}.": _REMAINING,
    "lot {0}: {1} remain, which is not between 0 and the {2} granted.": _WITHIN,
    "lot {0}: {1} granted as {2}, but its first movement is {3} of {4}, and it has {5} grant movements.": _OPENING,
    "movement {0} of customer {1}: the balance after it is {2}, but before it was {3} and it changes {4}.": _CHAIN,
    "allocation {0} of {1}: {2} used, but its movements spent {3}.": _SPENT,
    "allocation {0} of {1}: {2} returned, but its movements returned {3} of {4}.": _RETURNED,
    "movement {0}: of customer {1} {2}, but its lot {3} is of customer {4} {5}.": _LOT_OF_MOVEMENT,
    "lot {0}: of customer {1}, who was merged into customer {2}.": _LEFT_BEHIND,
    "lot {0} (0: what is owed): what merges moved out of one history and into another differs by {1}.": _MERGED,
    "movement {0} ({1}): lot {2}, {3}, but its allocation {4} is of lot {5}, {6}.": _ALLOCATION_OF_MOVEMENT,
    "movement {0}: a {1} of {2} has the wrong sign or lacks what it refers to.": _SHAPE,
}
