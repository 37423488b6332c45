"""The people and keys of the demonstration, and what is printed of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.contrib.auth.hashers import make_password

from loyalty.accounts.prove import prove
from loyalty.stores.models import ApiKey, Membership, Role, Store, User
from orders.demo.cast import BOTH_STORES, OPERATOR, PASSWORD, STORES, DemoStore


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who may sign in; the operator's ``store`` is empty, for he sees all."""

    role: str
    email: str
    password: str
    store: str


@dataclass(frozen=True, slots=True)
class ShownKey:
    """One store's key, as its client sends it."""

    store: str
    key: str


def logins() -> list[Login]:
    """Everybody who can sign in to the demonstration."""
    staff = [Login(role.value, plan.email(role), PASSWORD, plan.slug) for plan in STORES for role in Role]
    both = [Login(plan.role_of_both.value, BOTH_STORES, PASSWORD, plan.slug) for plan in STORES]
    return [*staff, *both, Login("operator", OPERATOR, PASSWORD, "")]


def shown_keys() -> list[ShownKey]:
    """The key of each store: always the same ones, so that they can be shown again."""
    return [ShownKey(plan.slug, f"lbo_{_prefix(plan.slug)}_{_secret(plan.slug)}") for plan in STORES]


def make_people(plan: DemoStore, store: Store) -> dict[Role, User]:
    """The store's staff by role; whoever works in both stores, and the operator, are made with the first one."""
    # All share one password that everybody knows, so its slow hash is made once.
    password = make_password(PASSWORD)
    staff = {role: _person(plan.email(role), f"{plan.name} {role.label}", password) for role in Role}
    both = _person(BOTH_STORES, "Robin of both stores", password)
    _person(OPERATOR, "Platform operator", password, is_superuser=True)
    Membership.objects.bulk_create(_memberships(store, [*staff.items(), (plan.role_of_both, both)]))
    return staff


def make_api_key(store: Store, *, now: datetime) -> ApiKey:
    """The store's key, which may do everything."""
    key: ApiKey = ApiKey.objects.for_store(store).create(
        store=store,
        name="Demonstration",
        prefix=_prefix(store.slug),
        secret_hash=sha256(_secret(store.slug).encode()).hexdigest(),
        scopes=["*"],
        created_at=now,
    )
    return key


def _person(email: str, name: str, password: str, *, is_superuser: bool = False) -> User:
    facts = {"name": name, "password": password, "is_superuser": is_superuser}
    person, _ = User.objects.get_or_create(email=email, defaults=facts)
    prove(person)
    return person


def _memberships(store: Store, people: Iterable[tuple[Role, User]]) -> list[Membership]:
    return [Membership(store=store, user=user, role=role) for role, user in people]


def _prefix(slug: str) -> str:
    return f"demo{sha256(slug.encode()).hexdigest()[:8]}"


def _secret(slug: str) -> str:
    return sha256(f"demonstration key of {slug}".encode()).hexdigest()
