"""Privacy requests of shop platforms: somebody's data for staff to hand out, and erasing people and shops."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from loyalty.erasing import NAMED, erase_customers
from loyalty.journal.record import Event, Happening, record
from loyalty.platforms.connecting import forget
from loyalty.platforms.meanings import Person
from loyalty.platforms.models import (
    OPEN_STATES,
    DeliveryState,
    InboundDelivery,
    PlatformConnection,
    PrivacyKind,
    PrivacyRequest,
)
from loyalty.stores.actors import Actor
from loyalty.stores.identifying import has_platform_id
from loyalty.stores.merged import leading_to
from loyalty.stores.models import Customer, PlatformId, Store, fold_email
from orders.models import Order

_BATCH: Final = 200
# These empty themselves, and two of them must not wait for one another.
_PRIVACY_TOPICS: Final = ("customers/redact", "shop/redact", "merchants/redact")
_ERASED_WORDS: Final = "Erased before it was worked on: it named somebody whose data had to go."


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of a request, in a sentence; ``erase``: the message itself goes; ``again``: there is more to do."""

    words: str
    erase: bool = True
    again: bool = False


def note_request(delivery: InboundDelivery, person: Person, *, actor: Actor, now: datetime) -> Finished:
    """Put a customer's wish to know his data before staff; nothing is kept of who asked but the customer's row."""
    customers = _people(delivery.store, delivery.platform, person)
    for customer in _or_nobody(customers):
        facts = {"orders": list(person.orders), "known": customer is not None}
        _note(delivery, PrivacyKind.DATA, facts, now, customer=customer, actor=None if customer else actor)
    happenings = [Happening(delivery.store_id, Event.DATA_REQUESTED, customer_id=item.pk) for item in customers]
    record(happenings, actor=actor, now=now)
    if not customers:
        return Finished("Nothing is kept about this customer.")
    return Finished("Waits for staff under Privacy requests.")


def erase_person(delivery: InboundDelivery, person: Person, *, actor: Actor, now: datetime) -> Finished:
    """Erase a customer here, also in stored deliveries; sums stay. Somebody unknown is erased already."""
    store = delivery.store
    customers = _people(store, delivery.platform, person)
    ids = [customer.pk for customer in customers]
    # Deliveries first: a worker that holds one may wait for the customer, and must not be waited for then.
    emptied = _empty_deliveries(delivery, _of_person(store, ids, person))
    erased = erase_customers(store=store, customer_ids=ids, actor=actor, now=now)
    facts = {"customers": erased, "deliveries": emptied}
    for customer in _or_nobody(customers):
        _note(delivery, PrivacyKind.ERASE_CUSTOMER, facts, now, customer=customer, actor=actor)
    return Finished(f"Erased: {erased} customers here, {emptied} stored deliveries.")


def erase_shop(delivery: InboundDelivery, *, actor: Actor, now: datetime) -> Finished:
    """End the connection and erase the customers that only this platform told about, a batch at a time.

    Whoever also has orders that came another way is the store's own customer, and stays.
    """
    store = delivery.store
    request = _note(delivery, PrivacyKind.ERASE_SHOP, {"customers": 0, "deliveries": 0}, now, customer=None, actor=None)
    others = InboundDelivery.objects.for_store(store).filter(platform=delivery.platform)
    request.facts["deliveries"] += _empty_deliveries(delivery, others)
    ids = list(_known_from(store, delivery.platform).values_list("pk", flat=True)[:_BATCH])
    request.facts["customers"] += erase_customers(store=store, customer_ids=ids, actor=actor, now=now)
    more = len(ids) == _BATCH
    if not more:
        _disconnect(delivery, actor, now)
        request.done_at, request.done_by = now, actor.ref
    request.save(update_fields=["facts", "done_at", "done_by"])
    words = f"Erased: {request.facts['customers']} customers, {request.facts['deliveries']} stored deliveries"
    return Finished(f"{words}, the credentials.", again=more)


def _disconnect(delivery: InboundDelivery, actor: Actor, now: datetime) -> None:
    connected = PlatformConnection.objects.for_store(delivery.store).filter(platform=delivery.platform).first()
    if connected is not None:
        forget(connected, actor=actor, now=now)


def _note(
    delivery: InboundDelivery,
    kind: PrivacyKind,
    facts: dict[str, Any],
    now: datetime,
    *,
    customer: Customer | None,
    actor: Actor | None,
) -> PrivacyRequest:
    """The request as staff see it; done at once when there is an ``actor``. A repeat finds the first one."""
    key = f"{delivery.key}:{customer.pk}" if customer else delivery.key
    request: PrivacyRequest
    request, _created = PrivacyRequest.unscoped.get_or_create(
        store=delivery.store,
        platform=delivery.platform,
        key=key,
        defaults={
            "kind": kind,
            "customer": customer,
            "facts": facts,
            "received_at": delivery.received_at,
            "done_at": now if actor else None,
            "done_by": actor.ref if actor else "",
        },
    )
    return request


def _or_nobody(customers: Sequence[Customer]) -> Sequence[Customer | None]:
    return customers or [None]


def _people(store: Store, platform: str, person: Person) -> list[Customer]:
    """Whom a request means: the platform's own customer, and guests with his e-mail address."""
    ids = PlatformId.objects.for_store(store)
    named = ids.filter(platform=platform, external_id=person.external_id).values_list("customer_id", flat=True)
    means = Q(pk__in=list(named))
    if person.email:
        means |= Q(~has_platform_id(), external_id__isnull=True, email__folded=fold_email(person.email))
    people: QuerySet[Customer] = Customer.objects.for_store(store)
    return list(people.filter(pk__in=leading_to(people.filter(means))).order_by("pk"))


def _known_from(store: Store, platform: str) -> "QuerySet[Customer]":
    """Customers with orders of this platform and of no other source, who still have a name."""
    orders = Order.objects.for_store(store).filter(customer=OuterRef("pk")).order_by()
    customers: QuerySet[Customer] = Customer.objects.for_store(store).filter(
        NAMED, Exists(orders.filter(platform=platform)), ~Exists(orders.exclude(platform=platform))
    )
    return customers.order_by("pk")


def _of_person(store: Store, ids: Sequence[int], person: Person) -> "QuerySet[InboundDelivery]":
    """Stored deliveries about a person: of his orders, of orders that are named, or with his address inside."""
    about = Q(order__customer_id__in=ids) | Q(external_id__in=person.orders)
    rows: QuerySet[InboundDelivery] = InboundDelivery.objects.for_store(store)
    return rows.filter(about | Q(pk__in=_with_text(store, person.email)) if person.email else about)


def _with_text(store: Store, text: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM platforms_inbounddelivery "
            "WHERE store_id = %s AND position(lower(%s)::text IN lower(encode(body, 'escape'))) > 0",
            [store.pk, text],
        )
        return [row[0] for row in cursor.fetchall()]


def _empty_deliveries(asking: InboundDelivery, rows: "QuerySet[InboundDelivery]") -> int:
    """Take the bodies out of stored deliveries; what still waited among them is not worked on any more."""
    rows = rows.exclude(pk=asking.pk).exclude(topic__in=_PRIVACY_TOPICS).filter(redacted_at__isnull=True)
    locked = list(rows.select_for_update(of=("self",)).order_by("pk").only("pk", "state"))
    waiting = [row.pk for row in locked if row.state in OPEN_STATES]
    held = InboundDelivery.objects.for_store(asking.store)
    held.filter(pk__in=waiting).update(state=DeliveryState.IGNORED, next_attempt_at=None, outcome=_ERASED_WORDS)
    return held.filter(pk__in=[row.pk for row in locked]).update(body=b"", redacted_at=asking.received_at)
