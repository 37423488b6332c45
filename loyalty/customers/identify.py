"""Who is this: the one answer for orders, spends and messages, whatever they name somebody by (O7)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from loyalty.customers.directory import CustomerFacts as CustomerFacts
from loyalty.customers.directory import Directory
from loyalty.customers.merged import hold_person, leading_to
from loyalty.stores.compared import fold_email
from loyalty.stores.models import Customer, PlatformId, Store


def identify(store: Store, facts: CustomerFacts, *, now: datetime) -> Customer | None:
    """The customer whom ``facts`` mean: by id, else by e-mail where it is one customer's alone, else a new one (O7).

    Whoever is found by e-mail takes the id over: a platform's newest one is the current one from then on, the store's
    own only where there is none yet. What is known is never overwritten, blanks are filled. None when the facts name
    nobody, and for a guest whose e-mail several customers have: nobody is guessed. Must run in a transaction, until
    whose end the customer is not merged into another.
    """
    return identify_all(store, [facts], now=now)[0]


def identify_all(store: Store, said: Sequence[CustomerFacts], *, now: datetime) -> list[Customer | None]:
    """What :func:`identify` answers for each, one after the other, in statements that do not grow with them."""
    names = {name for facts in said for name in facts.names()}
    if not names:
        return [None] * len(said)
    _one_at_a_time(store, names)
    directory = Directory(store, said, now=now)
    people = [directory.identify(facts) for facts in said]
    directory.save()
    return people


def known_to_platforms(store: Store, facts: CustomerFacts, *, now: datetime) -> Customer | None:
    """The one customer with this e-mail whom platforms alone have numbers for: the store's own is his from now on (O7).

    None where there is nobody such, and for facts without an own id and an e-mail: then they are somebody new. Must run
    in a transaction, as :func:`identify`.
    """
    if facts.platform or not facts.external_id:
        return None
    namesakes = with_email(store, facts.email)
    customers = Customer.objects.for_store(store)
    waiting = customers.filter(has_platform_id(), pk__in=namesakes, external_id__isnull=True)
    if len(namesakes) != 1 or not waiting.exists() or customers.filter(external_id=facts.external_id).exists():
        return None
    return identify(store, facts, now=now)


def with_email(store: Store, email: str) -> list[int]:
    """Whom this e-mail address leads to; two ids at most, for more say nothing else."""
    if not fold_email(email):
        return []
    namesakes = leading_to(Customer.objects.for_store(store).filter(folded_email=fold_email(email)))
    return list(namesakes.distinct()[:2])


def with_platform_id(store: Store, platform: str, external_id: str) -> int | None:
    """Whom ``platform`` calls, or once called, by this id."""
    ids = PlatformId.objects.for_store(store).filter(platform=platform, external_id=external_id)
    return ids.values_list("customer_id", flat=True).first()


def platform_ids(customer_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """The current ids of these customers, by customer and platform; one query."""
    ids: dict[int, dict[str, str]] = defaultdict(dict)
    current = PlatformId.unscoped.filter(customer__in=customer_ids, replaced_at__isnull=True).order_by("platform")
    for customer_id, platform, external_id in current.values_list("customer_id", "platform", "external_id"):
        ids[customer_id][platform] = external_id
    return ids


def has_platform_id(**named: str) -> Q:
    """Customers with an id on a platform, present or earlier, as ``named``: by platform, external_id, both or none."""
    return Q(Exists(PlatformId.unscoped.filter(store=OuterRef("store"), customer=OuterRef("pk"), **named)))


def take_platform_id(customer: Customer, platform: str, external_id: str, *, now: datetime) -> None:
    """Make an id that nobody has this customer's current one on ``platform``; an earlier one still leads to him."""
    _replace_id(customer, platform, now)
    _add_id(customer, platform, external_id, now)


def add_earlier_platform_id(store: Store, platform: str, external_id: str, *, leads_to: str, now: datetime) -> None:
    """Have an id that nobody has lead to the customer with another one there, who keeps that as his current one."""
    current = PlatformId.objects.for_store(store).get(platform=platform, external_id=leads_to)
    PlatformId.objects.create(
        store=store,
        customer=hold_person(current.customer_id),
        platform=platform,
        external_id=external_id,
        created_at=now,
        replaced_at=now,
    )


def hold_platform_ids(store: Store, platform: str, external_ids: Collection[str]) -> None:
    """Let nobody come to be known by these ids until the transaction ends; :func:`identify` waits for it."""
    _one_at_a_time(store, [f"id:{platform}:{external_id}" for external_id in external_ids])


def _replace_id(customer: Customer, platform: str, now: datetime) -> None:
    current = PlatformId.unscoped.filter(customer=customer, platform=platform, replaced_at__isnull=True)
    current.update(replaced_at=now)


def _add_id(customer: Customer, platform: str, external_id: str, now: datetime) -> None:
    PlatformId.objects.create(
        store_id=customer.store_id, customer=customer, platform=platform, external_id=external_id, created_at=now
    )


def _one_at_a_time(store: Store, names: Iterable[str]) -> None:
    # Two orders of a new customer that arrive together must not create him twice. Orders name him by id or by e-mail,
    # so both are locked, in one fixed order.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('customer:' || name, %s)) FROM unnest(%s::text[]) AS name",
            [store.pk, sorted(names)],
        )
