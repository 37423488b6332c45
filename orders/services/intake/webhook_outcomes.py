"""What came of a platform's delivery, written on it: its end, or its next turn after a failure."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from django.db import Error as DatabaseError
from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.core.storable_text import storable
from loyalty.database.bulk import update
from loyalty.database.busy import raise_if_away
from loyalty.database.error_words import error_words
from loyalty.jobs.retries import DELIVERIES, NEVER, put_off
from loyalty.platforms.http.protocol import PlatformError, Throttled
from loyalty.platforms.models import DeliveryState, InboundDelivery
from loyalty.platforms.snapshot import NotAnOrder
from loyalty.platforms.webhooks.receive import TEST_WORDS
from orders.services.intake.handle_webhook import Result
from orders.services.intake.platform_payments import NotRecorded

T = TypeVar("T")

logger = logging.getLogger(__name__)

_LONGEST_WORDS: Final = 300
_MOST_LEFT_OUT: Final = 50
_MARKS: Final = (
    "state", "attempts", "next_attempt_at", "outcome", "left_out", "last_error", "order_id", "external_id", "is_test",
    "processed_at",
)  # fmt: skip
_EXPECTED: Final = (NotAnOrder, NotRecorded, PlatformError)


def attempt_to_write(delivery: InboundDelivery, do: Callable[[], T]) -> "T | Exception":
    """What ``do`` answers, or why it did not: nothing of it is written then. Raises when the database is away."""

    def in_a_transaction() -> T:
        with transaction.atomic():
            return do()

    return attempt(delivery, in_a_transaction)


def attempt(delivery: InboundDelivery, do: Callable[[], T]) -> "T | Exception":
    """What ``do`` answers, or why it did not. Raises when the database is away."""
    try:
        return do()
    except _EXPECTED as error:
        return error
    except Exception as error:
        raise_if_away(error)
        logger.exception("Delivery %s could not be worked on.", delivery.pk)
        return error


def mark(delivery: InboundDelivery, outcome: "Result | Exception", now: datetime) -> None:
    """Write down what came of it. What cannot be written down has failed, too, and stops no other delivery."""
    if isinstance(outcome, Exception):
        error: Exception | None = outcome
    else:
        error = attempt_to_write(delivery, partial(_finish, delivery, outcome, now))
    if error is not None:
        _postpone(delivery, error, now)


def mark_all(deliveries: Sequence[InboundDelivery], results: Sequence[Result], now: datetime) -> None:
    """Write down what came of one attempt at each, in one statement."""
    for delivery, result in zip(deliveries, results, strict=True):
        delivery.attempts += 1
        _note(delivery, result, now)
    columns = {name: [getattr(delivery, name) for delivery in deliveries] for name in _MARKS}
    update(InboundDelivery, [delivery.pk for delivery in deliveries], columns)


def _finish(delivery: InboundDelivery, outcome: Result, now: datetime) -> None:
    _note(delivery, outcome, now)
    if outcome.again:
        delivery.state, delivery.next_attempt_at, delivery.attempts = DeliveryState.WAITING, now, 0
    erases = outcome.erase and not outcome.again
    if erases:
        delivery.body, delivery.redacted_at = b"", now
    delivery.save(update_fields=[*_MARKS, *(("body", "redacted_at") if erases else ())])


def _note(delivery: InboundDelivery, outcome: Result, now: datetime) -> None:
    delivery.state, delivery.next_attempt_at = outcome.state, None
    delivery.outcome, delivery.last_error = storable(outcome.words)[:_LONGEST_WORDS], ""
    delivery.left_out = list(outcome.left_out[:_MOST_LEFT_OUT])
    delivery.order, delivery.external_id = outcome.order, outcome.external_id
    delivery.is_test = delivery.is_test or outcome.words == TEST_WORDS
    delivery.processed_at = now


def _postpone(delivery: InboundDelivery, error: Exception, now: datetime) -> None:
    """Give a failed delivery its next turn, or leave it to staff after the last; a platform may say when.

    What cannot be read will not be read later either: staff see it at once, and may try again.
    """
    pauses = NEVER if isinstance(error, NotAnOrder) else DELIVERIES
    wait = error.after if isinstance(error, Throttled) else timedelta(0)
    goes_on = put_off(delivery, _words(error), pauses, now, wait=wait)
    delivery.state = DeliveryState.RETRYING if goes_on else DeliveryState.FAILED
    delivery.save(update_fields=["state", "attempts", "next_attempt_at", "last_error"])
    logger.warning("Delivery %s failed (attempt %s).", delivery.pk, delivery.attempts)


def _words(error: Exception) -> str:
    if not isinstance(error, _EXPECTED):
        said = error_words(error) if isinstance(error, DatabaseError) else ""
        return said or _("Something unexpected happened (%(name)s); the log says what.") % {
            "name": type(error).__name__
        }
    field = error.field if isinstance(error, NotAnOrder) else ""
    return (
        _("%(error)s (field %(field)s)") % {"error": error, "field": field}
        if field and f"“{field}”" not in str(error)
        else str(error)
    )
