"""Writing a notice, in the transaction of what it tells (H3)."""

import uuid
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from loyalty.core.locales import language_for
from loyalty.jobs.periodic import wake
from loyalty.journal.record import Event, Happening, record
from loyalty.languages.spoken import SOURCE
from loyalty.notices.models import Notice, NoticeStatus
from loyalty.outbox.models import Message as Outgoing
from loyalty.outbox.send import JOB, Later, send_later
from loyalty.outbox.topics import Postpone
from loyalty.stores.actors import Actor
from loyalty.stores.models import Customer, Store

WITHDRAW: Final = "notice.withdraw"
_A_MAIL_TAKES: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Message:
    """What a customer reads, twice: as HTML and as plain text; in the language in which it was put together."""

    subject: str
    text: str
    html: str
    language: str = field(default_factory=lambda: get_language() or SOURCE)
    about: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to one customer about one order."""

    message: Message
    customer: Customer
    order_id: int | None


def in_language_of(customer: Customer | None, store: Store) -> AbstractContextManager[None]:
    """Within, messages, amounts and dates are as this customer reads them: his language, else the store's."""
    return override(language_for(customer.locale if customer else "", store.locale))


def queue(letters: Iterable[Letter], *, actor: Actor, now: datetime) -> list[Notice]:
    """Write the letters, to be sent after the commit, in two statements; who has no e-mail address is left out."""
    notices = [_notice(letter, now) for letter in letters if letter.customer.email]
    if notices:
        Notice.unscoped.bulk_create(notices)
        record([_about(notice, Event.NOTICE_QUEUED) for notice in notices], actor=actor, now=now)
        wake("loyalty.deliver_notices")
    return notices


def withdraw(*, order_id: int, written_at: datetime, actor: Actor, now: datetime) -> list[int]:
    """Take back what was written about an order at ``written_at`` and has not gone out; answers the notices' ids.

    An operation reads the clock once, so its notice carries its very instant. For one that is being sent at this moment
    nobody waits, a mail server may take long: the outbox withdraws it later, should it still be to be tried again.
    """
    queued = Notice.unscoped.filter(order=order_id, created_at=written_at, status=NoticeStatus.QUEUED)
    store_of = dict(queued.values_list("pk", "store_id"))
    withdrawn = _withdraw(queued, actor, now)
    being_sent = sorted(store_of.keys() - withdrawn)
    send_later(
        (Later(store_of[pk], WITHDRAW, f"{WITHDRAW}:{pk}", {"notice": str(pk)}, order_id) for pk in being_sent), now=now
    )
    return withdrawn


def withdraw_later(message: Outgoing, now: datetime) -> None:
    """Withdraw a notice that was being sent, unless it has gone out; the outbox's handler."""
    notice = Notice.unscoped.filter(pk=message.body["notice"], status=NoticeStatus.QUEUED)
    with transaction.atomic():
        withdrawn = _withdraw(notice, Actor.job(JOB), now)
    if not withdrawn and notice.exists():
        raise Postpone(_("The message is being sent at this moment."), after=_A_MAIL_TAKES)


def _withdraw(queued: "QuerySet[Notice]", actor: Actor, now: datetime) -> list[int]:
    """Withdraw those that nobody is sending."""
    notices = list(queued.order_by("pk").select_for_update(no_key=True, skip_locked=True))
    ids = [notice.pk for notice in notices]
    if notices:
        Notice.unscoped.filter(pk__in=ids).update(status=NoticeStatus.WITHDRAWN, next_attempt_at=None)
        record([_about(notice, Event.NOTICE_WITHDRAWN) for notice in notices], actor=actor, now=now)
    return ids


def _notice(letter: Letter, now: datetime) -> Notice:
    return Notice(
        store_id=letter.customer.store_id,
        customer=letter.customer,
        order_id=letter.order_id,
        to_email=letter.customer.email,
        subject=_one_line(letter.message.subject),
        text=letter.message.text,
        html=letter.message.html,
        language=letter.message.language,
        about=letter.message.about,
        message_id=f"<{uuid.uuid4()}@loyalty-back-office>",
        status=NoticeStatus.QUEUED,
        next_attempt_at=now,
        created_at=now,
    )


def _one_line(subject: str) -> str:
    # Shop names and order numbers are other people's text; a mail header takes no line ends, the column 200 characters.
    return " ".join(subject.split())[:200]


def _about(notice: Notice, event: Event) -> Happening:
    return Happening(
        store_id=notice.store_id,
        event=event,
        order_id=notice.order_id,
        customer_id=notice.customer_id,
        data={"notice": str(notice.pk)},
    )
