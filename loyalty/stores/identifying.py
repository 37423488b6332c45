"""Who is this: the one answer for orders, spends and messages, whatever they name somebody by (O7)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from loyalty.stores.merged import hold_person, leading_to
from loyalty.stores.models import Customer, PlatformId, Store, fold_email


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """What is said about somebody; a guest has no ``external_id``.

    ``platform`` says whose number ``external_id`` is: a shop platform's, or with ``""`` the store's own. Customer 26
    there is not customer 26 here.
    """

    external_id: str | None
    email: str
    name: str
    phone: str = ""
    locale: str = ""
    platform: str = ""


def identify(store: Store, facts: CustomerFacts, *, now: datetime) -> Customer | None:
    """The customer whom ``facts`` mean: by id, else by e-mail where it is one customer's alone, else a new one (O7).

    Whoever is found by e-mail takes the id over: a platform's newest one is the current one from then on, the store's
    own only where there is none yet. What is known is never overwritten, blanks are filled. None when the facts name
    nobody, and for a guest whose e-mail several customers have: nobody is guessed. Must run in a transaction, until
    whose end the customer is not merged into another.
    """
    if not facts.external_id and not fold_email(facts.email):
        return None
    _one_at_a_time(store, _names(facts))
    known = _by_id(store, facts)
    if known is not None:
        customer = hold_person(known)
        _fill(customer, facts, now)
        return customer
    namesakes = with_email(store, facts.email)
    if len(namesakes) > 1 and not facts.external_id:
        return None
    namesake = hold_person(namesakes[0]) if len(namesakes) == 1 else None
    if namesake is not None and not _may_be(namesake, facts):
        namesake = None
    if namesake is not None:
        _fill(namesake, facts, now)
    customer = namesake or _create(store, facts, now)
    if facts.platform and facts.external_id:
        if namesake is not None:
            _replace_id(namesake, facts.platform, now)
        _add_id(customer, facts.platform, facts.external_id, now)
    return customer


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
    namesakes = leading_to(Customer.objects.for_store(store).filter(email__folded=fold_email(email)))
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
    PlatformId.unscoped.create(
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
    PlatformId.unscoped.create(
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


def _names(facts: CustomerFacts) -> Iterator[str]:
    if facts.external_id:
        yield f"id:{facts.platform}:{facts.external_id}"
    if email := fold_email(facts.email):
        yield f"email:{email}"


def _by_id(store: Store, facts: CustomerFacts) -> int | None:
    if not facts.external_id:
        return None
    if facts.platform:
        return with_platform_id(store, facts.platform, facts.external_id)
    own = Customer.objects.for_store(store).filter(external_id=facts.external_id)
    return own.values_list("pk", flat=True).first()


def _may_be(namesake: Customer, facts: CustomerFacts) -> bool:
    """Whether the only customer with this e-mail is meant: the store itself tells two of its own numbers apart."""
    return bool(facts.platform) or not facts.external_id or namesake.external_id is None


def _create(store: Store, facts: CustomerFacts, now: datetime) -> Customer:
    customer: Customer = Customer.unscoped.create(
        store=store,
        external_id=_own_id(facts),
        email=facts.email.strip(),
        name=facts.name,
        phone=facts.phone,
        locale=facts.locale,
        created_at=now,
        updated_at=now,
    )
    return customer


def _fill(customer: Customer, facts: CustomerFacts, now: datetime) -> None:
    known = {"external_id": _own_id(facts), "email": facts.email.strip()}
    known |= {name: getattr(facts, name) for name in ("name", "phone", "locale")}
    missing = {name: value for name, value in known.items() if value and not getattr(customer, name)}
    if missing:
        for name, value in missing.items():
            setattr(customer, name, value)
        customer.updated_at = now
        customer.save(update_fields=[*missing, "updated_at"])


def _own_id(facts: CustomerFacts) -> str | None:
    return None if facts.platform else facts.external_id or None
