"""What check_ledger proves of redemptions: their points and credits agree with both ledgers (R2-R4, H5)."""

from typing import Final

from credits.ledger import CREDITS
from loyalty.proof.prove import Check, Rule, counting, scope
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

# The order whose points its allocations are is the one that came with the code first, and both say so (R7).
_USED_BY: Final = """
SELECT store.slug, redemption.id, coalesce(redemption.used_order_id, 0), allocation.id, coalesce(allocation.order_id, 0)
FROM orders_redemption AS redemption
JOIN stores_store AS store ON store.id = redemption.store_id
JOIN {allocation} AS allocation ON allocation.redemption_id = redemption.id
WHERE {scope} AND allocation.order_id IS DISTINCT FROM redemption.used_order_id
"""

_TOLD: Final = """
SELECT store.slug, redemption_id, orders.number, orders.id, coalesce(said.told, 0), coalesce(drawn.used, 0)
FROM (
    SELECT orders.id AS order_id, (code ->> 'redemption')::bigint AS redemption_id, (code ->> 'points')::numeric AS told
    FROM orders_order AS orders CROSS JOIN jsonb_array_elements(orders.codes) AS code
    WHERE {order_scope} AND orders.codes <> '[]' AND code ->> 'points' <> '0'
) AS said
FULL JOIN (
    SELECT order_id, redemption_id, sum(amount) AS used FROM {allocation} AS allocation
    WHERE {allocation_scope} AND order_id IS NOT NULL AND redemption_id IS NOT NULL GROUP BY order_id, redemption_id
) AS drawn USING (order_id, redemption_id)
JOIN orders_order AS orders ON orders.id = order_id
JOIN stores_store AS store ON store.id = orders.store_id
WHERE said.told IS DISTINCT FROM drawn.used
"""

_STATE: Final = """
SELECT store.slug, redemption.id, redemption.state, redemption.points_returned
FROM orders_redemption AS redemption
JOIN stores_store AS store ON store.id = redemption.store_id
WHERE {scope} AND (
    (redemption.state <> 'reversed' AND (redemption.state = 'returned') <> (redemption.points_returned > 0))
    OR (redemption.points_returned > 0 AND redemption.ended_at IS NULL)
)
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
    scopes = {
        "scope": scope("redemption"),
        "order_scope": scope("orders"),
        "allocation_scope": scope("allocation"),
    }
    return Rule(f"redemption {{0}}: {sentence}", sql.format(**scopes, **names))


CHECK: Final = Check(
    counted={"redemptions": counting("orders_redemption")},
    rules=[
        _rule(
            "{1} points used and {2} returned, but its allocations used {3} and returned {4}.",
            _POINTS,
            POINTS.tables.sql,
        ),
        _rule("used by order {1}, but its allocation {2} is of order {3}.", _USED_BY, POINTS.tables.sql),
        _rule("order {1} (id {2}) says {3} points by this code, but its allocations {4}.", _TOLD, POINTS.tables.sql),
        _rule("its state is “{1}”, which does not fit the {2} points returned.", _STATE, POINTS.tables.sql),
        _rule("allocation {1} took points from lot {2} of customer {3}, not its own.", _SPENDER, POINTS.tables.sql),
        _rule(
            "gave {1} {2} to customer {3}, but its lot {4} is {5} {6} of customer {7}.", _CREDITS, CREDITS.tables.sql
        ),
        _rule("{1} of its credits taken back, but the movements took {2}.", _TAKEN, CREDITS.tables.sql),
    ],
)
