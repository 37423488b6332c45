"""Privacy requests of shop platforms: somebody's data for staff to hand out, and erasing people and shops."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.errors import NotFound
from loyalty.customers.identify import has_platform_id
from loyalty.customers.merged import leading_to
from loyalty.journal.record import Event, Happening, record
from loyalty.platforms.connections.connect import forget
from loyalty.platforms.meaning import Person
from loyalty.platforms.models import (
    OPEN_STATES,
    DeliveryState,
    InboundDelivery,
    PlatformConnection,
    PrivacyKind,
    PrivacyRequest,
)
from loyalty.platforms.recognise import ERASING_TOPICS
from loyalty.platforms.webhooks.replay import replay
from loyalty.privacy.erase import NAMED, erase_customers
from loyalty.stores.actors import Actor
from loyalty.stores.compared import fold_email
from loyalty.stores.models import Customer, PlatformId, Store
from orders.models import Order
from orders.services.customers.forget_files import forget_files

_BATCH: Final = 200
# What an erasure counts, among the facts of its request.
_COUNTED: Final = ("customers", "deliveries")
_WAITS: Final = gettext_noop("Waits for staff under Privacy requests.")
_KEPT: Final = gettext_noop("Closed by staff: nothing was erased.")
_ERASED_WORDS: Final = gettext_noop("Erased before it was worked on: it named somebody whose data had to go.")


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
        return Finished(_("Nothing is kept about this customer."))
    return Finished(_(_WAITS))


def erase_person(delivery: InboundDelivery, person: Person, *, actor: Actor, now: datetime) -> Finished:
    """Put an erasure before staff, and carry out what they have confirmed, also in stored deliveries; sums stay.

    The message is kept until every customer whom it means is decided about: it says who that is. Somebody of whom
    nothing is kept is erased already.
    """
    requests = _requests_of(delivery) or _put_before_staff(delivery, person, actor, now)
    for request in requests:
        if request.done_at is None and request.confirmed_at is not None:
            _erase(request, delivery, person, now)
    if any(request.done_at is None for request in requests):
        return Finished(_(_WAITS), erase=False)
    if all(request.facts.get("kept") for request in requests):
        return Finished(_(_KEPT))
    customers, emptied = (sum(request.facts.get(name, 0) for request in requests) for name in _COUNTED)
    return Finished(
        _("Erased: %(customers)s customers here, %(deliveries)s stored deliveries.")
        % {"customers": customers, "deliveries": emptied}
    )


def _put_before_staff(
    delivery: InboundDelivery, person: Person, actor: Actor, now: datetime
) -> Sequence[PrivacyRequest]:
    customers = _people(delivery.store, delivery.platform, person)
    known = customers or _of_person(delivery.store, [], person).exclude(pk=delivery.pk).exists()
    facts = {"orders": list(person.orders)} | ({} if known else dict.fromkeys(_COUNTED, 0))
    by = None if known else actor
    kind = PrivacyKind.ERASE_CUSTOMER
    return [_note(delivery, kind, facts, now, customer=customer, actor=by) for customer in _or_nobody(customers)]


def _erase(request: PrivacyRequest, delivery: InboundDelivery, person: Person, now: datetime) -> None:
    store, ids = delivery.store, [request.customer_id] if request.customer_id else []
    # Deliveries first: a worker that holds one may wait for the customer, and must not be waited for then.
    emptied = _empty_deliveries(delivery, _of_person(store, ids, person))
    forget_files(store)
    erased = erase_customers(store=store, customer_ids=ids, actor=Actor.from_ref(request.confirmed_by), now=now)
    request.facts |= {"customers": erased, "deliveries": emptied}
    request.done_at, request.done_by = now, request.confirmed_by
    request.save(update_fields=["facts", "done_at", "done_by"])


def erase_shop(delivery: InboundDelivery, *, actor: Actor, now: datetime) -> Finished:
    """Put the end of a shop before staff; once confirmed, erase the customers that only this platform told about.

    A batch at a time, and the connection at the end. Whoever also has orders that came another way is the store's own
    customer, and stays.
    """
    store = delivery.store
    request = _note(delivery, PrivacyKind.ERASE_SHOP, dict.fromkeys(_COUNTED, 0), now, customer=None, actor=None)
    if request.done_at is None and request.confirmed_at is None:
        return Finished(_(_WAITS), erase=False)
    more = False
    if request.done_at is None:
        by = Actor.from_ref(request.confirmed_by)
        others = InboundDelivery.objects.for_store(store).filter(platform=delivery.platform)
        request.facts["deliveries"] += _empty_deliveries(delivery, others)
        ids = list(_known_from(store, delivery.platform).values_list("pk", flat=True)[:_BATCH])
        forget_files(store)
        request.facts["customers"] += erase_customers(store=store, customer_ids=ids, actor=by, now=now)
        more = len(ids) == _BATCH
        if not more:
            _disconnect(delivery, by, now)
            request.done_at, request.done_by = now, by.ref
        request.save(update_fields=["facts", "done_at", "done_by"])
    if request.facts.get("kept"):
        return Finished(_(_KEPT), again=more)
    words = _("Erased: %(customers)s customers, %(deliveries)s stored deliveries, the credentials.")
    return Finished(words % request.facts, again=more)


@transaction.atomic
def confirm_erasure(*, store: Store, request_id: int, actor: Actor, now: datetime) -> bool:
    """Have a job carry out an erasure that waits; False when it is under way or over. Raises NotFound (T1)."""
    request = _undecided(store, request_id)
    if request is None:
        return False
    request.confirmed_at, request.confirmed_by = now, actor.ref
    request.save(update_fields=["confirmed_at", "confirmed_by"])
    _go_on(request, now)
    return True


@transaction.atomic
def keep_instead(*, store: Store, request_id: int, actor: Actor, now: datetime) -> bool:
    """Close an erasure that waits and erase nothing; False when it is under way or over. Raises NotFound (T1)."""
    request = _undecided(store, request_id)
    if request is None:
        return False
    request.facts |= {"kept": True}
    request.done_at, request.done_by = now, actor.ref
    request.save(update_fields=["facts", "done_at", "done_by"])
    _go_on(request, now)
    return True


def _undecided(store: Store, request_id: int) -> PrivacyRequest | None:
    """The request, locked, if it still waits. Its delivery is locked first, as the job does it."""
    requests = PrivacyRequest.objects.for_store(store).exclude(kind=PrivacyKind.DATA).filter(pk=request_id)
    request: PrivacyRequest | None = requests.first()
    if request is None:
        raise NotFound(_("This store has no request for erasure with the id %(id)s.") % {"id": request_id})
    _delivery_of(request)
    return requests.select_for_update(of=("self",)).filter(done_at__isnull=True, confirmed_at__isnull=True).first()


def _delivery_of(request: PrivacyRequest) -> InboundDelivery | None:
    deliveries = InboundDelivery.objects.for_store(request.store).filter(platform=request.platform)
    delivery: InboundDelivery | None = (
        deliveries.filter(key=request.key.partition(":")[0]).select_for_update(of=("self",)).first()
    )
    return delivery


def _go_on(request: PrivacyRequest, now: datetime) -> None:
    """Have the delivery worked through once more: it says who is meant, and is emptied when nothing waits any more."""
    delivery = _delivery_of(request)
    if delivery is not None:
        replay(store=request.store, delivery_id=delivery.pk, now=now)


def _requests_of(delivery: InboundDelivery) -> Sequence[PrivacyRequest]:
    requests = PrivacyRequest.objects.for_store(delivery.store).filter(platform=delivery.platform)
    of_it = requests.filter(Q(key=delivery.key) | Q(key__startswith=f"{delivery.key}:"))
    return list(of_it.select_for_update(of=("self",)).order_by("pk"))


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
    request, _created = PrivacyRequest.objects.for_store(delivery.store).get_or_create(
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
        means |= Q(~has_platform_id(), external_id__isnull=True, folded_email=fold_email(person.email))
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
            "SELECT id FROM platforms_inbounddelivery WHERE store_id = %s AND position(lower(%s)::text IN "
            "lower(encode(body, 'escape'))) > 0",
            [store.pk, text],
        )
        return [row[0] for row in cursor.fetchall()]


def _empty_deliveries(asking: InboundDelivery, rows: "QuerySet[InboundDelivery]") -> int:
    """Take the bodies out of stored deliveries; what still waited among them is not worked on any more."""
    rows = rows.exclude(pk=asking.pk).exclude(topic__in=ERASING_TOPICS).filter(redacted_at__isnull=True)
    locked = list(rows.select_for_update(of=("self",)).order_by("pk").only("pk", "state"))
    waiting = [row.pk for row in locked if row.state in OPEN_STATES]
    held = InboundDelivery.objects.for_store(asking.store)
    held.filter(pk__in=waiting).update(state=DeliveryState.IGNORED, next_attempt_at=None, outcome=_ERASED_WORDS)
    return held.filter(pk__in=[row.pk for row in locked]).update(body=b"", redacted_at=asking.received_at)
