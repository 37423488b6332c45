"""What check_ledger proves of orders: totals, reverts and decisions agree with both ledgers (H5)."""

from collections.abc import Iterator
from typing import Final

from loyalty.languages.own_names import name_of
from loyalty.ledger.ledger import Kind
from loyalty.proof.prove import Check, Rule, counting, scope
from orders.kinds import KINDS, LEDGERS
from orders.models import PersonsDecision

_TOTALS: Final = """
SELECT store.slug, orders.number, orders.id, orders.{kind}_applied, orders.{kind}_reverted,
    coalesce(used.first, 0), coalesce(used.outstanding, 0)
FROM orders_order AS orders
JOIN stores_store AS store ON store.id = orders.store_id
LEFT JOIN (
    SELECT order_id, sum(amount) FILTER (WHERE deduction = 0) AS first, sum(amount - returned) AS outstanding
    FROM {allocation} GROUP BY order_id
) AS used ON used.order_id = orders.id
WHERE {scope} AND (
    orders.{kind}_applied <> coalesce(used.first, 0)
    OR orders.{kind}_applied - orders.{kind}_reverted <> coalesce(used.outstanding, 0)
)
"""

_WITHIN: Final = """
SELECT store.slug, orders.number, orders.id, orders.{kind}_reverted, orders.{kind}_applied
FROM orders_order AS orders
JOIN stores_store AS store ON store.id = orders.store_id
WHERE {scope} AND (orders.{kind}_reverted < 0 OR orders.{kind}_reverted > orders.{kind}_applied)
"""

_SPENDER: Final = """
SELECT store.slug, orders.number, orders.id, allocation.id, lot.id, lot.customer_id, {lot_currency}
FROM {allocation} AS allocation
JOIN orders_order AS orders ON orders.id = allocation.order_id
JOIN {lot} AS lot ON lot.id = allocation.lot_id
JOIN stores_store AS store ON store.id = orders.store_id
WHERE {scope} AND (
    {lot_currency} NOT IN ('', orders.currency)
    OR (lot.customer_id IS DISTINCT FROM orders.customer_id AND NOT EXISTS (
        SELECT FROM orders_redemption AS redemption
        WHERE redemption.used_order_id = orders.id AND redemption.customer_id = lot.customer_id
            AND '{kind}' = 'points'
    ))
)
"""

_DECISION: Final = """
SELECT store.slug, orders.number, orders.id, orders.{kind}_decision, orders.{kind}_applied - orders.{kind}_reverted
FROM orders_order AS orders
JOIN stores_store AS store ON store.id = orders.store_id
WHERE {scope} AND (
    (orders.{kind}_decision <> '' AND orders.{kind}_applied = orders.{kind}_reverted)
    OR orders.{kind}_decision NOT IN ({decisions})
)
"""

_STATUS: Final = """
SELECT store.slug, orders.number, orders.id, orders.{status}, CASE
    WHEN orders.{kind}_reverted > 0 THEN 'reverted'
    WHEN (orders.status = 'cancelled' OR orders.payment_status = 'refunded') AND orders.{kind}_applied > 0
    THEN 'not_reverted' END
FROM orders_order AS orders
JOIN stores_store AS store ON store.id = orders.store_id
WHERE {scope} AND orders.{status} IS DISTINCT FROM CASE
    WHEN orders.{kind}_reverted > 0 THEN 'reverted'
    WHEN (orders.status = 'cancelled' OR orders.payment_status = 'refunded') AND orders.{kind}_applied > 0
    THEN 'not_reverted' END
"""

_CANCELLED: Final = """
SELECT store.slug, orders.number, orders.id, orders.status
FROM orders_order AS orders
JOIN stores_store AS store ON store.id = orders.store_id
WHERE {scope} AND (orders.status = 'cancelled') <> (orders.cancelled_at IS NOT NULL)
"""

_EXPIRIES: Final = "SELECT order_id, expires_at FROM {allocation} JOIN {lot} AS lot ON lot.id = lot_id"

_FIRST_EXPIRY: Final = """
SELECT store.slug, orders.number, orders.id, coalesce(orders.first_expiry::text, 'never'),
    coalesce(used.expires_at::text, 'never')
FROM orders_order AS orders
JOIN stores_store AS store ON store.id = orders.store_id
LEFT JOIN (
    SELECT order_id, min(expires_at) AS expires_at FROM ({expiries}) AS expiry GROUP BY order_id
) AS used ON used.order_id = orders.id
WHERE {scope} AND orders.first_expiry IS DISTINCT FROM used.expires_at
"""

# What a revert's own list says came back; text that is no number counts as nothing, and so is found.
_SAID: Final = """
SELECT said ->> 'allocation' AS allocation, said ->> 'outcome' AS outcome, said ->> 'lot' AS lot,
    CASE WHEN said ->> 'amount' ~ '^[0-9]+([.][0-9]+)?$' THEN (said ->> 'amount')::numeric ELSE 0 END AS amount
FROM jsonb_array_elements(CASE jsonb_typeof(revert.lots) WHEN 'array' THEN revert.lots ELSE '[]' END) AS said
WHERE said ->> 'outcome' IN ('returned', 'extended')
"""

_REVERT: Final = """
SELECT store.slug, revert.id, revert.order_id, revert.amount, coalesce(booked.total, 0), coalesce(list.total, 0)
FROM orders_revert AS revert
JOIN stores_store AS store ON store.id = revert.store_id
LEFT JOIN (
    SELECT revert_id, sum(amount) AS total FROM {movement}
    WHERE type = 'revert' AND revert_id IS NOT NULL GROUP BY revert_id
) AS booked ON booked.revert_id = revert.id
LEFT JOIN LATERAL (SELECT sum(amount) AS total FROM ({said}) AS said) AS list ON true
WHERE {revert_scope} AND revert.kind = '{kind}' AND (
    revert.amount <> coalesce(booked.total, 0) OR revert.amount <> coalesce(list.total, 0)
)
"""

_REVERT_LOTS: Final = """
SELECT store.slug, movement.id, movement.amount, movement.lot_id, revert.id, revert.order_id
FROM {movement} AS movement
JOIN {lot} AS lot ON lot.id = movement.lot_id
JOIN orders_revert AS revert ON revert.id = movement.revert_id
JOIN stores_customer AS getter ON getter.id = revert.customer_id
JOIN stores_customer AS booked ON booked.id = movement.customer_id
JOIN stores_store AS store ON store.id = revert.store_id
WHERE {revert_scope} AND movement.type = 'revert' AND (
    revert.kind <> '{kind}'
    OR revert.order_id IS DISTINCT FROM movement.order_id
    OR coalesce(getter.merged_into_id, getter.id) <> coalesce(booked.merged_into_id, booked.id)
    OR NOT EXISTS (
        SELECT FROM ({said}) AS said
        WHERE said.allocation = '{letter}' || movement.allocation_id AND said.amount = movement.amount
            AND said.lot = (CASE said.outcome WHEN 'extended' THEN lot.extended_from_id ELSE lot.id END)::text
    )
)
"""

# An undone return has taken back, lot by lot and allocation by allocation, exactly what it gave; any other nothing.
_UNDO: Final = """
SELECT store.slug, revert.id, revert.order_id, booked.allocation_id, booked.lot_id, booked.given, booked.taken,
    CASE WHEN undo.id IS NULL THEN 'was not undone' ELSE 'was undone' END
FROM orders_revert AS revert
JOIN stores_store AS store ON store.id = revert.store_id
LEFT JOIN orders_revertundo AS undo ON undo.revert_id = revert.id
JOIN (
    SELECT revert_id, allocation_id, lot_id, coalesce(sum(amount) FILTER (WHERE type = 'revert'), 0) AS given,
        coalesce(-sum(amount) FILTER (WHERE type = 'undo'), 0) AS taken
    FROM {movement} WHERE revert_id IS NOT NULL GROUP BY 1, 2, 3
) AS booked ON booked.revert_id = revert.id
WHERE {revert_scope} AND revert.kind = '{kind}'
    AND booked.taken <> CASE WHEN undo.id IS NULL THEN 0 ELSE booked.given END
"""

# What belonged to somebody who was merged is the kept one's (O7).
_LEFT_BEHIND: Final = """
SELECT store.slug, row.id, customer.id, customer.merged_into_id
FROM {table} AS row
JOIN stores_customer AS customer ON customer.id = row.customer_id
JOIN stores_store AS store ON store.id = row.store_id
WHERE {scope} AND customer.merged_into_id IS NOT NULL
"""

_KIND_RULES: Final = {
    "order {0} (id {1}): {2} of {name} used and {3} returned, but its allocations used {4}, {5} not back.": _TOTALS,
    "order {0} (id {1}): {2} of {name} returned, which is not between 0 and the {3} used.": _WITHIN,
    "order {0} (id {1}): allocation {2} took {name} from lot {3} of customer {4} {5}, not its spender.": _SPENDER,
    "order {0} (id {1}): the decision on {name} is “{2}”, with {3} not back.": _DECISION,
    "order {0} (id {1}): the revert status of {name} is {2}, but it must be {3}.": _STATUS,
    "return {0} of order {1}: {2} of {name}, but its movements returned {3} and its list says {4}.": _REVERT,
    "return {0} of order {1}: allocation {2} got {4} of {name} into lot {3}, {5} were taken back, and it {6}.": _UNDO,
    "{name} movement {0}: {1} into lot {2} is not what return {3} of order {4} lists.": _REVERT_LOTS,
}


def _rules(kind: Kind) -> Iterator[Rule]:
    names = LEDGERS[kind].tables.sql | {
        "kind": kind,
        "letter": kind[0],
        "status": "credit_revert_status" if kind == "credits" else "points_revert_status",
        "decisions": ", ".join(f"'{decision}'" for decision in PersonsDecision.values),
        "said": _SAID,
        "scope": scope("orders"),
        "revert_scope": scope("revert"),
    }
    for sentence, sql in _KIND_RULES.items():
        yield Rule(sentence.replace("{name}", name_of(kind)), sql.format(**names))


CHECK: Final = Check(
    counted={"orders": counting("orders_order"), "returns": counting("orders_revert")},
    rules=[
        *(rule for kind in KINDS for rule in _rules(kind)),
        Rule(
            "order {0} (id {1}): it is {2}, which does not fit its time of cancelling.",
            _CANCELLED.format(scope=scope("orders")),
        ),
        Rule(
            "order {0} (id {1}): the first of what it used expires: {2}, but its lots say: {3}.",
            _FIRST_EXPIRY.format(
                scope=scope("orders"),
                expiries=" UNION ALL ".join(LEDGERS[kind].tables.filled(_EXPIRIES) for kind in KINDS),
            ),
        ),
        *(
            Rule(
                f"{what} {{0}}: of customer {{1}}, who was merged into customer {{2}}.",
                _LEFT_BEHIND.format(table=table, scope=scope("row")),
            )
            for what, table in (
                ("order", "orders_order"),
                ("redemption", "orders_redemption"),
                ("platform id", "stores_platformid"),
            )
        ),
    ],
)
