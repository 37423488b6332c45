-- One kind's ledger for the plan: per order two lots granted and spent, so that every customer's chain of balances
-- starts and ends each order at nothing. {amount} is the column type, {first} and {second} the two amounts.
INSERT INTO {lot} (id, store_id, customer_id, granted, remaining, granted_at, expires_at, origin{currency})
SELECT 2 * id - 1, store_id, customer_id, {first}, 0, placed_at - interval '1 day', %(now)s::timestamptz + interval '1 year', 'grant'{usd} FROM plan WHERE used
UNION ALL
SELECT 2 * id, store_id, customer_id, {second}, 0, placed_at - interval '1 day', NULL, 'grant'{usd} FROM plan WHERE used;

INSERT INTO {allocation} (id, store_id, order_id, lot_id, amount, returned, deduction, created_at)
SELECT 2 * id - 1, store_id, id, 2 * id - 1, {first}, 0, 0, placed_at FROM plan WHERE used
UNION ALL
SELECT 2 * id, store_id, id, 2 * id, {second}, 0, 0, placed_at FROM plan WHERE used;

INSERT INTO {movement} (id, store_id, customer_id, lot_id, type, amount, balance_after, order_id, allocation_id, actor, trigger, created_at{currency})
SELECT 4 * id + step.position, store_id, customer_id, 2 * id - 1 + step.lot, step.type, step.amount, step.balance,
    CASE WHEN step.type = 'spend' THEN id END, CASE WHEN step.type = 'spend' THEN 2 * id - 1 + step.lot END,
    'system:benchmark', 'api', placed_at{usd}
FROM plan
CROSS JOIN (VALUES
    (1, 0, 'grant', {first}, {first}),
    (2, 1, 'grant', {second}, {first} + {second}),
    (3, 0, 'spend', -{first}, {second}),
    (4, 1, 'spend', -{second}, 0)
) AS step (position, lot, type, amount, balance)
WHERE used;
