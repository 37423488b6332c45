"""What waits for a job, and since when its oldest has been due: each app hands in what its jobs take up."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Min, QuerySet
from django.utils.module_loading import import_string

from loyalty.accounts.models import Letter
from loyalty.journal.models import CustomerProblem
from loyalty.notices.models import Notice, NoticeStatus
from loyalty.outbox.models import Message, MessageStatus
from loyalty.platforms.models import OPEN_STATES, InboundDelivery
from loyalty.webhooks.fan_out import TOPIC

# So many are counted: whoever is behind by more knows enough, and counting takes no longer.
MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Backlog:
    """Rows that a job takes up: ``rows`` finds them at an instant, by an index; ``since`` is when each became due.

    Rows that are not due yet count as waiting too; those that have been due for longer than ``patience`` should be done
    by now. To be asked while every store is named.
    """

    job: str
    what: str
    rows: Callable[[datetime], "Iterable[QuerySet[Any]]"]
    since: str = "next_attempt_at"
    patience: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many rows of a backlog wait, :data:`MOST` at most, and for how many seconds the oldest has been due."""

    job: str
    what: str
    count: int
    overdue: float
    patience: float


# Named as strings, because the foundation imports none of the apps that stand on it.
HANDED_IN: Final = ("loyalty.monitoring.backlogs.BACKLOGS", "orders.services.automation.backlogs.BACKLOGS")


def waiting(now: datetime) -> Iterator[Waiting]:
    """Every backlog as it is."""
    backlogs: Sequence[Backlog]
    for backlogs in map(import_string, HANDED_IN):
        for backlog in backlogs:
            yield _measured(backlog, now)


def customers_set_aside() -> int:
    """How many customers wait to be tried again after an error."""
    return CustomerProblem.unscoped.order_by()[:MOST].count()


def _measured(backlog: Backlog, now: datetime) -> Waiting:
    count, oldest = 0, now
    for rows in backlog.rows(now):
        some = rows.values(backlog.since)[: MOST - count]
        found = some.aggregate(count=Count("*"), oldest=Min(backlog.since))
        count, oldest = count + found["count"], min(oldest, found["oldest"] or now)
    overdue = (now - oldest).total_seconds()
    return Waiting(backlog.job, backlog.what, count, overdue, backlog.patience.total_seconds())


def _letters(_now: datetime) -> "Iterator[QuerySet[Letter]]":
    yield Letter.objects.order_by("next_attempt_at")


def _notices(_now: datetime) -> "Iterator[QuerySet[Notice]]":
    yield Notice.unscoped.filter(status=NoticeStatus.QUEUED).order_by()


def _webhooks(_now: datetime) -> "Iterator[QuerySet[Message]]":
    yield Message.unscoped.filter(status=MessageStatus.QUEUED, topic=TOPIC).order_by()


def _messages(_now: datetime) -> "Iterator[QuerySet[Message]]":
    yield Message.unscoped.filter(status=MessageStatus.QUEUED).exclude(topic=TOPIC).order_by()


def _deliveries(_now: datetime) -> "Iterator[QuerySet[InboundDelivery]]":
    yield InboundDelivery.unscoped.filter(state__in=OPEN_STATES, next_attempt_at__isnull=False).order_by()


BACKLOGS: Final = (
    Backlog("loyalty.deliver_notices", "notices", _notices),
    Backlog("loyalty.deliver_letters", "letters", _letters),
    Backlog("loyalty.deliver_outbox", "outbox", _messages),
    Backlog("loyalty.deliver_outbox", "webhooks out", _webhooks),
    Backlog("orders.process_deliveries", "inbound deliveries", _deliveries),
)
