"""Whom the names in a batch of facts mean, held in memory until all of it is known and then written at once (O7)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any, Final

from loyalty.customers.merged import hold_people
from loyalty.database.bulk import array, insert, update
from loyalty.database.prepared import ask
from loyalty.stores.compared import fold_email
from loyalty.stores.models import Customer, PlatformId, Store


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

    @property
    def own_id(self) -> str | None:
        """The store's own number for him."""
        return None if self.platform else self.external_id or None

    def names(self) -> Iterator[str]:
        """What he may be found by: nobody else may be made known by it at the same time."""
        if self.external_id:
            yield f"id:{self.platform}:{self.external_id}"
        if email := fold_email(self.email):
            yield f"email:{email}"


# Joined to the names, which are looked up one by one, or hashed: a list would be compared, customer by customer.
_OWN_IDS: Final = """
SELECT c.external_id, c.id FROM unnest(%s::text[]) AS said (name)
JOIN stores_customer AS c ON c.store_id = %s AND c.external_id = said.name
"""
_EMAILS: Final = """
SELECT c.folded_email, coalesce(c.merged_into_id, c.id) FROM unnest(%s::text[]) AS said (name)
JOIN stores_customer AS c ON c.store_id = %s AND c.folded_email = said.name
"""
# What is filled in where it is blank.
_BLANKS: Final = ("external_id", "email", "name", "phone", "locale")


@dataclass(slots=True, eq=False)
class _Person:
    """A customer, and which of his blanks were filled; one who is not stored yet has no id."""

    customer: Customer
    filled: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _NewId:
    """A platform's id that somebody is known by from now on; ``replaced``: a still newer one is the current one."""

    person: _Person
    platform: str
    external_id: str
    replaced: bool = False


class Directory:
    """The customers of a store whom some facts may mean, found with a number of queries that does not grow with them.

    :meth:`identify` answers fact by fact what one after the other would come to; :meth:`save` writes what is new.
    Callers hold the names in the facts, and whoever is found is not merged until the transaction ends.
    """

    def __init__(self, store: Store, facts: Sequence[CustomerFacts], *, now: datetime) -> None:
        self._store, self._now = store, now
        self._ids: dict[tuple[str, str], _Person] = {}
        self._emails: dict[str, list[_Person]] = defaultdict(list)
        # Addresses that several customers have: they mean nobody.
        self._shared: set[str] = set()
        self._new: list[_Person] = []
        self._new_ids: list[_NewId] = []
        self._current: dict[tuple[_Person, str], _NewId] = {}
        self._losing: dict[str, list[_Person]] = defaultdict(list)
        self._load(facts)

    def identify(self, facts: CustomerFacts) -> Customer | None:
        """The customer whom ``facts`` mean, as :func:`~loyalty.customers.identify.identify` says it."""
        known = self._ids.get((facts.platform, facts.external_id)) if facts.external_id else None
        if known is not None:
            self._fill(known, facts)
            return known.customer
        email = fold_email(facts.email)
        namesakes = self._emails.get(email, ()) if email else ()
        several = email in self._shared or len(namesakes) > 1
        if not facts.external_id and (several or not email):
            return None
        namesake = namesakes[0] if namesakes and not several and _may_be(namesakes[0].customer, facts) else None
        if namesake is not None:
            self._fill(namesake, facts)
        person = namesake or self._create(facts)
        if facts.platform and facts.external_id:
            self._add_id(person, facts.platform, facts.external_id)
        return person.customer

    def save(self) -> None:
        """Write new customers, filled blanks and new ids; those who were new have their ids afterwards."""
        self._save_new()
        self._save_blanks()
        for platform, people in self._losing.items():
            current = PlatformId.objects.for_store(self._store).filter(
                customer__in=[person.customer.pk for person in people]
            )
            current.filter(platform=platform, replaced_at__isnull=True).update(replaced_at=self._now)
        self._save_ids()

    def _load(self, facts: Sequence[CustomerFacts]) -> None:
        known = self._known_ids(facts)
        emails = {fold_email(said.email) for said in facts if (said.platform, said.external_id or "") not in known}
        namesakes = self._namesakes(emails - {""})
        self._shared = {email for email, ids in namesakes.items() if len(ids) > 1}
        alone = {email: next(iter(ids)) for email, ids in namesakes.items() if len(ids) == 1}
        held = hold_people({*known.values(), *alone.values()})
        people = {customer.pk: _Person(customer) for customer in held.values()}
        self._ids = {name: people[held[pk].pk] for name, pk in known.items()}
        for email, pk in alone.items():
            self._emails[email].append(people[held[pk].pk])

    def _known_ids(self, facts: Sequence[CustomerFacts]) -> dict[tuple[str, str], int]:
        """Whom ids lead to, by platform, ``""`` for the store's own, and id."""
        there: dict[str, set[str]] = defaultdict(set)
        for said in facts:
            if said.external_id:
                there[said.platform].add(said.external_id)
        own = there.pop("", set())
        known = {("", name): pk for name, pk in self._ask(_OWN_IDS, own)} if own else {}
        for platform, names in there.items():
            ids = PlatformId.objects.for_store(self._store).filter(platform=platform, external_id__in=names)
            known |= {(platform, name): pk for name, pk in ids.values_list("external_id", "customer_id")}
        return known

    def _namesakes(self, emails: set[str]) -> dict[str, set[int]]:
        """Whom e-mail addresses lead to."""
        found: dict[str, set[int]] = defaultdict(set)
        for email, pk in self._ask(_EMAILS, emails) if emails else ():
            found[email].add(pk)
        return found

    def _ask(self, statement: str, texts: set[str]) -> list[tuple[str, int]]:
        return ask(statement, [array(texts), self._store.pk]).rows()

    def _create(self, facts: CustomerFacts) -> _Person:
        customer = Customer(
            store=self._store,
            external_id=facts.own_id,
            email=facts.email.strip(),
            name=facts.name,
            phone=facts.phone,
            locale=facts.locale,
            created_at=self._now,
            updated_at=self._now,
        )
        person = _Person(customer)
        self._new.append(person)
        self._make_known(person)
        return person

    def _fill(self, person: _Person, facts: CustomerFacts) -> None:
        known = {"external_id": facts.own_id, "email": facts.email.strip()}
        known |= {name: getattr(facts, name) for name in ("name", "phone", "locale")}
        missing = {name: value for name, value in known.items() if value and not getattr(person.customer, name)}
        if missing:
            for name, value in missing.items():
                setattr(person.customer, name, value)
            person.customer.updated_at = self._now
            person.filled |= missing.keys()
            self._make_known(person)

    def _make_known(self, person: _Person) -> None:
        if person.customer.external_id:
            self._ids["", person.customer.external_id] = person
        email = fold_email(person.customer.email)
        if email and person not in self._emails[email]:
            self._emails[email].append(person)

    def _add_id(self, person: _Person, platform: str, external_id: str) -> None:
        before = self._current.get((person, platform))
        if before is not None:
            before.replaced = True
        elif person.customer.pk is not None:
            self._losing[platform].append(person)
        self._current[person, platform] = new = _NewId(person, platform, external_id)
        self._new_ids.append(new)
        self._ids[platform, external_id] = person

    def _save_new(self) -> None:
        customers = [person.customer for person in self._new]
        names = ("store_id", *_BLANKS, "created_at", "updated_at")
        columns = {name: [getattr(customer, name) for customer in customers] for name in names}
        for person, pk in zip(self._new, insert(Customer, columns) if customers else (), strict=True):
            person.customer.pk = pk
            person.filled.clear()

    def _save_blanks(self) -> None:
        """Only what was blank is written, for others may be filling other blanks."""
        everybody = dict.fromkeys((*self._ids.values(), *chain.from_iterable(self._emails.values())))
        alike: dict[tuple[str, ...], list[Customer]] = defaultdict(list)
        for person in everybody:
            if person.filled:
                alike[tuple(sorted(person.filled))].append(person.customer)
        for names, customers in alike.items():
            columns: dict[str, list[Any]] = {name: [getattr(one, name) for one in customers] for name in names}
            columns["updated_at"] = [self._now] * len(customers)
            update(Customer, [customer.pk for customer in customers], columns)

    def _save_ids(self) -> None:
        count = len(self._new_ids)
        columns: dict[str, list[Any]] = {
            "store_id": [self._store.pk] * count,
            "customer_id": [new.person.customer.pk for new in self._new_ids],
            "platform": [new.platform for new in self._new_ids],
            "external_id": [new.external_id for new in self._new_ids],
            "created_at": [self._now] * count,
            "replaced_at": [self._now if new.replaced else None for new in self._new_ids],
        }
        if count:
            insert(PlatformId, columns)


def _may_be(namesake: Customer, facts: CustomerFacts) -> bool:
    """Whether the only customer with this e-mail is meant: the store itself tells two of its own numbers apart."""
    return bool(facts.platform) or not facts.external_id or namesake.external_id is None
