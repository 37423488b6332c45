"""The people and keys of the demonstration, and what is printed of them."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password

from loyalty.stores.models import ApiKey, Membership, Role, Store, User
from orders.demo.cast import BOTH_STORES, OPERATOR, PASSWORD, STORES, DemoStore


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who may sign in; the operator's ``store`` is empty, for he sees all."""

    role: str
    email: str
    password: str
    store: str


def logins() -> list[Login]:
    """Everybody who can sign in to the demonstration."""
    staff = [Login(role, plan.email(role), PASSWORD, plan.slug) for plan in STORES for role in Role]
    both = [Login(plan.role_of_both, BOTH_STORES, PASSWORD, plan.slug) for plan in STORES]
    return [*staff, *both, Login("operator", OPERATOR, PASSWORD, "")]


@dataclass(frozen=True, slots=True)
class ShownKey:
    """One store's key, as its client sends it."""

    store: str
    key: str
