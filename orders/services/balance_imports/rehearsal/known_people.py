"""Which people of a file are customers already, in SQL: by a number, else by an address (O7)."""

from typing import Final

# ``found``: a person's key and the customer, for those of whom the import says %(what)s of the %(kind)s.
KNOWN_PEOPLE: Final = """
WITH person AS (
    SELECT r.person, max(r.platform) AS platform, max(r.external_id) AS external_id,
        max(casefold(btrim(r.email) COLLATE "pg_unicode_fast") COLLATE "default") AS email
    FROM orders_balanceimportrow AS r
    WHERE r.balance_import_id = %(import)s AND r.problem = '' AND r.what = %(what)s AND r.kind = %(kind)s
    GROUP BY r.person
), found AS (
    SELECT person.person, coalesce(c.merged_into_id, c.id) AS customer_id
    FROM person JOIN stores_customer AS c ON c.store_id = %(store)s AND c.external_id = person.external_id
    WHERE person.platform = '' AND person.external_id <> ''
    UNION
    SELECT person.person, p.customer_id
    FROM person JOIN stores_platformid AS p ON p.store_id = %(store)s AND p.platform = person.platform
        AND p.external_id = person.external_id
    UNION
    SELECT person.person, coalesce(c.merged_into_id, c.id)
    FROM person JOIN stores_customer AS c ON c.store_id = %(store)s AND c.folded_email = person.email
    WHERE person.email <> '' AND (person.platform <> '' OR person.external_id = '' OR c.external_id IS NULL)
)
""".strip()
