-- One kind's ledger for the plan: per order two lots granted and spent, so that every customer's chain of balances
-- starts and ends each order at nothing; then what came back, lately and for everybody. {amount} is the column type,
-- {first} and {second} the two amounts, {place} 1 or 0. What came with a code was spent on its redemption.
CREATE TEMPORARY TABLE taken AS
SELECT plan.*, 2 * id - 1 + lot.place AS lot_id, lot.place, lot.amount,
    CASE WHEN back = 'all' OR back = '{kind}' OR back = 'first' AND lot.place = 0 THEN lot.amount ELSE 0 END AS returned,
    CASE WHEN '{kind}' = 'points' AND lot.place = 1 AND with_code THEN id END AS redemption_id,
    CASE WHEN lot.place = 1 THEN NULL WHEN lapsed THEN placed_at + interval '30 days'
        ELSE %(now)s::timestamptz + interval '1 year' END AS expires_at
FROM plan CROSS JOIN (VALUES (0, {first}), (1, {second})) AS lot (place, amount)
WHERE used;

INSERT INTO {lot} (id, store_id, customer_id, granted, remaining, granted_at, expires_at, origin{currency})
SELECT lot_id, store_id, customer_id, amount, returned, placed_at - interval '1 day', expires_at, 'grant'{usd} FROM taken;

INSERT INTO {allocation} (id, store_id, order_id, redemption_id, lot_id, amount, returned, deduction, created_at)
SELECT lot_id, store_id, id, redemption_id, lot_id, amount, returned, 0, placed_at FROM taken;

INSERT INTO orders_revert (id, store_id, order_id, customer_id, kind, currency, amount, applied, completeness, trigger, actor,
    lots, settings_version, created_at)
SELECT 2 * id - {place}, store_id, id, customer_id, '{kind}', {code}, sum(returned), sum(amount),
    CASE WHEN sum(returned) = sum(amount) THEN 'full' ELSE 'partial' END, 'bulk', 'system:benchmark',
    jsonb_agg(jsonb_build_object('allocation', '{letter}' || lot_id, 'lot', lot_id::text, 'amount', returned::text,
        'outcome', 'returned', 'expires_on', (expires_at - interval '1 microsecond')::date) ORDER BY lot_id), 1, placed_at
FROM taken WHERE returned > 0 GROUP BY store_id, id, customer_id, placed_at;

INSERT INTO {movement} (id, store_id, customer_id, lot_id, type, amount, balance_after, order_id, redemption_id, allocation_id,
    actor, trigger, created_at{currency})
SELECT 4 * id + step.position, store_id, customer_id, lot_id, step.type, step.amount, step.balance,
    CASE WHEN step.type = 'spend' AND redemption_id IS NULL THEN id END,
    CASE WHEN step.type = 'spend' THEN redemption_id END, CASE WHEN step.type = 'spend' THEN lot_id END,
    'system:benchmark', 'api', placed_at{usd}
FROM taken
JOIN (VALUES
    (1, 0, 'grant', {first}, {first}),
    (2, 1, 'grant', {second}, {first} + {second}),
    (3, 0, 'spend', -{first}, {second}),
    (4, 1, 'spend', -{second}, 0)
) AS step (position, place, type, amount, balance) USING (place);

INSERT INTO {movement} (id, store_id, customer_id, lot_id, type, amount, balance_after, order_id, allocation_id, revert_id,
    actor, trigger, created_at{currency})
SELECT 4 * (%(orders)s + 1) + row_number() OVER (ORDER BY lot_id), store_id, customer_id, lot_id, 'revert', returned,
    sum(returned) OVER (PARTITION BY customer_id ORDER BY lot_id), id, lot_id, 2 * id - {place},
    'system:benchmark', 'bulk', placed_at{usd}
FROM taken WHERE returned > 0;

DROP TABLE taken;
