"""Journal and webhooks in one statement: what is recorded is told to every endpoint that wants to know.

A cancel of 500 orders still writes its journal with one statement. Entries that no endpoint can subscribe to are
written plainly.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from loyalty.database.bulk import array, insert_statement
from loyalty.database.prepared import ask, when_answered
from loyalty.jobs.periodic import wake
from loyalty.journal.models import JournalEntry
from loyalty.outbox.models import Message, MessageStatus
from loyalty.outbox.send import JOB
from loyalty.webhooks.events import ENTRIES, TOLD_AS, TOLD_BY_ORDER, WebhookEvent
from loyalty.webhooks.models import WebhookEndpoint

TOPIC: Final = "webhook"

_TOLD: Final = (array(entry for entry, _ in TOLD_AS), array(event for _, event in TOLD_AS))
_STATEMENT: Final = """
WITH entry AS ({insert}, store_id, event, order_id)
INSERT INTO "{messages}"
    (store_id, topic, key, lane, order_id, body, status, attempts, next_attempt_at, last_error, created_at)
SELECT entry.store_id, %s, format('webhook:%%s:%%s:%%s', endpoint.id, entry.id, told.event),
    'endpoint:' || endpoint.id, entry.order_id,
    jsonb_build_object('endpoint', endpoint.id, 'type', told.event, 'entry', entry.id), %s, 0, %s, '', %s
FROM entry
JOIN unnest(%s::text[], %s::text[]) AS told(entry, event) ON told.entry = entry.event
JOIN "{endpoints}" endpoint
    ON endpoint.store_id = entry.store_id AND endpoint.disabled_at IS NULL AND told.event = ANY(endpoint.events)
WHERE NOT (entry.order_id IS NOT NULL AND entry.event = ANY(%s::text[]) AND told.event = %s)
"""


def write_entries(columns: Mapping[str, Sequence[Any]], *, now: datetime) -> None:
    """Write the journal's entries, given column by column, and a message for every endpoint that is told of one."""
    insert, values = insert_statement(JournalEntry, columns)
    if ENTRIES.isdisjoint(columns["event"]):
        ask(insert, values)
        return
    told_by_order = (array(TOLD_BY_ORDER), WebhookEvent.BALANCE_CHANGED.value)
    said = [*values, TOPIC, MessageStatus.QUEUED.value, now, now, *_TOLD, *told_by_order]
    queued = ask(_telling(insert), said)
    when_answered(lambda: wake(JOB) if queued.count else None)


@cache
def _telling(insert: str) -> str:
    return _STATEMENT.format(insert=insert, messages=Message._meta.db_table, endpoints=WebhookEndpoint._meta.db_table)
