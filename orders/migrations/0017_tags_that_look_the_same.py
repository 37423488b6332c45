"""Stored keys of tags are made anew by what N7 says: tags that look the same are the same.

Nothing else changes: not the tags as they were written, and no value. Keys of plain ASCII are what they were, so only
orders with other characters are written, a thousand at a time. Backwards, the keys are as they were.
"""

import json

from django.db import migrations

from loyalty.core.tags import tag_key

_BATCH = 1000
_READ = """
    SELECT id, tags, rules_news FROM orders_order
    WHERE id > %s AND (array_to_string(tags, ' ') ~ '[^ -~]' OR rules_news::text ~ '[^ -~]')
    ORDER BY id LIMIT %s
"""
_WRITE = """
    UPDATE orders_order SET tag_keys = %s, rules_news = %s::jsonb WHERE id = %s
"""


def _remake(connection, key):
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_READ, [last, _BATCH])
            rows = cursor.fetchall()
            if not rows:
                return
            cursor.executemany(_WRITE, [(*_made_anew(tags, news, key), pk) for pk, tags, news in rows])
            last = rows[-1][0]


def _made_anew(tags, news, key):
    news = json.loads(news) if isinstance(news, str) else news
    if news is not None:
        # News holds keys alone; what they were before this migration is known from the order's tags.
        of_tags = {tag_key(tag): key(tag) for tag in tags}
        news["tags"] = sorted({of_tags.get(tag_key(known), key(known)) for known in news["tags"]})
    return [key(tag) for tag in tags], None if news is None else json.dumps(news)


def forwards(apps, schema_editor):
    _remake(schema_editor.connection, tag_key)


def backwards(apps, schema_editor):
    _remake(schema_editor.connection, lambda tag: tag.strip().casefold())


class Migration(migrations.Migration):
    # Each batch is a transaction of its own; run again, it comes to the same.
    atomic = False

    dependencies = [("orders", "0016_open_on_platform")]

    operations = [migrations.RunPython(forwards, backwards)]
