"""The job that works through platforms' deliveries: each once, those that fail again and again with growing pauses.

A delivery is locked, carried out and marked in one transaction, so a worker that is killed leaves it as it was. When
the platform has to be asked for the order first, the delivery is set aside for a few minutes instead, and no
transaction is open while the answer is waited for.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

from django.db import transaction
from django.db.models import Q

from loyalty.database.busy import raise_if_away
from loyalty.jobs import Counts
from loyalty.journal.one_by_one import alone_with, one_by_one
from loyalty.platforms.asking import PlatformError, Throttled
from loyalty.platforms.client import client_for, still_opens
from loyalty.platforms.models import OPEN_STATES, DeliveryState, InboundDelivery, PlatformConnection
from loyalty.platforms.receiving import TEST_WORDS
from loyalty.platforms.snapshot import NotAnOrder
from loyalty.storable import storable
from orders.services.delivered import (
    Ask,
    Result,
    carry_out,
    carry_out_answered,
    carry_out_fetched,
    connection_of,
)
from orders.services.platform_news import NotRecorded

T = TypeVar("T")
# The order as the platform shows it, if it does.
_Answer = Mapping[str, Any] | None

logger = logging.getLogger(__name__)

# The pause after each failed attempt; after the last one staff decide.
PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480, 1440))
# How long a delivery is left alone while its platform is asked; a killed worker's is taken up after that.
LEASE: Final = timedelta(minutes=3)
_LONGEST_WORDS: Final = 300
_MOST_LEFT_OUT: Final = 50
_MARKS: Final = (
    "state", "attempts", "next_attempt_at", "outcome", "left_out", "last_error", "order", "external_id", "is_test",
    "processed_at",
)  # fmt: skip
_EXPECTED: Final = (NotAnOrder, NotRecorded, PlatformError)
_COUNTED_AS: Final = {
    DeliveryState.WAITING: "postponed",
    DeliveryState.DONE: "done",
    DeliveryState.IGNORED: "ignored",
    DeliveryState.RETRYING: "postponed",
    DeliveryState.FAILED: "failed",
}


def process_deliveries(now: datetime) -> Counts:
    """Work through every delivery whose turn has come."""
    counts = Counter(dict.fromkeys(("done", "ignored", "postponed", "failed"), 0))
    newest: dict[tuple[int, str], datetime] = {}
    for delivery, state in one_by_one(partial(_finish_next, now), job="orders.process_deliveries"):
        counts[_COUNTED_AS[DeliveryState(state)]] += 1
        key = delivery.store_id, delivery.platform
        newest[key] = max(delivery.received_at, newest.get(key, delivery.received_at))
    for (store_id, platform), received_at in newest.items():
        _note_heard(store_id, platform, received_at)
    return counts


def _finish_next(now: datetime, left_out: AbstractSet[int]) -> tuple[InboundDelivery, str] | None:
    """The next delivery and the state that it came to; None when nothing is due."""
    step = _next(now, left_out)
    if not isinstance(step, _Asking):
        return None if step is None else (step, str(step.state))
    with alone_with(step.delivery):
        return step.delivery, _asked(step, now)


@dataclass(frozen=True, slots=True)
class _Asking:
    """A delivery that was set aside while its platform is asked for an order, or whether it still lets us in."""

    delivery: InboundDelivery
    external_id: str


@transaction.atomic
def _next(now: datetime, left_out: AbstractSet[int]) -> "InboundDelivery | _Asking | None":
    """Take up one delivery and finish it, unless its platform has to be asked; None when nothing is due."""
    due = InboundDelivery.unscoped.filter(state__in=OPEN_STATES, next_attempt_at__lte=now).exclude(pk__in=left_out)
    delivery: InboundDelivery | None = (
        due.select_related("store")
        .order_by("next_attempt_at", "id")
        .select_for_update(of=("self",), skip_locked=True)
        .first()
    )
    if delivery is None:
        return None
    with alone_with(delivery):
        return _take_up(delivery, now)


def _take_up(delivery: InboundDelivery, now: datetime) -> "InboundDelivery | _Asking":
    delivery.attempts += 1
    outcome = _try(delivery, partial(carry_out, delivery, now))
    if isinstance(outcome, Ask):
        delivery.next_attempt_at = now + LEASE
        delivery.save(update_fields=["attempts", "next_attempt_at"])
        return _Asking(delivery, outcome.external_id)
    _mark(delivery, outcome, now)
    return delivery


def _asked(asking: _Asking, now: datetime) -> str:
    """Ask the platform for the order, then finish the delivery in a transaction of its own; answers its state."""
    answer = _ask(asking)
    with transaction.atomic():
        held = InboundDelivery.unscoped.select_related("store").select_for_update(of=("self",))
        # Whoever took it up meanwhile, because this took longer than the lease, finishes it.
        delivery = held.filter(pk=asking.delivery.pk, attempts=asking.delivery.attempts, state__in=OPEN_STATES).first()
        if delivery is None:
            return str(DeliveryState.IGNORED)
        _mark(delivery, _with_answer(delivery, answer, now), now)
        return str(delivery.state)


def _with_answer(
    delivery: InboundDelivery, answer: "_Answer | bool | Exception", now: datetime
) -> "Result | Exception":
    if isinstance(answer, Exception):
        return answer
    if isinstance(answer, bool):
        return _try(delivery, partial(carry_out_answered, delivery, still_opens=answer, now=now))
    return _try(delivery, partial(carry_out_fetched, delivery, answer, now))


def _ask(asking: _Asking) -> "_Answer | bool | Exception":
    connected = connection_of(asking.delivery)
    if connected is None:
        return None
    if not asking.external_id:
        return _attempt(asking.delivery, partial(still_opens, connected))
    return _attempt(asking.delivery, partial(_fetch, connected, asking.external_id))


def _fetch(connected: PlatformConnection, external_id: str) -> _Answer:
    return client_for(connected).fetch_order(external_id)


def _try(delivery: InboundDelivery, do: Callable[[], T]) -> "T | Exception":
    """What ``do`` answers, or why it did not: nothing of it is written then. Raises when the database is away."""

    def in_a_transaction() -> T:
        with transaction.atomic():
            return do()

    return _attempt(delivery, in_a_transaction)


def _attempt(delivery: InboundDelivery, do: Callable[[], T]) -> "T | Exception":
    try:
        return do()
    except _EXPECTED as error:
        return error
    except Exception as error:
        raise_if_away(error)
        logger.exception("Delivery %s could not be worked on.", delivery.pk)
        return error


def _mark(delivery: InboundDelivery, outcome: "Result | Exception", now: datetime) -> None:
    """Write down what came of it. What cannot be written down has failed, too, and stops no other delivery."""
    written = outcome if isinstance(outcome, Exception) else _try(delivery, partial(_finish, delivery, outcome, now))
    if isinstance(written, Exception):
        _postpone(delivery, written, now)


def _finish(delivery: InboundDelivery, outcome: Result, now: datetime) -> None:
    delivery.state, delivery.next_attempt_at = outcome.state, None
    if outcome.again:
        delivery.state, delivery.next_attempt_at, delivery.attempts = DeliveryState.WAITING, now, 0
    delivery.outcome, delivery.last_error = storable(outcome.words)[:_LONGEST_WORDS], ""
    delivery.left_out = list(outcome.left_out[:_MOST_LEFT_OUT])
    delivery.order, delivery.external_id = outcome.order, outcome.external_id
    delivery.is_test = delivery.is_test or outcome.words == TEST_WORDS
    delivery.processed_at = now
    erases = outcome.erase and not outcome.again
    if erases:
        delivery.body, delivery.redacted_at = b"", now
    delivery.save(update_fields=[*_MARKS, *(("body", "redacted_at") if erases else ())])


def _postpone(delivery: InboundDelivery, error: Exception, now: datetime) -> None:
    """Give a failed delivery its next turn, or leave it to staff after the last; a platform may say when.

    What cannot be read will not be read later either: staff see it at once, and may try again.
    """
    gives_up = delivery.attempts > len(PAUSES) or isinstance(error, NotAnOrder)
    pause = timedelta(0) if gives_up else PAUSES[delivery.attempts - 1]
    pause = max(pause, error.after) if isinstance(error, Throttled) else pause
    delivery.state = DeliveryState.FAILED if gives_up else DeliveryState.RETRYING
    delivery.next_attempt_at = None if gives_up else now + pause
    delivery.last_error = storable(_words(error))
    delivery.save(update_fields=["state", "attempts", "next_attempt_at", "last_error"])
    logger.warning("Delivery %s failed (attempt %s).", delivery.pk, delivery.attempts)


def _words(error: Exception) -> str:
    if not isinstance(error, _EXPECTED):
        return f"Something unexpected happened ({type(error).__name__}); the log says what."
    field = error.field if isinstance(error, NotAnOrder) else ""
    return f"{error} (field {field})" if field and f"“{field}”" not in str(error) else str(error)


def _note_heard(store_id: int, platform: str, received_at: datetime) -> None:
    older = Q(last_delivery_at__isnull=True) | Q(last_delivery_at__lt=received_at)
    connections = PlatformConnection.unscoped.filter(older, store_id=store_id, platform=platform)
    connections.update(last_delivery_at=received_at)
