"""Writing messages, in the transaction of what makes them necessary."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from loyalty.jobs.periodic import wake
from loyalty.outbox.models import Message

JOB = "loyalty.deliver_outbox"


@dataclass(frozen=True, slots=True)
class Later:
    """One thing to do outside. A key that the store has used already makes no second message.

    ``body`` must be JSON and free of personal data. ``not_before`` delays the first attempt.
    """

    store_id: int
    topic: str
    key: str
    body: dict[str, Any] = field(default_factory=dict)
    order_id: int | None = None
    lane: str = ""
    not_before: datetime | None = None


def send_later(messages: Iterable[Later], *, now: datetime) -> None:
    """Write messages in one statement, inside the caller's transaction; the worker is woken once it is committed."""
    rows = [_row(message, now) for message in messages]
    if rows:
        Message.unscoped.bulk_create(rows, ignore_conflicts=True)
        wake(JOB)


def _row(message: Later, now: datetime) -> Message:
    return Message(
        store_id=message.store_id,
        topic=message.topic,
        key=message.key,
        lane=message.lane,
        order_id=message.order_id,
        body=message.body,
        next_attempt_at=max(now, message.not_before or now),
        created_at=now,
    )
