"""Writing a notice, in the transaction of what it tells (H3)."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from loyalty.jobs import wake
from loyalty.journal.record import Event, Happening, record
from loyalty.notices.models import Notice, NoticeStatus
from loyalty.stores.actors import Actor
from loyalty.stores.models import Customer


@dataclass(frozen=True, slots=True)
class Message:
    """What a customer reads, twice: as HTML and as plain text."""

    subject: str
    text: str
    html: str


def queue(message: Message, *, customer: Customer, order_id: int | None, actor: Actor, now: datetime) -> Notice | None:
    """Write the message to be sent after the commit; None when the customer has no e-mail address."""
    if not customer.email:
        return None
    notice: Notice = Notice.unscoped.create(
        store_id=customer.store_id,
        customer=customer,
        order_id=order_id,
        to_email=customer.email,
        subject=message.subject,
        text=message.text,
        html=message.html,
        message_id=f"<{uuid.uuid4()}@loyalty-back-office>",
        status=NoticeStatus.QUEUED,
        next_attempt_at=now,
        created_at=now,
    )
    happening = Happening(
        store_id=customer.store_id,
        event=Event.NOTICE_QUEUED,
        order_id=order_id,
        customer_id=customer.pk,
        data={"notice": str(notice.pk)},
    )
    record([happening], actor=actor, now=now)
    wake("loyalty.deliver_notices")
    return notice
