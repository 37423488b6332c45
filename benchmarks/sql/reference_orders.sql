-- What importing orders of Shopify writes, set-based, out of the documents in "staging": people with their ids there,
-- the orders, and what is said of each in the journal. Documents are those of benchmarks/documents.py: new, well formed,
-- of one state each, by people nobody knows, with codes that are none of ours.
CREATE TEMPORARY TABLE person ON COMMIT DROP AS
SELECT nextval(pg_get_serial_sequence('stores_customer', 'id')) AS id, known.*
FROM (
    SELECT DISTINCT ON (document #>> '{customer,id}') document #>> '{customer,id}' AS there,
        document #>> '{customer,email}' AS email, document ->> 'customer_locale' AS locale,
        concat_ws(' ', document #>> '{customer,first_name}', document #>> '{customer,last_name}') AS name
    FROM staging ORDER BY document #>> '{customer,id}'
) AS known;

INSERT INTO stores_customer (id, store_id, email, name, phone, locale, created_at, updated_at)
SELECT id, %(store)s, email, name, '', locale, %(now)s, %(now)s FROM person;

INSERT INTO stores_platformid (store_id, customer_id, platform, external_id, created_at)
SELECT %(store)s, id, 'shopify', there, %(now)s FROM person;

WITH read AS (
    SELECT document, document ->> 'id' AS external_id, document #>> '{customer,id}' AS there,
        document ->> 'financial_status' AS payment, coalesce(document ->> 'fulfillment_status', '') AS delivery,
        (document ->> 'cancelled_at')::timestamptz AS cancelled_at,
        CASE WHEN document ->> 'cancelled_at' IS NOT NULL THEN 'cancelled'
            WHEN document ->> 'fulfillment_status' = 'fulfilled' AND document ->> 'financial_status' <> 'pending'
            THEN 'completed' ELSE 'confirmed' END AS status,
        array_remove(string_to_array(document ->> 'tags', ', '), '')::varchar[] AS tags,
        coalesce((
            SELECT sum((money ->> 'amount')::numeric)
            FROM jsonb_array_elements(document -> 'refunds') AS refund, jsonb_array_elements(refund -> 'transactions') AS money
        ), 0) AS refunded,
        (
            SELECT jsonb_agg(jsonb_build_object('sku', line ->> 'sku', 'title', line ->> 'title',
                'total', line ->> 'price', 'quantity', (line ->> 'quantity')::int))
            FROM jsonb_array_elements(document -> 'line_items') AS line
        ) AS lines,
        (
            SELECT coalesce(jsonb_agg(code ->> 'code'), '[]') FROM jsonb_array_elements(document -> 'discount_codes') AS code
        ) AS codes
    FROM staging
), made AS (
    INSERT INTO orders_order (store_id, number, external_id, platform, customer_id, status, payment_status, payment_detail,
        paid_before, placed_at, payment_changed_at, currency, total, total_named, refunded_total, tags, tag_keys, lines,
        codes, platform_data, platform_updated_at, is_test, arrived_late, credits_applied, credits_reverted,
        credits_decision, points_applied, points_reverted, points_decision, points_earned, points_taken_back,
        points_not_taken, cancelled_at, cancelled_by, cancel_reason, version, created_at, updated_at)
    SELECT %(store)s, document ->> 'name', external_id, 'shopify', person.id, status, payment, '',
        payment <> 'pending', (document ->> 'processed_at')::timestamptz, %(now)s, document ->> 'currency',
        (document ->> 'total_price')::numeric, false, refunded, tags, lower(tags::text)::varchar[], lines, '[]',
        jsonb_build_object('heard', jsonb_build_array(left(md5(document::text), 16)), 'status', delivery,
            'is_open', status <> 'cancelled', 'payment_status', payment, 'discount_codes', codes, 'points_used_there', 0,
            'credits_used_there', '0.00', 'child_external_ids', '[]'::jsonb, 'parent_external_id', '',
            'last_said', jsonb_build_object('tags', tags, 'status', status, 'payment_detail', '', 'payment_due_at', NULL,
                'payment_status', payment, 'refunded_total', trim_scale(refunded)::text)),
        (document ->> 'updated_at')::timestamptz, false, false, 0, 0, '', 0, 0, '', 0, 0, 0, cancelled_at,
        CASE WHEN cancelled_at IS NULL THEN '' ELSE 'platform' END, '', 1, %(now)s, %(now)s
    FROM read JOIN person USING (there)
    RETURNING id, customer_id, status, payment_status
)
INSERT INTO journal_journalentry (store_id, event, order_id, customer_id, actor, data, created_at)
SELECT %(store)s, 'order.created', id, customer_id, 'system:reference',
    jsonb_build_object('status', status, 'platform', 'shopify', 'payment_status', payment_status), %(now)s
FROM made
