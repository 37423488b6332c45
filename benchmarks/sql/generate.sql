-- A whole installation out of three numbers: %(stores)s stores, %(orders)s orders, the instant %(now)s. No chance is
-- involved: everything follows from an order's position, so every run measures the same data. The largest store has a
-- fifth of the orders. Half the orders drew on two credit lots (10.00 and 5.00) and two point lots (60 and 40); one order
-- in five waits with an expired payment, and one in twenty is cancelled. Where it is %(varied)s, the others are mixed by
-- a number from 0 to 999, which has nothing to do with the store: what their status, payment and tags are, what came
-- back of what they used, whether they came with a code or drew on a lot that has lapsed since. One order in ten of the
-- largest store is then by one of a few people, who have histories of 10,000 movements in a million orders. Without
-- it nothing came back, and nobody has tags.
INSERT INTO stores_store (id, slug, name, currency, time_zone, locale, second_factor, created_at)
SELECT i, 'bench-' || i, 'Bench ' || i, 'USD', 'UTC', 'en', 'nobody', %(now)s::timestamptz - interval '2 years'
FROM generate_series(1, %(stores)s) AS i;

INSERT INTO stores_settingsversion (store_id, version, data, actor, created_at)
SELECT id, 1, '{"auto_cancel": {"expired": "cancel_and_revert"}}', 'system:benchmark', created_at FROM stores_store;

CREATE TEMPORARY TABLE plan AS
SELECT id, store_id, used, placed_at, mixed,
    CASE WHEN waits THEN 'expired' WHEN mixed < 30 THEN 'refunded' WHEN mixed < 50 THEN 'partially_refunded'
        WHEN mixed < 70 THEN 'pending' WHEN mixed < 75 THEN 'failed' ELSE 'paid' END AS payment,
    CASE WHEN cancelled THEN 'cancelled' WHEN waits THEN 'confirmed' WHEN mixed BETWEEN 50 AND 69 THEN 'pending'
        WHEN mixed BETWEEN 400 AND 699 THEN 'completed' ELSE 'confirmed' END AS status,
    CASE WHEN used AND %(varied)s AND (cancelled OR mixed < 30 AND NOT waits)
        THEN (ARRAY['all', 'credits', 'first', 'declined', ''])[1 + mixed %% 5] ELSE '' END AS back,
    used AND mixed BETWEEN 600 AND 619 AND NOT waits AND NOT cancelled AS lapsed,
    used AND mixed BETWEEN 620 AND 639 AND NOT waits AND NOT cancelled AS with_code,
    CASE WHEN %(varied)s THEN array_remove(ARRAY[
        CASE WHEN mixed %% 4 = 0 THEN 'vip' END,
        CASE WHEN mixed %% 10 = 2 THEN 'wholesale' END,
        CASE WHEN mixed %% 20 = 3 THEN 'drop-' || id %% greatest(%(orders)s / 100, 1) END
    ], NULL) ELSE '{}' END AS tags
FROM (
    SELECT i AS id,
        CASE WHEN i %% 5 = 0 THEN 1 ELSE 1 + i %% %(stores)s END AS store_id,
        i %% 2 = 0 AS used,
        i %% 20 IN (0, 2, 5, 7) AS waits,
        i %% 20 = 4 OR %(varied)s AND mix.ed BETWEEN 100 AND 149 AND i %% 20 NOT IN (0, 2, 5, 7) AS cancelled,
        mix.ed AS mixed,
        %(now)s::timestamptz - interval '1 year' * (1 - i::float8 / %(orders)s) AS placed_at
    FROM generate_series(1, %(orders)s) AS i
    CROSS JOIN LATERAL (
        SELECT CASE WHEN %(varied)s THEN i::bigint * 2654435761 %% 4294967296 / 4096 %% 1000 ELSE 999 END AS ed
    ) AS mix
) AS position;

-- Four orders of one store share a customer.
CREATE TEMPORARY TABLE person AS
SELECT id, store_id, CASE WHEN %(varied)s AND store_id = 1 AND id %% 40 = 10
    THEN -1 - id / 40 %% greatest(%(orders)s / 100000, 1)
    ELSE (row_number() OVER (PARTITION BY store_id ORDER BY id) - 1) / 4 END AS seat
FROM plan;
CREATE TEMPORARY TABLE buyer AS
SELECT row_number() OVER (ORDER BY store_id, seat) AS customer_id, store_id, seat FROM (SELECT DISTINCT store_id, seat FROM person) AS seats;
ALTER TABLE plan ADD COLUMN customer_id bigint;
UPDATE plan SET customer_id = buyer.customer_id
FROM person JOIN buyer USING (store_id, seat) WHERE person.id = plan.id;

INSERT INTO stores_customer (id, store_id, external_id, email, name, phone, locale, created_at, updated_at)
SELECT customer_id, store_id, 'c' || customer_id, 'customer' || customer_id || '@example.org', 'Customer ' || customer_id,
    '', '', %(now)s::timestamptz - interval '2 years', %(now)s::timestamptz - interval '2 years'
FROM buyer;

INSERT INTO orders_order (id, store_id, number, external_id, platform, customer_id, status, payment_status, payment_detail,
    paid_before, placed_at,
    payment_changed_at, currency, total, refunded_total, tags, tag_keys, lines, codes, platform_data, is_test, arrived_late,
    credits_applied, credits_reverted, credits_decision, points_applied, points_reverted, points_decision,
    points_earned, points_taken_back, points_not_taken, first_expiry,
    cancelled_at, cancelled_by, cancel_reason, version, created_at, updated_at)
SELECT id, store_id, 'B' || id, id::text, 'api', customer_id, status,
    payment, '', payment NOT IN ('expired', 'pending'), placed_at, placed_at, 'USD', 40,
    CASE payment WHEN 'refunded' THEN 40 WHEN 'partially_refunded' THEN 10 ELSE 0 END, tags, tags, '[]',
    CASE WHEN with_code THEN jsonb_build_array(jsonb_build_object('code', 'CODE-' || id, 'redemption', id::text, 'points', 40))
        ELSE '[]' END, '{}', false, false,
    CASE WHEN used THEN 15 ELSE 0 END, CASE WHEN back IN ('all', 'credits') THEN 15 WHEN back = 'first' THEN 10 ELSE 0 END,
    CASE back WHEN 'declined' THEN 'declined' ELSE '' END,
    CASE WHEN used THEN 100 ELSE 0 END, CASE back WHEN 'all' THEN 100 WHEN 'first' THEN 60 ELSE 0 END,
    CASE back WHEN 'declined' THEN 'declined' ELSE '' END,
    0, 0, 0, CASE WHEN used AND lapsed THEN placed_at + interval '30 days' WHEN used THEN %(now)s::timestamptz + interval '1 year' END,
    CASE status WHEN 'cancelled' THEN placed_at END, CASE status WHEN 'cancelled' THEN 'bulk' ELSE '' END, '', 1,
    placed_at, placed_at
FROM plan;

INSERT INTO orders_reward (id, store_id, name, points, type, value, currency, active, created_at, updated_at)
SELECT id, id, 'Four off', 40, 'fixed', 4, 'USD', true, created_at, created_at FROM stores_store WHERE %(varied)s;

INSERT INTO orders_redemption (id, store_id, customer_id, reward_id, reward_name, points, type, value, currency, code, state,
    platform, platform_reference, used_at, used_order_id, reversed_by, forced, points_returned, credits_taken, actor,
    created_at, updated_at)
SELECT id, store_id, customer_id, store_id, 'Four off', 40, 'fixed', 4, 'USD', 'CODE-' || id, 'used',
    '', '', placed_at, id, '', false, 0, 0, 'system:benchmark', placed_at, placed_at
FROM plan WHERE with_code;

INSERT INTO journal_journalentry (store_id, event, order_id, customer_id, actor, data, created_at)
SELECT store_id, 'order.cancelled', id, customer_id, 'system:benchmark', '{"trigger": "bulk", "reason": ""}', placed_at
FROM plan WHERE status = 'cancelled' AND %(varied)s;
