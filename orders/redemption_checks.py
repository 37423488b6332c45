"""What check_ledger proves of redemptions: their points and credits agree with both ledgers (R2-R4, H5)."""

from typing import Final

from credits.ledger import CREDITS
from loyalty.checks import Check, Rule, counting, scope
from points.ledger import POINTS

_POINTS: Final = """
SELECT store.slug, redemption.id, redemption.points, redemption.points_returned, coalesce(used.amount, 0),
    coalesce(used.returned, 0)
FROM orders_redemption AS redemption
JOIN stores_store AS store ON store.id = redemption.store_id
LEFT JOIN (
    SELECT redemption_id, sum(amount) AS amount, sum(returned) AS returned
    FROM {allocation} WHERE redemption_id IS NOT NULL GROUP BY redemption_id
) AS used ON used.redemption_id = redemption.id
WHERE {scope} AND (
    redemption.points <> coalesce(used.amount, 0) OR redemption.points_returned <> coalesce(used.returned, 0)
)
"""

_SPENDER: Final = """
SELECT store.slug, redemption.id, allocation.id, lot.id, lot.customer_id
FROM {allocation} AS allocation
JOIN orders_redemption AS redemption ON redemption.id = allocation.redemption_id
JOIN {lot} AS lot ON lot.id = allocation.lot_id
JOIN stores_store AS store ON store.id = redemption.store_id
WHERE {scope} AND lot.customer_id <> redemption.customer_id
"""

_CREDITS: Final = """
SELECT store.slug, redemption.id, redemption.value, redemption.currency, redemption.customer_id,
    coalesce(lot.id, 0), coalesce(lot.granted, 0), coalesce(lot.currency, ''), coalesce(lot.customer_id, 0)
FROM orders_redemption AS redemption
JOIN stores_store AS store ON store.id = redemption.store_id
LEFT JOIN {lot} AS lot ON lot.id = redemption.credit_lot_id
WHERE {scope} AND redemption.type = 'credits' AND (
    lot.id IS NULL OR lot.origin <> 'reward' OR lot.granted <> redemption.value
    OR lot.currency <> redemption.currency OR lot.customer_id <> redemption.customer_id
)
"""

_TAKEN: Final = """
SELECT store.slug, redemption.id, redemption.credits_taken, coalesce(booked.taken, 0)
FROM orders_redemption AS redemption
JOIN stores_store AS store ON store.id = redemption.store_id
LEFT JOIN (
    SELECT redemption_id, -sum(amount) AS taken
    FROM {movement} WHERE type = 'claw_back' AND redemption_id IS NOT NULL GROUP BY redemption_id
) AS booked ON booked.redemption_id = redemption.id
WHERE {scope} AND redemption.credits_taken <> coalesce(booked.taken, 0)
"""


def _rule(sentence: str, sql: str, names: dict[str, str]) -> Rule:
    return Rule(f"redemption {{0}}: {sentence}", sql.format(scope=scope("redemption"), **names))


CHECK: Final = Check(
    counted={"redemptions": counting("orders_redemption")},
    rules=[
        _rule(
            "{1} points used and {2} returned, but its allocations used {3} and returned {4}.",
            _POINTS,
            POINTS.tables.sql,
        ),
        _rule("allocation {1} took points from lot {2} of customer {3}, not its own.", _SPENDER, POINTS.tables.sql),
        _rule(
            "gave {1} {2} to customer {3}, but its lot {4} is {5} {6} of customer {7}.", _CREDITS, CREDITS.tables.sql
        ),
        _rule("{1} of its credits taken back, but the movements took {2}.", _TAKEN, CREDITS.tables.sql),
    ],
)
