-- What importing orders of Shopify writes, set-based, out of the documents in "staging": people with their ids there,
-- the orders, and what is said of each in the journal. Documents are those of benchmarks/documents.py: new, well formed,
-- of one state each, by people nobody knows, with codes that are none of ours. Each is taken apart once: asking it field by
-- field took twice as long.
CREATE TEMPORARY TABLE read ON COMMIT DROP AS
SELECT said.*, customer ->> 'id' AS there, coalesce(fulfillment_status, '') AS delivery,
    CASE WHEN cancelled_at IS NOT NULL THEN 'cancelled'
        WHEN fulfillment_status = 'fulfilled' AND financial_status <> 'pending' THEN 'completed' ELSE 'confirmed' END AS status,
    array_remove(string_to_array(said.tags, ', '), '')::varchar[] AS tagged,
    coalesce((
        SELECT sum((money ->> 'amount')::numeric)
        FROM jsonb_array_elements(refunds) AS refund, jsonb_array_elements(refund -> 'transactions') AS money
    ), 0) AS refunded,
    (
        SELECT jsonb_agg(jsonb_build_object('sku', line ->> 'sku', 'title', line ->> 'title',
            'total', line ->> 'price', 'quantity', (line ->> 'quantity')::int))
        FROM jsonb_array_elements(line_items) AS line
    ) AS lines,
    (SELECT coalesce(jsonb_agg(code ->> 'code'), '[]') FROM jsonb_array_elements(discount_codes) AS code) AS codes,
    left(md5(document::text), 16) AS digest
FROM staging, jsonb_to_record(document) AS said (
    id text, name text, financial_status text, fulfillment_status text, cancelled_at timestamptz, processed_at timestamptz,
    updated_at timestamptz, currency text, total_price numeric, tags text, customer_locale text, customer jsonb,
    refunds jsonb, line_items jsonb, discount_codes jsonb
);

CREATE TEMPORARY TABLE person ON COMMIT DROP AS
SELECT nextval(pg_get_serial_sequence('stores_customer', 'id')) AS id, known.*
FROM (
    SELECT DISTINCT ON (there) there, customer ->> 'email' AS email, customer_locale AS locale,
        concat_ws(' ', customer ->> 'first_name', customer ->> 'last_name') AS name
    FROM read ORDER BY there
) AS known;

ANALYZE person;

INSERT INTO stores_customer (id, store_id, email, name, phone, locale, created_at, updated_at)
SELECT id, %(store)s, email, name, '', locale, %(now)s, %(now)s FROM person;

INSERT INTO stores_platformid (store_id, customer_id, platform, external_id, created_at)
SELECT %(store)s, id, 'shopify', there, %(now)s FROM person;

WITH made AS (
    INSERT INTO orders_order (store_id, number, external_id, platform, customer_id, status, payment_status, payment_detail,
        paid_before, placed_at, payment_changed_at, currency, total, total_named, refunded_total, tags, tag_keys, lines,
        codes, platform_data, platform_updated_at, is_test, arrived_late, credits_applied, credits_reverted,
        credits_decision, points_applied, points_reverted, points_decision, points_earned, points_taken_back,
        points_not_taken, cancelled_at, cancelled_by, cancel_reason, version, created_at, updated_at)
    SELECT %(store)s, read.name, read.id, 'shopify', person.id, status, financial_status, '',
        financial_status <> 'pending', processed_at, %(now)s, currency, total_price, false, refunded, tagged,
        lower(tagged::text)::varchar[], lines, '[]',
        jsonb_build_object('heard', jsonb_build_array(digest), 'status', delivery,
            'is_open', status <> 'cancelled', 'payment_status', financial_status, 'discount_codes', codes,
            'points_used_there', 0, 'credits_used_there', '0.00', 'child_external_ids', '[]'::jsonb,
            'parent_external_id', '', 'last_said', jsonb_build_object('tags', tagged, 'status', status,
                'payment_detail', '', 'payment_due_at', NULL, 'payment_status', financial_status,
                'refunded_total', trim_scale(refunded)::text)),
        updated_at, false, false, 0, 0, '', 0, 0, '', 0, 0, 0, cancelled_at,
        CASE WHEN cancelled_at IS NULL THEN '' ELSE 'platform' END, '', 1, %(now)s, %(now)s
    FROM read JOIN person USING (there)
    RETURNING id, customer_id, status, payment_status
)
INSERT INTO journal_journalentry (store_id, event, order_id, customer_id, actor, data, created_at)
SELECT %(store)s, 'order.created', id, customer_id, 'system:reference',
    jsonb_build_object('status', status, 'platform', 'shopify', 'payment_status', payment_status), %(now)s
FROM made
