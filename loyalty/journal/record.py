"""Writing the journal."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django.utils.module_loading import import_string

from loyalty.stores.actors import Actor

# What writes entries tells webhooks in the same statement. Named as a string: the journal knows nobody above it.
_WRITER: Final = "loyalty.webhooks.fan_out.write_entries"


class Event(StrEnum):
    """Everything the journal records; the names are those of the REST contract's timeline."""

    ORDER_CREATED = "order.created"
    ORDER_UPDATED = "order.updated"
    PAYMENT_ATTEMPT_FAILED = "order.payment_attempt_failed"
    ORDER_SPENT = "order.spent"
    ORDER_CANCELLED = "order.cancelled"
    ORDER_HELD = "order.held"
    ORDER_RELEASED = "order.released"
    CREDITS_REVERTED = "order.credit_reverted"
    POINTS_REVERTED = "order.points_reverted"
    REVERT_SKIPPED = "order.revert_skipped"
    ORDER_REINSTATED = "order.reinstated"
    POINTS_EARNED = "order.points_earned"
    POINTS_NOT_EARNED = "order.points_not_earned"
    POINTS_TAKEN_BACK = "order.points_taken_back"
    POINTS_GIVEN_AGAIN = "order.points_given_again"
    DEDUCTED_AGAIN = "order.deducted_again"
    REVERT_UNDONE = "order.revert_undone"
    REVERT_DISMISSED = "order.revert_dismissed"
    REVERT_WAITS_AGAIN = "order.revert_waits_again"
    MARKED_FOR_REFUND = "order.marked_for_refund"
    BALANCE_CHANGED = "customer.balance_changed"
    NOTICE_QUEUED = "notice.queued"
    NOTICE_SENT = "notice.sent"
    NOTICE_FAILED = "notice.failed"
    NOTICE_WITHDRAWN = "notice.withdrawn"
    SETTINGS_CHANGED = "settings.changed"
    TAGGED_THERE = "order.tagged_on_platform"
    CANCELLED_THERE = "order.cancelled_on_platform"
    NOT_WRITTEN_BACK = "order.platform_not_told"
    REWARD_CREATED = "reward.created"
    REWARD_CHANGED = "reward.changed"
    REDEEMED = "redemption.created"
    CODE_CONFIRMED = "redemption.code_confirmed"
    CODE_FAILED = "redemption.code_failed"
    CODE_USED = "redemption.code_used"
    CODE_RETURNED = "redemption.returned"
    CODE_RETURN_UNDONE = "redemption.return_undone"
    REVERSAL_REQUESTED = "redemption.reversal_requested"
    REVERSAL_REFUSED = "redemption.reversal_refused"
    REVERSED = "redemption.reversed"
    CODE_DELETED = "redemption.code_deleted"
    ORDER_USED_CODE = "order.used_code"
    REVERSED_CODE_USED = "order.reversed_code_used"
    CODE_USED_BEFORE = "order.code_used_before"
    REVERSED_CODE_SETTLED = "order.reversed_code_settled"
    WEBHOOK_CHANGED = "webhook.changed"
    ORDER_DELETED_THERE = "order.deleted_on_platform"
    ORDER_RESTORED_THERE = "order.restored_on_platform"
    PLATFORM_CONNECTED = "platform.connected"
    PLATFORM_DISCONNECTED = "platform.disconnected"
    PLATFORM_UNINSTALLED = "platform.uninstalled"
    SIGNING_CHANGED = "platform.signing_changed"
    IMPORT_STARTED = "import.started"
    IMPORT_DONE = "import.done"
    IMPORT_TAKEN_BACK = "import.taken_back"
    CUSTOMER_ERASED = "customer.erased"
    CUSTOMER_MERGED = "customer.merged"
    CUSTOMER_MERGED_AWAY = "customer.merged_away"
    CUSTOMER_ID_UNCLEAR = "customer.id_unclear"
    REMINDERS_STOPPED = "customer.reminders_stopped"
    REMINDERS_WANTED = "customer.reminders_wanted"
    DATA_REQUESTED = "customer.data_requested"
    STAFF_INVITED = "staff.invited"
    STAFF_INVITED_AGAIN = "staff.invited_again"
    INVITATION_WITHDRAWN = "staff.invitation_withdrawn"
    STAFF_JOINED = "staff.joined"
    STAFF_REMOVED = "staff.removed"
    ROLE_CHANGED = "staff.role_changed"
    SECOND_FACTOR_ASKED = "staff.second_factor_asked"
    STORE_ARRIVED = "store.arrived"
    BUNDLE_ASKED = "store.bundle_asked"
    BUNDLE_FETCHED = "store.bundle_fetched"


@dataclass(frozen=True, slots=True)
class Happening:
    """One event to be recorded. ``data`` must be JSON and free of personal data."""

    store_id: int
    event: Event
    order_id: int | None = None
    customer_id: int | None = None
    redemption_id: int | None = None
    remark_id: int | None = None
    data: dict[str, Any] = field(default_factory=dict)


def record(happenings: Iterable[Happening], *, actor: Actor, now: datetime) -> None:
    """Write events in one statement, inside the transaction of what happened.

    The same statement queues a webhook for every endpoint of the store that is to be told of one of them.
    """
    items = list(happenings)
    if not items:
        return
    columns: dict[str, list[Any]] = {
        "store_id": [item.store_id for item in items],
        "event": [item.event for item in items],
        "order_id": [item.order_id for item in items],
        "customer_id": [item.customer_id for item in items],
        "redemption_id": [item.redemption_id for item in items],
        "remark_id": [item.remark_id for item in items],
        "actor": [actor.ref] * len(items),
        "data": [item.data for item in items],
        "created_at": [now] * len(items),
    }
    import_string(_WRITER)(columns, now=now)
