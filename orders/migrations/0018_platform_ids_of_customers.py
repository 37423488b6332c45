"""Ids that came with platforms' orders become platform ids (O7). No value moves.

Until now one column held the store's own ids and those of every platform. An id belongs to a platform when all orders
of its customer came from that one. Where they came from several sources nobody can tell whose it is: it stays the
store's own, and the journal notes it for staff.
"""

from typing import Any, ClassVar, Final

from django.db import migrations

_PLATFORMS: Final = ["shopify", "shopline", "shopline_global", "woocommerce"]
_BATCH: Final = 20_000

_SOURCES: Final = """
WITH source AS (
    SELECT customer.id, customer.store_id, customer.external_id,
        array_agg(DISTINCT placed.platform::text ORDER BY placed.platform::text) AS platforms
    FROM stores_customer AS customer
    JOIN orders_order AS placed ON placed.customer_id = customer.id
    WHERE customer.id > %(after)s AND customer.id <= %(last)s AND customer.external_id IS NOT NULL
    GROUP BY customer.id
)
"""
_NOTE: Final = f"""
{_SOURCES}
INSERT INTO journal_journalentry (store_id, event, customer_id, actor, data, created_at)
SELECT store_id, 'customer.id_unclear', id, 'system:migration', jsonb_build_object('sources', to_jsonb(platforms)), now()
FROM source WHERE cardinality(platforms) > 1 AND platforms && %(platforms)s::text[] ORDER BY id
"""
_MOVE: Final = f"""
{_SOURCES}, moved AS (
    INSERT INTO stores_platformid (store_id, customer_id, platform, external_id, created_at)
    SELECT store_id, id, platforms[1], external_id, now()
    FROM source WHERE cardinality(platforms) = 1 AND platforms[1] = ANY(%(platforms)s::text[])
    RETURNING customer_id
)
UPDATE stores_customer SET external_id = NULL FROM moved WHERE stores_customer.id = moved.customer_id
"""
# An id that the store itself has given meanwhile, or that two platforms have, stays where it is.
_BACK: Final = """
WITH back AS (
    SELECT DISTINCT ON (known.store_id, known.external_id) known.customer_id, known.external_id
    FROM stores_platformid AS known
    JOIN stores_customer AS customer ON customer.id = known.customer_id
    WHERE known.replaced_at IS NULL AND customer.external_id IS NULL AND NOT EXISTS (
        SELECT FROM stores_customer AS taken
        WHERE taken.store_id = known.store_id AND taken.external_id = known.external_id
    )
    ORDER BY known.store_id, known.external_id, known.id
)
UPDATE stores_customer SET external_id = back.external_id FROM back WHERE stores_customer.id = back.customer_id
"""


def _forth(_apps: Any, editor: Any) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM stores_customer")
        newest = cursor.fetchone()[0]
        for after in range(0, newest, _BATCH):
            window = {"after": after, "last": after + _BATCH, "platforms": _PLATFORMS}
            cursor.execute(_NOTE, window)
            cursor.execute(_MOVE, window)


def _back(_apps: Any, editor: Any) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute(_BACK)


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("orders", "0017_tags_that_look_the_same"),
        ("stores", "0006_platform_ids"),
        ("journal", "0006_ledger_checks"),
    ]

    operations: ClassVar = [migrations.RunPython(_forth, _back)]
