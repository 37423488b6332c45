-- What our services do, as one hand-written PL/pgSQL function: claim the orders given, give back the whole of what they
-- drew on, kind by kind, all or nothing, and cancel them. The same rows in the same tables.
CREATE FUNCTION pg_temp.cancel_and_return(claimed bigint[], at timestamptz) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM stores_customer WHERE id IN (SELECT customer_id FROM orders_order WHERE id = ANY(claimed))
        ORDER BY id FOR NO KEY UPDATE;
{kinds}
    UPDATE orders_order SET status = 'cancelled', cancelled_at = at, cancelled_by = 'payment_expired',
        credits_reverted = credits_reverted + coalesce((SELECT amount FROM orders_revert r WHERE r.order_id = orders_order.id AND kind = 'credits'), 0),
        points_reverted = points_reverted + coalesce((SELECT amount FROM orders_revert r WHERE r.order_id = orders_order.id AND kind = 'points'), 0),
        version = version + 1, updated_at = at
    WHERE id = ANY(claimed);
    INSERT INTO journal_journalentry (store_id, event, order_id, customer_id, actor, data, created_at)
    SELECT store_id, 'order.cancelled', id, customer_id, 'job:orders.auto_cancel',
        jsonb_build_object('trigger', 'payment_expired', 'reason', ''), at
    FROM orders_order WHERE id = ANY(claimed)
    UNION ALL
    SELECT store_id, CASE kind WHEN 'credits' THEN 'order.credit_reverted' ELSE 'order.points_reverted' END, order_id, customer_id,
        'job:orders.auto_cancel', jsonb_build_object('kind', kind, 'trigger', trigger, 'settings_version', settings_version,
            'matched', jsonb_build_object('by', 'setting', 'value', 'auto_cancel.expired'), 'outcome', 'returned', 'code', NULL,
            'amount', amount::text, 'applied', applied::text, 'remains', '0', 'currency', currency, 'revert', id::text), at
    FROM orders_revert WHERE order_id = ANY(claimed);
    RETURN cardinality(claimed);
END $$;

-- One batch of the sweep: claim what is due and do all of it.
CREATE FUNCTION pg_temp.sweep(batch int, at timestamptz) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    RETURN pg_temp.cancel_and_return(ARRAY(
        SELECT id FROM orders_order
        WHERE status IN ('pending', 'confirmed') AND payment_status = 'expired' AND held_at IS NULL AND NOT arrived_late AND NOT is_test
            AND (reinstated_at IS NULL OR payment_changed_at > reinstated_at)
        ORDER BY store_id, payment_status, id LIMIT batch FOR NO KEY UPDATE SKIP LOCKED
    ), at);
END $$;
