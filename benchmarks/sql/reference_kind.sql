    WITH used AS MATERIALIZED (
        SELECT allocation.id, allocation.store_id, allocation.order_id, allocation.lot_id, allocation.amount - allocation.returned AS amount,
            lot.customer_id, lot.expires_at, {lot_currency} AS currency
        FROM {allocation} AS allocation JOIN {lot} AS lot ON lot.id = allocation.lot_id
        WHERE allocation.order_id = ANY(claimed) AND allocation.returned < allocation.amount
    ), back AS MATERIALIZED (
        SELECT * FROM used WHERE order_id NOT IN (SELECT order_id FROM used WHERE expires_at <= at)
    ), opening AS (
        SELECT customer_id, {lot_currency} AS currency, sum(remaining) AS balance
        FROM {lot} AS lot WHERE remaining > 0 AND customer_id IN (SELECT customer_id FROM back) GROUP BY 1, 2
    ), revert AS (
        INSERT INTO orders_revert (store_id, order_id, customer_id, kind, currency, amount, applied, completeness, trigger, actor,
            lots, settings_version, created_at)
        SELECT store_id, order_id, customer_id, '{kind}', currency, sum(amount), sum(amount), 'full', 'payment_expired',
            'job:orders.auto_cancel', jsonb_agg(jsonb_build_object('allocation', '{letter}' || id, 'lot', lot_id::text,
                'amount', amount::text, 'outcome', 'returned', 'expires_on', (expires_at - interval '1 microsecond')::date)), 1, at
        FROM back GROUP BY store_id, order_id, customer_id, currency
        RETURNING id, order_id
    ), lots AS (
        UPDATE {lot} AS lot SET remaining = remaining + change.amount
        FROM (SELECT lot_id, sum(amount) AS amount FROM back GROUP BY lot_id) AS change WHERE lot.id = change.lot_id
    ), allocations AS (
        UPDATE {allocation} AS allocation SET returned = returned + back.amount FROM back WHERE allocation.id = back.id
    )
    INSERT INTO {movement} (store_id, customer_id, lot_id, type, amount, balance_after, order_id, allocation_id, revert_id,
        actor, trigger, created_at{currency})
    SELECT back.store_id, back.customer_id, back.lot_id, 'revert', back.amount,
        coalesce(opening.balance, 0) + sum(back.amount) OVER (PARTITION BY back.customer_id, back.currency ORDER BY back.order_id, back.id),
        back.order_id, back.id, revert.id, 'job:orders.auto_cancel', 'payment_expired', at{back_currency}
    FROM back JOIN revert USING (order_id)
    LEFT JOIN opening ON opening.customer_id = back.customer_id AND opening.currency = back.currency
    ORDER BY back.customer_id, back.order_id, back.id;
