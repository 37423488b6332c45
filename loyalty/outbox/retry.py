"""Trying again by hand what was given up."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.errors import Conflict
from loyalty.jobs.retries import lock_own, start_over
from loyalty.jobs.waiting import Waiting
from loyalty.outbox.models import Message, MessageStatus
from loyalty.outbox.send import JOB
from loyalty.outbox.topics import OWN_PAGES, words_of
from loyalty.stores.models import Store
from loyalty.stores.roles import Can


class NotRetryable(Conflict):
    """Only what was given up or waits for its turn can be tried again; what is done stays done."""

    code = "message-done"
    title = gettext_noop("This message has been carried out already.")


@transaction.atomic
def retry(*, store: Store, message_id: int, now: datetime) -> Message:
    """Give a message its turn now, with all its attempts before it. Asking twice changes nothing more.

    Raises NotFound for a message of another store (T1), NotRetryable for one that is done.
    """
    message: Message = lock_own(Message.objects.for_store(store), message_id)
    if message.status == MessageStatus.DONE:
        raise NotRetryable(_("This message has been carried out already."))
    start_over(message, job=JOB, status=MessageStatus.QUEUED, attempts=0, next_attempt_at=now)
    return message


def failing(store: Store) -> "QuerySet[Message]":
    """The store's messages that failed and wait, or were given up."""
    rows: QuerySet[Message] = Message.objects.for_store(store)
    return rows.filter(Q(status=MessageStatus.FAILED) | (Q(status=MessageStatus.QUEUED) & ~Q(last_error="")))


WAITING: Final = Waiting(
    key="message",
    label=gettext_noop("Outgoing message"),
    rows=lambda store: failing(store).exclude(topic__in=OWN_PAGES),
    about="topic",
    says=words_of,
    needs=Can.CANCEL_ORDERS,
    again=lambda store, key, now: retry(store=store, message_id=key, now=now),
)
