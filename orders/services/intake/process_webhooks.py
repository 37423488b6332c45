"""The job that works through platforms' deliveries: each once, those that fail again and again with growing pauses.

Shops take turns, so that one's flood holds up no other's message (ADR 0035). In its turn a shop's deliveries are worked
on in the order in which they came; orders that come one after the other are recorded as a list.

A delivery is locked, carried out and marked in one transaction, so a worker that is killed leaves it as it was. When
the platform has to be asked for the order first, the delivery is set aside for a few minutes instead, and no
transaction is open while the answer is waited for.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from threading import BoundedSemaphore
from time import monotonic
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from loyalty.core.clock import ticking
from loyalty.database.halves import in_halves, in_turns
from loyalty.database.named_stores import in_store, in_store_throughout
from loyalty.jobs.one_by_one import CannotBeWritten, alone_with
from loyalty.jobs.periodic import Counts
from loyalty.jobs.places import is_over, one_more, places_of
from loyalty.platforms.client import client_for, still_opens
from loyalty.platforms.models import OPEN_STATES, DeliveryState, InboundDelivery, PlatformConnection
from loyalty.platforms.webhooks.receive import JOB
from orders.services.intake.handle_webhook import (
    Ask,
    Brought,
    Result,
    brought,
    carry_out,
    carry_out_answered,
    carry_out_fetched,
    connection_of,
    meaning,
    record_all,
    stands_apart,
    tags_meta_key_of,
)
from orders.services.intake.webhook_outcomes import attempt, attempt_to_write, mark, mark_all

# The order as the platform shows it, if it does.
_Answer = Mapping[str, Any] | None
# A delivery that was finished, or postponed, and the state that it came to.
_Done = tuple[InboundDelivery, str]

logger = logging.getLogger(__name__)

# How long a delivery is left alone while its platform is asked; a killed worker's is taken up after that.
LEASE: Final = timedelta(minutes=3)
# A shop's turn: so many deliveries, and no question after so many seconds of asking.
BATCH: Final = 100
_ASKING_SECONDS: Final = 2.0
# So many of a process's runs wait for platforms at once: however many of these hang, others go on recording orders.
_asking: Final = BoundedSemaphore(places_of(JOB) // 2)
_COUNTED_AS: Final = {
    DeliveryState.WAITING: "postponed",
    DeliveryState.DONE: "done",
    DeliveryState.IGNORED: "ignored",
    DeliveryState.RETRYING: "postponed",
    DeliveryState.FAILED: "failed",
}
# The shops that have something due, each found with one look into the index however much that is.
_QUEUES: Final = """
WITH RECURSIVE queue AS (
    (SELECT store_id, platform FROM platforms_inbounddelivery WHERE next_attempt_at IS NOT NULL
     ORDER BY store_id, platform LIMIT 1)
    UNION ALL
    SELECT following.store_id, following.platform FROM queue, LATERAL (
        SELECT store_id, platform FROM platforms_inbounddelivery
        WHERE next_attempt_at IS NOT NULL AND (store_id, platform) > (queue.store_id, queue.platform)
        ORDER BY store_id, platform LIMIT 1
    ) AS following
)
SELECT store_id, platform FROM queue WHERE EXISTS (
    SELECT FROM platforms_inbounddelivery AS delivery
    WHERE delivery.store_id = queue.store_id AND delivery.platform = queue.platform AND next_attempt_at <= %s
)
"""


def process_deliveries(now: datetime) -> Counts:
    """Work through every delivery whose turn has come, or through as many as there is time for."""
    counts = Counter(dict.fromkeys(("done", "ignored", "postponed", "failed"), 0))
    newest: dict[Queue, datetime] = {}
    for delivery, state in _all_turns(now):
        counts[_COUNTED_AS[DeliveryState(state)]] += 1
        queue = Queue(delivery.store_id, delivery.platform)
        newest[queue] = max(delivery.received_at, newest.get(queue, delivery.received_at))
    for queue, received_at in newest.items():
        with in_store(queue.store_id):
            _note_heard(queue, received_at)
    return counts


@dataclass(frozen=True, slots=True)
class Queue:
    """What one platform sends to one store."""

    store_id: int
    platform: str

    def due(self, now: datetime) -> "QuerySet[InboundDelivery]":
        """What is to be worked on, in the order in which it came."""
        mine = InboundDelivery.unscoped.filter(store=self.store_id, platform=self.platform)
        return mine.filter(state__in=OPEN_STATES, next_attempt_at__lte=now).order_by("next_attempt_at", "id")

    def is_asking(self, now: datetime) -> bool:
        """Whether a worker waits for the platform's answer. A shop that does not answer holds up one of them."""
        asked = InboundDelivery.unscoped.filter(store=self.store_id, platform=self.platform)
        return asked.filter(state=DeliveryState.WAITING, attempts__gt=0, next_attempt_at__gt=now).exists()

    def hold(self) -> bool:
        """Let no other worker carry out anything of it until the transaction ends; False where one does."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, %s))",
                [f"deliveries:{self.platform}", self.store_id],
            )
            return bool(cursor.fetchone()[0])


def _all_turns(now: datetime) -> Iterator[_Done]:
    """Turn after turn, whoever has waited longest for his first, until nothing is due."""
    clock, numbers = ticking(now), count()
    last_turns: dict[Queue, int] = {}
    left_out: set[int] = set()
    while True:
        moment, found = clock(), False
        for queue in sorted(_queues(moment), key=lambda one: last_turns.get(one, -1)):
            last_turns[queue] = next(numbers)
            for done in in_store_throughout(queue.store_id, _Turn(queue, moment, left_out).take()):
                found = True
                yield done
            if found:
                break
        if not found:
            return
        if is_over():
            return


def _queues(now: datetime) -> list[Queue]:
    with connection.cursor() as cursor:
        cursor.execute(_QUEUES, [now])
        return [Queue(*row) for row in cursor.fetchall()]


@dataclass(slots=True)
class _Turn:
    """A shop's turn. What cannot be written at all is added to ``left_out``: every run meets it once (E7)."""

    queue: Queue
    now: datetime
    left_out: set[int]
    run: list[Brought] = field(default_factory=list)

    def take(self) -> Iterator[_Done]:
        """Work on the next deliveries; answers what became of them."""
        batch = self._next()
        if not batch:
            return
        connected = connection_of(batch[0])
        apart: list[InboundDelivery] = []
        for delivery in batch:
            looked = attempt(delivery, partial(_look, delivery, connected))
            if isinstance(looked, Brought):
                self.run.append(looked)
            elif looked:
                apart.append(delivery)
            else:
                yield from self._record_run()
                yield from self._finish(delivery)
        yield from self._record_run()
        yield from self._finish_apart(apart)

    @transaction.atomic
    def _next(self) -> list[InboundDelivery]:
        """The next deliveries; none while another worker is at them."""
        if not self.queue.hold():
            return []
        return list(self.queue.due(self.now).exclude(pk__in=self.left_out).select_related("store")[:BATCH])

    def _record_run(self) -> Iterator[_Done]:
        """Record the orders that came one after the other, each state of one in a transaction after that before."""
        run, self.run = self.run, []
        for turn in in_turns(dict(enumerate(one.arrival.snapshot.external_id for one in run))):
            some = [run[place] for place in turn]
            for one, done in zip(some, in_halves(some, self._record), strict=True):
                if isinstance(done, Exception):
                    # By itself it is given its next turn.
                    yield from self._finish(one.delivery)
                elif done is not None:
                    yield done

    def _record(self, some: Sequence[Brought]) -> list[_Done | None]:
        """Record orders in one transaction; None for deliveries that somebody else took up."""
        if not self.queue.hold():
            return [None] * len(some)
        free = self.queue.due(self.now).filter(pk__in=[one.delivery.pk for one in some])
        held = {one.pk: one for one in free.defer("headers", "body").select_for_update(of=("self",), skip_locked=True)}
        mine = [one for one in some if one.delivery.pk in held]
        if mine:
            deliveries = [held[one.delivery.pk] for one in mine]
            mark_all(deliveries, record_all(mine, self.now), self.now)
        return [(done, str(done.state)) if (done := held.get(one.delivery.pk)) else None for one in some]

    def _finish_apart(self, deliveries: Sequence[InboundDelivery]) -> Iterator[_Done]:
        """Finish what may have to be asked for, as far as there is time."""
        if not deliveries:
            return
        until = monotonic() + _ASKING_SECONDS
        is_asking = self.queue.is_asking(self.now)
        for delivery in deliveries:
            if is_asking or monotonic() >= until or not _asking.acquire(blocking=False):
                return
            # While the platform thinks, others go on.
            one_more()
            try:
                yield from self._finish(delivery)
            finally:
                _asking.release()

    def _finish(self, delivery: InboundDelivery) -> Iterator[_Done]:
        """Carry out one delivery by itself."""
        try:
            step = self._begin(delivery)
            if isinstance(step, _Asking):
                with alone_with(delivery):
                    state = _asked(step, self.now)
                yield step.delivery, state
            elif step is not None:
                yield step, str(step.state)
        except CannotBeWritten as error:
            logger.exception("%s leaves one out.", JOB)
            self.left_out.add(error.pk)

    @transaction.atomic
    def _begin(self, delivery: InboundDelivery) -> "InboundDelivery | _Asking | None":
        """Finish a delivery, unless its platform has to be asked; None when somebody else has taken it up."""
        if not self.queue.hold():
            return None
        free = self.queue.due(self.now).select_related("store").select_for_update(of=("self",), skip_locked=True)
        held = free.filter(pk=delivery.pk).first()
        if held is None:
            return None
        with alone_with(held):
            return _take_up(held, self.now)


def _look(delivery: InboundDelivery, connected: PlatformConnection | None) -> Brought | bool:
    """The order that a delivery brings, or whether it does not matter when it is carried out."""
    said = meaning(delivery)
    may_ask = connected is not None and connected.may_be_called
    return brought(delivery, said, tags_meta_key_of(connected)) or stands_apart(said, may_ask=may_ask)


@dataclass(frozen=True, slots=True)
class _Asking:
    """A delivery that was set aside while its platform is asked for an order, or whether it still lets us in."""

    delivery: InboundDelivery
    external_id: str


def _take_up(delivery: InboundDelivery, now: datetime) -> "InboundDelivery | _Asking":
    delivery.attempts += 1
    outcome = attempt_to_write(delivery, partial(carry_out, delivery, now))
    if isinstance(outcome, Ask):
        delivery.state, delivery.next_attempt_at = DeliveryState.WAITING, now + LEASE
        delivery.save(update_fields=["state", "attempts", "next_attempt_at"])
        return _Asking(delivery, outcome.external_id)
    mark(delivery, outcome, now)
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
        mark(delivery, _with_answer(delivery, answer, now), now)
        return str(delivery.state)


def _with_answer(
    delivery: InboundDelivery, answer: "_Answer | bool | Exception", now: datetime
) -> "Result | Exception":
    if isinstance(answer, Exception):
        return answer
    if isinstance(answer, bool):
        return attempt_to_write(delivery, partial(carry_out_answered, delivery, still_opens=answer, now=now))
    return attempt_to_write(delivery, partial(carry_out_fetched, delivery, answer, now))


def _ask(asking: _Asking) -> "_Answer | bool | Exception":
    connected = connection_of(asking.delivery)
    if connected is None:
        return None
    if not asking.external_id:
        return attempt(asking.delivery, partial(still_opens, connected))
    return attempt(asking.delivery, partial(_fetch, connected, asking.external_id))


def _fetch(connected: PlatformConnection, external_id: str) -> _Answer:
    return client_for(connected).fetch_order(external_id)


def _note_heard(queue: Queue, received_at: datetime) -> None:
    older = Q(last_delivery_at__isnull=True) | Q(last_delivery_at__lt=received_at)
    connections = PlatformConnection.unscoped.filter(older, store_id=queue.store_id, platform=queue.platform)
    connections.update(last_delivery_at=received_at)
