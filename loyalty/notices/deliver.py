"""Sending what was queued: retried with growing pauses, once (H3)."""

import logging
from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import partial
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string
from django.utils.translation import gettext_noop

from loyalty.jobs.one_by_one import alone_with, one_by_one
from loyalty.jobs.periodic import Counts
from loyalty.jobs.retries import NOTICES, REFUSED_MAIL, Pauses, next_due, put_all_off, put_off, words_of
from loyalty.jobs.turns import Turns, stores_due
from loyalty.jobs.waiting import Waiting
from loyalty.journal.record import Event, Happening, record
from loyalty.languages.spoken import SOURCE
from loyalty.notices.models import Notice, NoticeStatus
from loyalty.notices.unsubscribe import link_of
from loyalty.partners.breaker import NoAnswer
from loyalty.partners.mail import Mail, MailRefused, ServerAway, send
from loyalty.store_settings.logo import enclosed_in
from loyalty.store_settings.sections import current_settings
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from loyalty.stores.roles import Can

logger = logging.getLogger(__name__)

ACTOR: Final = Actor.job("loyalty.deliver_notices")
# Who writes notices because a day has come rather than because something happened; each answers how many it wrote.
# Named as strings, because the foundation imports none of the apps that stand on it.
WRITERS: Final[tuple[str, ...]] = ("orders.services.customers.remind.write_reminders",)
_UNASKED: Final[frozenset[str]] = frozenset({"expiring"})
_TURNS: Final = Turns(ACTOR.key)
_MARKS: Final = ("status", "attempts", "next_attempt_at", "last_error", "sent_at")


def deliver_notices(now: datetime) -> Counts:
    """Write the notices whose day has come, then send every notice whose turn has come.

    A writer that fails holds up no notice: they are sent, and then its error is raised.
    """
    counts = {"sent": 0, "postponed": 0, "failed": 0, "reminders": 0}
    try:
        for writer in WRITERS:
            counts["reminders"] += import_string(writer)(now)
    finally:
        for outcome in one_by_one(partial(_deliver_next, now), job=ACTOR.key):
            counts[outcome] += 1
    return counts


@transaction.atomic
def _deliver_next(now: datetime, left_out: AbstractSet[int]) -> str | None:
    """Send one notice; its row stays locked meanwhile, so that no second worker sends it too.

    A worker killed between the mail server's answer and the commit makes a repeat possible; it carries the same
    Message-ID, which mail servers drop.
    """
    with _TURNS.turn(lambda: stores_due(Notice, now), partial(_claim, now, left_out)) as notice:
        if notice is None:
            return None
        with alone_with(notice):
            outcome = _deliver(notice, now)
        if isinstance(outcome, NoAnswer):
            # Nobody's mail can be sent: all that are due wait, and none of them has failed.
            put_all_off(_queued(), outcome, job=ACTOR.key, now=now)
            return "postponed"
        return outcome


def _claim(now: datetime, left_out: AbstractSet[int], store_id: int | None) -> Notice | None:
    return next_due(_queued().filter(store=store_id).select_related("store"), now, left_out)


def _queued() -> "QuerySet[Notice]":
    return Notice.unscoped.filter(status=NoticeStatus.QUEUED)


def _deliver(notice: Notice, now: datetime) -> str | NoAnswer:
    notice.attempts += 1
    try:
        send(_mail(notice))
    except NoAnswer as error:
        logger.warning("Notice %s was not sent: no mail can be sent.", notice.pk)
        if isinstance(error, ServerAway) and error.at_a_mail:
            # It may be this mail that the server cannot bear: it has its own turn, so that it does not stay the first.
            _postpone(notice, str(error), NOTICES, now)
        return error
    except MailRefused as error:
        return _postpone(notice, str(error), REFUSED_MAIL if error.for_good else NOTICES, now)
    except Exception as error:
        # An address or header that no library can write down: whatever it is, it is this notice's alone, and must not
        # hold up those behind it.
        logger.warning("Notice %s was not sent (attempt %s).", notice.pk, notice.attempts, exc_info=_unforeseen(error))
        return _postpone(notice, words_of(error), NOTICES, now)
    notice.status, notice.sent_at, notice.next_attempt_at, notice.last_error = NoticeStatus.SENT, now, None, ""
    notice.save(update_fields=_MARKS)
    _note(notice, Event.NOTICE_SENT, now)
    return "sent"


def _postpone(notice: Notice, why: str, pauses: Pauses, now: datetime) -> str:
    goes_on = put_off(notice, why, pauses, now)
    notice.status = NoticeStatus.QUEUED if goes_on else NoticeStatus.FAILED
    notice.save(update_fields=_MARKS)
    if goes_on:
        return "postponed"
    _note(notice, Event.NOTICE_FAILED, now)
    return "failed"


def _unforeseen(error: Exception) -> Exception | None:
    return None if isinstance(error, ValueError) else error


def _mail(notice: Notice) -> Mail:
    letterhead = current_settings(notice.store).letterhead
    return Mail(
        to=notice.to_email,
        subject=notice.subject,
        text=notice.text,
        html=notice.html,
        message_id=notice.message_id,
        from_name=letterhead.sender or notice.store.name,
        reply_to=letterhead.reply_to,
        enclosed=enclosed_in(notice.html, notice.store),
        headers={"Content-Language": notice.language or SOURCE, **_thread(notice), **_way_out(notice)},
    )


def _thread(notice: Notice) -> dict[str, str]:
    """What mail programs put under the first message about the same order by."""
    if notice.order_id is None:
        return {}
    sent = Notice.objects.for_store(notice.store).filter(order=notice.order_id, status=NoticeStatus.SENT)
    first = sent.filter(customer=notice.customer_id).order_by("pk").values_list("message_id", flat=True).first()
    return {"In-Reply-To": first, "References": first} if first else {}


def _way_out(notice: Notice) -> dict[str, str]:
    """How a mail program stops letters that are not about what the customer did himself (RFC 8058)."""
    if notice.about not in _UNASKED:
        return {}
    return {
        "List-Unsubscribe": f"<{link_of(notice.customer)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _note(notice: Notice, event: Event, now: datetime) -> None:
    happening = Happening(
        store_id=notice.store_id,
        event=event,
        order_id=notice.order_id,
        customer_id=notice.customer_id,
        data={"notice": str(notice.pk), "attempts": notice.attempts},
    )
    record([happening], actor=ACTOR, now=now)


def _failing(store: Store) -> "QuerySet[Notice]":
    # One whose customer was erased has nobody to go to.
    rows: QuerySet[Notice] = Notice.objects.for_store(store).exclude(to_email="")
    return rows.filter(Q(status=NoticeStatus.FAILED) | (Q(status=NoticeStatus.QUEUED) & ~Q(last_error="")))


WAITING: Final = Waiting(
    key="notice",
    label=gettext_noop("Message to a customer"),
    rows=_failing,
    about="subject",
    job=ACTOR.key,
    reopened={"status": NoticeStatus.QUEUED},
    needs=Can.CANCEL_ORDERS,
)
