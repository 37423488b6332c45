"""What value that comes back through an order means for the codes it used: returned, and dead on both sides (R7).

One statement for the codes of any number of orders: what is back of each stands on its allocations. A code that ends
here for the first time is deleted on its platform too: platforms hand a coupon's use back when an order falls through.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db import connection

from loyalty.database.bulk import array
from loyalty.jobs.periodic import wake
from loyalty.journal.record import Event, Happening
from loyalty.ledger.planner import GIVES_BACK
from loyalty.outbox.models import MessageStatus
from loyalty.outbox.send import JOB
from loyalty.stores.actors import Actor
from orders.services.codes.on_platform import DELETE
from orders.services.reverts.plans import OrderPlan
from points.ledger import POINTS

_SETTLE: Final = """
WITH held AS (
    SELECT id, ended_at, points_returned FROM orders_redemption
    WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id FOR NO KEY UPDATE
), back AS (
    SELECT redemption_id, sum(returned)::bigint AS points FROM {allocation}
    WHERE redemption_id = ANY(%(ids)s::bigint[]) GROUP BY redemption_id
), settled AS (
    UPDATE orders_redemption AS redemption SET
        points_returned = back.points,
        state = CASE WHEN state = 'reversed' THEN state WHEN back.points > 0 THEN 'returned' ELSE 'used' END,
        ended_at = CASE WHEN back.points > 0 THEN coalesce(redemption.ended_at, %(now)s) ELSE redemption.ended_at END,
        platform_state = CASE WHEN held.ended_at IS NULL AND back.points > 0 AND platform <> '' THEN 'pending'
            ELSE platform_state END,
        updated_at = %(now)s
    FROM held JOIN back ON back.redemption_id = held.id
    WHERE redemption.id = held.id
    RETURNING redemption.id, store_id, customer_id, used_order_id, redemption.points, back.points AS returned,
        back.points - held.points_returned AS change,
        platform <> '' AND held.ended_at IS NULL AND back.points > 0 AS ends,
        reversed_at IS NOT DISTINCT FROM %(now)s AS by_reversal
), answered AS (
    UPDATE orders_reversalrequest AS request SET state = 'done', answered_at = %(now)s, answered_by = %(actor)s
    FROM settled
    WHERE request.redemption_id = settled.id AND request.state = 'open' AND settled.returned = settled.points
), queued AS (
    INSERT INTO outbox_message
        (store_id, topic, key, lane, body, status, attempts, next_attempt_at, last_error, created_at)
    SELECT store_id, %(topic)s, %(topic)s || ':' || id, '', jsonb_build_object('redemption', id::text), %(queued)s, 0,
        %(now)s, '', %(now)s
    FROM settled WHERE ends
    ON CONFLICT DO NOTHING
)
SELECT ends, id, store_id, customer_id, used_order_id, points, returned, change
FROM settled WHERE change <> 0 AND NOT by_reversal ORDER BY id
"""


def codes_of(plans: Collection[OrderPlan]) -> set[int]:
    """The redemptions of which these plans give points back."""
    lots = (lot for plan in plans for lot in plan.kinds["points"].lots if lot.outcome in GIVES_BACK)
    return {lot.used.redemption_id for lot in lots if lot.used.redemption_id is not None}


def settle_codes(redemption_ids: Collection[int], *, actor: Actor, now: datetime) -> list[Happening]:
    """Bring these redemptions up to what their allocations say is back; answers what is to be recorded.

    A customer's open request for a reversal is answered by it. Callers hold the orders that used the codes, and have
    written the ledger. No statement where there is no code.
    """
    if not redemption_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _SETTLE.format(**POINTS.tables.sql),
            {
                "ids": array(redemption_ids),
                "now": now,
                "actor": actor.ref,
                "topic": DELETE,
                "queued": MessageStatus.QUEUED.value,
            },
        )
        rows = cursor.fetchall()
    if any(ends for ends, *_ in rows):
        wake(JOB)
    return [
        Happening(
            store_id=store_id,
            event=Event.CODE_RETURNED if change > 0 else Event.CODE_RETURN_UNDONE,
            customer_id=customer_id,
            redemption_id=redemption_id,
            data={"order": str(order_id), "points": points, "returned": returned, "amount": abs(change)},
        )
        for _, redemption_id, store_id, customer_id, order_id, points, returned, change in rows
    ]
