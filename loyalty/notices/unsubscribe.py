"""Reminders that a customer does not want: the link in each of them, and the wish that it records (H3, RFC 8058)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.core import signing
from django.db import transaction

from loyalty.database.named_stores import in_store
from loyalty.journal.record import Event, Happening, record
from loyalty.notices.models import Notice, NoticeStatus
from loyalty.stores.actors import Actor
from loyalty.stores.models import Customer, Store
from loyalty.web.addresses import common_page

# Who asks by the link: the customer, or whoever reads his mail.
BY_LINK: Final = Actor.command("link in a reminder")
_SALT: Final = "loyalty.notices.unsubscribe"


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose link it is."""

    store_id: int
    customer_id: int


def link_of(customer: Customer) -> str:
    """The address at which this customer stops reminders without signing in; good for ever, and for that alone."""
    token = signing.dumps([customer.store_id, customer.pk], salt=_SALT)
    return f"{public_url()}{common_page('reminders', token)}"


def public_url() -> str:
    """Where customers reach the product: what the installation says, else the first host that it answers to."""
    return settings.PUBLIC_URL.rstrip("/") or f"https://{settings.ALLOWED_HOSTS[0].lstrip('.')}"


def reader_of(token: str) -> Reader | None:
    """Whose link this is; None for what is no link of ours."""
    try:
        store_id, customer_id = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Reader(store_id, customer_id)


def find_reader(reader: Reader) -> Customer | None:
    """The customer, or who he was merged into; None where there is nobody any more. His store must be named."""
    store = Store.objects.filter(pk=reader.store_id).first()
    if store is None:
        return None
    rows = Customer.objects.for_store(store).select_related("store", "merged_into__store")
    found: Customer | None = rows.filter(pk=reader.customer_id).first()
    return found.kept if found else None


@transaction.atomic
def want_reminders(customer: Customer, *, wanted: bool, actor: Actor, now: datetime) -> bool:
    """Record whether a customer wants reminders; answers whether that is new.

    Reminders that wait are not sent any more.
    """
    with in_store(customer.store_id):
        rows = Customer.objects.for_store(customer.store).filter(pk=customer.pk, no_reminders_since__isnull=not wanted)
        if not rows.update(no_reminders_since=None if wanted else now, updated_at=now):
            return False
        if not wanted:
            withdraw_reminders(customer)
        event = Event.REMINDERS_WANTED if wanted else Event.REMINDERS_STOPPED
        record([Happening(customer.store_id, event, customer_id=customer.pk)], actor=actor, now=now)
    return True


def withdraw_reminders(customer: Customer) -> None:
    """Have the reminders that still wait for a customer not sent."""
    waiting = Notice.objects.for_store(customer.store).filter(customer=customer, about="expiring")
    waiting.filter(status=NoticeStatus.QUEUED).update(status=NoticeStatus.WITHDRAWN, next_attempt_at=None)
