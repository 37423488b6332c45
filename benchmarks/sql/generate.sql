-- A whole installation out of three numbers: %(stores)s stores, %(orders)s orders, the instant %(now)s. No chance is
-- involved: everything follows from an order's position, so every run measures the same data. The largest store has a
-- fifth of the orders. Half the orders drew on two credit lots (10.00 and 5.00) and two point lots (60 and 40); one order
-- in five waits with an expired payment, and one in twenty is cancelled with nothing returned.
INSERT INTO stores_store (id, slug, name, currency, time_zone, locale, second_factor, created_at)
SELECT i, 'bench-' || i, 'Bench ' || i, 'USD', 'UTC', 'en', 'nobody', %(now)s::timestamptz - interval '2 years'
FROM generate_series(1, %(stores)s) AS i;

INSERT INTO stores_settingsversion (store_id, version, data, actor, created_at)
SELECT id, 1, '{"auto_cancel": {"expired": "cancel_and_revert"}}', 'system:benchmark', created_at FROM stores_store;

CREATE TEMPORARY TABLE plan AS
SELECT i AS id,
    CASE WHEN i %% 5 = 0 THEN 1 ELSE 1 + i %% %(stores)s END AS store_id,
    i %% 2 = 0 AS used,
    CASE WHEN i %% 20 IN (0, 2, 5, 7) THEN 'expired' ELSE 'paid' END AS payment,
    i %% 20 = 4 AS cancelled,
    %(now)s::timestamptz - interval '1 year' * (1 - i::float8 / %(orders)s) AS placed_at
FROM generate_series(1, %(orders)s) AS i;

-- Four orders of one store share a customer.
CREATE TEMPORARY TABLE person AS
SELECT id, store_id, (row_number() OVER (PARTITION BY store_id ORDER BY id) - 1) / 4 AS seat FROM plan;
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
    points_earned, points_taken_back, points_not_taken,
    cancelled_at, cancelled_by, cancel_reason, version, created_at, updated_at)
SELECT id, store_id, 'B' || id, id::text, 'api', customer_id, CASE WHEN cancelled THEN 'cancelled' ELSE 'confirmed' END,
    payment, '', payment = 'paid', placed_at, placed_at, 'USD', 40, 0, '{}', '{}', '[]', '[]', '{}', false, false,
    CASE WHEN used THEN 15 ELSE 0 END, 0, '', CASE WHEN used THEN 100 ELSE 0 END, 0, '',
    0, 0, 0,
    CASE WHEN cancelled THEN placed_at END, CASE WHEN cancelled THEN 'bulk' ELSE '' END, '', 1, placed_at, placed_at
FROM plan;
