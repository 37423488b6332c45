"""Carrying out what was written: leased, tried with growing pauses, recorded."""

import logging
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.core.clock import Clock, ticking
from loyalty.core.storable_text import storable
from loyalty.jobs.one_by_one import alone_with, one_by_one
from loyalty.jobs.periodic import Counts
from loyalty.jobs.retries import OUTBOX, next_due, words_of
from loyalty.jobs.turns import Turns, stores_due
from loyalty.outbox.models import Message, MessageStatus
from loyalty.outbox.send import JOB
from loyalty.outbox.topics import GiveUp, Postpone, handler_of

logger = logging.getLogger(__name__)

# How long a worker has for one message before another one takes it for dead; a handler's calls end long before. That of
# a webhook makes one call, and its receiver is to hear soon though a worker was killed.
LEASE: Final = timedelta(minutes=5)
LEASES: Final = {"webhook": timedelta(seconds=30)}
_TURNS: Final = Turns(JOB)


def deliver_outbox(now: datetime) -> Counts:
    """Carry out every message whose turn has come at ``now``; several workers share them."""
    counts = {"done": 0, "postponed": 0, "failed": 0}
    # Answers may be slow, and leases are real time.
    clock = ticking(now)
    for outcome in one_by_one(partial(_deliver_next, now, clock), job=JOB):
        counts[outcome] += 1
    return counts


def _deliver_next(now: datetime, clock: Clock, left_out: AbstractSet[int]) -> str | None:
    claim = partial(_claim, now, clock, left_out)
    with _TURNS.turn(lambda: stores_due(Message, now), claim) as message:
        if message is None:
            return None
        with alone_with(message):
            return _carry_out(message, clock)


@transaction.atomic
def _claim(due: datetime, clock: Clock, left_out: AbstractSet[int], store_id: int | None) -> Message | None:
    """Lease a store's next message that is due, for one attempt. Committed at once: no lock outlives this."""
    queued = Message.unscoped.filter(status=MessageStatus.QUEUED, store=store_id)
    message = next_due(queued, due, left_out)
    if message is not None:
        message.attempts += 1
        message.next_attempt_at = clock() + LEASES.get(message.topic, LEASE)
        with alone_with(message):
            message.save(update_fields=["attempts", "next_attempt_at"])
    return message


def _carry_out(message: Message, clock: Clock) -> str:
    """Call the handler, with no transaction open, and record what came of it."""
    if OUTBOX.are_over(message.attempts - 1):
        # Its lease ran out time and again: what it asks for kills the worker, or takes longer than the lease.
        return _fail(message, _("No attempt came to an end."))
    try:
        handler_of(message.topic)(message, clock())
    except GiveUp as error:
        return _fail(message, str(error))
    except Postpone as error:
        return _postpone(message, error, clock())
    except Exception as error:
        # One message must not stop those behind it, whatever is wrong with it.
        logger.exception("Message %s (%s) failed.", message.pk, message.topic)
        return _postpone(message, Postpone(words_of(error)), clock())
    return _done(message, clock())


def _done(message: Message, now: datetime) -> str:
    # Whoever holds the lease now: it is done.
    Message.unscoped.filter(pk=message.pk, status=MessageStatus.QUEUED).update(
        status=MessageStatus.DONE, done_at=now, next_attempt_at=None, last_error=""
    )
    return "done"


def _fail(message: Message, reason: str) -> str:
    logger.warning("Message %s (%s) is given up after %s attempts.", message.pk, message.topic, message.attempts)
    return _record(message, "failed", status=MessageStatus.FAILED, next_attempt_at=None, last_error=storable(reason))


def _postpone(message: Message, error: Postpone, now: datetime) -> str:
    attempts, turn = message.attempts, OUTBOX.turn(message.attempts, now)
    if error.after is not None:
        # Never before the next second, so that a job cannot find it due for ever.
        wanted = error.after if isinstance(error.after, datetime) else now + error.after
        attempts, turn = attempts - 1, max(wanted, now + timedelta(seconds=1))
    if turn is None:
        return _fail(message, str(error))
    return _record(message, "postponed", attempts=attempts, next_attempt_at=turn, last_error=storable(str(error)))


def _record(message: Message, outcome: str, **values: object) -> str:
    # Only while the lease is ours: another worker's later word must not be overwritten.
    ours = Message.unscoped.filter(pk=message.pk, status=MessageStatus.QUEUED, next_attempt_at=message.next_attempt_at)
    ours.update(**values)
    return outcome
