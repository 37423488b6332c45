"""Writing a notice, in the transaction of what it tells (H3)."""

import uuid
from collections.abc import Iterable
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


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to one customer about one order."""

    message: Message
    customer: Customer
    order_id: int | None


def queue(letters: Iterable[Letter], *, actor: Actor, now: datetime) -> list[Notice]:
    """Write the letters, to be sent after the commit, in two statements; who has no e-mail address is left out."""
    notices = [_notice(letter, now) for letter in letters if letter.customer.email]
    if notices:
        Notice.unscoped.bulk_create(notices)
        record([_queued(notice) for notice in notices], actor=actor, now=now)
        wake("loyalty.deliver_notices")
    return notices


def _notice(letter: Letter, now: datetime) -> Notice:
    return Notice(
        store_id=letter.customer.store_id,
        customer=letter.customer,
        order_id=letter.order_id,
        to_email=letter.customer.email,
        subject=_one_line(letter.message.subject),
        text=letter.message.text,
        html=letter.message.html,
        message_id=f"<{uuid.uuid4()}@loyalty-back-office>",
        status=NoticeStatus.QUEUED,
        next_attempt_at=now,
        created_at=now,
    )


def _one_line(subject: str) -> str:
    # Shop names and order numbers are other people's text; a mail header takes no line ends, the column 200 characters.
    return " ".join(subject.split())[:200]


def _queued(notice: Notice) -> Happening:
    return Happening(
        store_id=notice.store_id,
        event=Event.NOTICE_QUEUED,
        order_id=notice.order_id,
        customer_id=notice.customer_id,
        data={"notice": str(notice.pk)},
    )
