"""Carrying out what was written: leased, tried with growing pauses, recorded."""

import logging
from collections import Counter, deque
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Final

from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from loyalty.core.clock import Clock, ticking
from loyalty.core.storable_text import storable
from loyalty.database.busy import raise_if_away
from loyalty.jobs.one_by_one import alone_with, one_by_one
from loyalty.jobs.periodic import Counts
from loyalty.jobs.retries import OUTBOX, all_due, next_due, words_of
from loyalty.jobs.turns import Turns, stores_due
from loyalty.outbox.models import Message, MessageStatus
from loyalty.outbox.send import JOB
from loyalty.outbox.topics import GiveUp, Postpone, handler_of

logger = logging.getLogger(__name__)

# How long a worker has for one message before another one takes it for dead; a handler's calls end long before. That of
# a webhook makes one call, and its receiver is to hear soon though a worker was killed.
LEASE: Final = timedelta(minutes=5)
LEASES: Final = {"webhook": timedelta(seconds=30)}
# So many of these are taken up at once where they go to one place, and while they are quick: what they cost is mostly
# finding them. Whoever is slow gets one after the other, and the rest is given back long before the lease is over.
TOGETHER: Final = 10
_QUICK_SECONDS: Final = 2.0
_TURNS: Final = Turns(JOB)


def deliver_outbox(now: datetime) -> Counts:
    """Carry out every message whose turn has come at ``now``; several workers share them."""
    counts = Counter({"done": 0, "postponed": 0, "failed": 0})
    # Answers may be slow, and leases are real time.
    clock = ticking(now)
    for outcomes in one_by_one(partial(_deliver_next, now, clock), job=JOB):
        counts.update(outcomes)
    return counts


def _deliver_next(now: datetime, clock: Clock, left_out: AbstractSet[int]) -> Counter[str] | None:
    claim = partial(_claim, now, clock, left_out)
    with _TURNS.turn(lambda: stores_due(Message, now), claim) as messages:
        return None if messages is None else _carry_out_together(messages, clock)


@transaction.atomic
def _claim(due: datetime, clock: Clock, left_out: AbstractSet[int], store_id: int | None) -> Sequence[Message] | None:
    """Lease a store's next messages that are due, for one attempt. Committed at once: no lock outlives this."""
    queued = Message.unscoped.filter(status=MessageStatus.QUEUED, store=store_id).select_related("store")
    first = next_due(queued, due, left_out)
    if first is None:
        return None
    lease = clock() + LEASES.get(first.topic, LEASE)
    together = [first]
    # What was begun before stays alone: it may be what kills its worker, and counts no attempt of others.
    if first.topic in LEASES and not first.attempts:
        alike = queued.filter(topic=first.topic, lane=first.lane, attempts=0)
        together += all_due(alike, due, left_out | {first.pk})[: TOGETHER - 1]
    with alone_with(first):
        try:
            return _lease(together, lease)
        except DatabaseError as error:
            raise_if_away(error)
            # One of them cannot be written: the first is taken up by itself, so that it holds up no other.
            return _lease([first], lease)


@transaction.atomic
def _lease(messages: Sequence[Message], until: datetime) -> Sequence[Message]:
    rows = Message.unscoped.filter(pk__in=[message.pk for message in messages])
    rows.update(attempts=F("attempts") + 1, next_attempt_at=until)
    for message in messages:
        message.attempts += 1
        message.next_attempt_at = until
    return messages


def _carry_out_together(messages: Sequence[Message], clock: Clock) -> Counter[str]:
    outcomes, waiting, began = Counter[str](), deque(messages), monotonic()
    try:
        while waiting and (not outcomes or monotonic() - began < _QUICK_SECONDS):
            message = waiting.popleft()
            with alone_with(message):
                outcomes[_carry_out(message, clock)] += 1
    finally:
        if waiting:
            _give_back(waiting, clock())
    return outcomes


def _give_back(messages: Sequence[Message], now: datetime) -> None:
    """Let others have what was taken up and not begun; it counts as no attempt."""
    with alone_with(messages[0]):
        rows = Message.unscoped.filter(pk__in=[message.pk for message in messages], status=MessageStatus.QUEUED)
        rows.filter(next_attempt_at=messages[0].next_attempt_at).update(attempts=F("attempts") - 1, next_attempt_at=now)


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
