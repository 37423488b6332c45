"""Trying again by hand what was given up."""

from datetime import datetime

from django.db import transaction

from loyalty.core.errors import Conflict, NotFound
from loyalty.jobs.periodic import wake
from loyalty.outbox.models import Message, MessageStatus
from loyalty.outbox.send import JOB
from loyalty.stores.models import Store


class NotRetryable(Conflict):
    """Only what was given up or waits for its turn can be tried again; what is done stays done."""

    code = "message-done"
    title = "This message has been carried out already."


@transaction.atomic
def retry(*, store: Store, message_id: int, now: datetime) -> Message:
    """Give a message its turn now, with all its attempts before it. Asking twice changes nothing more.

    Raises NotFound for a message of another store (T1), NotRetryable for one that is done.
    """
    message: Message | None = Message.objects.for_store(store).select_for_update().filter(pk=message_id).first()
    if message is None:
        raise NotFound(f"This store has no outgoing message with the id {message_id}.")
    if message.status == MessageStatus.DONE:
        raise NotRetryable("This message has been carried out already.")
    message.status, message.attempts, message.next_attempt_at = MessageStatus.QUEUED, 0, now
    message.save(update_fields=["status", "attempts", "next_attempt_at"])
    wake(JOB)
    return message
