"""Tries to pay that failed while their order is open: told on the timeline, and counted as failed only later (E10)."""

from collections.abc import Sequence
from datetime import datetime

from loyalty.journal.models import JournalEntry
from loyalty.journal.record import Event, record
from loyalty.stores.actors import Actor
from orders.models import Order, PaymentStatus
from orders.services.events import happened_to


def note_attempts(order: Order, attempts: Sequence[str], *, actor: Actor, now: datetime) -> bool:
    """Tell each of these tries once, by the platform's id of it, on the locked order; whether one was news.

    The first one starts the wait for another that succeeds, or trying again and again would put it off for ever.
    """
    if not attempts:
        return False
    entries = JournalEntry.objects.for_store(order.store).filter(order=order, event=Event.PAYMENT_ATTEMPT_FAILED)
    known = set(entries.values_list("data__attempt", flat=True))
    news = [attempt for attempt in dict.fromkeys(attempts) if attempt not in known]
    if news and order.payment_status == PaymentStatus.PENDING and order.attempt_failed_at is None:
        order.attempt_failed_at = now
        order.save(update_fields=["attempt_failed_at"])
    told = [happened_to(order, Event.PAYMENT_ATTEMPT_FAILED, {"attempt": attempt}) for attempt in news]
    record(told, actor=actor, now=now)
    return bool(news)
