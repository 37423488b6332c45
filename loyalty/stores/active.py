"""The store that a signed-in person is working in, and what he may do there (T2)."""

from dataclasses import dataclass
from typing import Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from loyalty.stores.actors import Actor
from loyalty.stores.models import Membership, Role, Store, User
from loyalty.stores.roles import Can, allows

SESSION_KEY: Final = "active_store"


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where a person works now, and where else he could."""

    store: Store | None
    role: Role | None
    others: tuple[Store, ...] = ()


class StaffRequest(HttpRequest):
    """A request after :class:`~loyalty.stores.middleware.ActiveStoreMiddleware`."""

    store: Store | None
    role: Role | None
    other_stores: tuple[Store, ...]


def find_workplace(user: User, wanted: int | None) -> Workplace:
    """The store ``wanted`` if the person works there, else the first of his stores; read anew for every request.

    A platform operator works everywhere, as an owner does (T2). At most two queries.
    """
    if user.is_superuser:
        stores = Store.objects.order_by("name", "pk")
        store = (wanted and stores.filter(pk=wanted).first()) or stores.first()
        return Workplace(store, Role.OWNER if store else None)
    mine = list(Membership.objects.filter(user=user).select_related("store").order_by("store__name", "store_id"))
    chosen = next((row for row in mine if row.store_id == wanted), mine[0] if mine else None)
    if chosen is None:
        return Workplace(None, None)
    others = tuple(row.store for row in mine if row is not chosen)
    return Workplace(chosen.store, Role(chosen.role), others)


def may_work_in(user: User, store_id: int) -> bool:
    """Whether the person may choose this store."""
    if user.is_superuser:
        return Store.objects.filter(pk=store_id).exists()
    return Membership.objects.filter(user=user, store=store_id).exists()


def store_or_none(request: HttpRequest) -> Store | None:
    """The active store; None for somebody who works in none, or outside the back-office."""
    return getattr(request, "store", None)


def active_store(request: HttpRequest) -> Store:
    """The active store. Raises PermissionDenied for somebody who works in none."""
    store = store_or_none(request)
    if store is None:
        raise PermissionDenied
    return store


def may(request: HttpRequest, what: Can) -> bool:
    """Whether the signed-in person may do ``what`` in the active store."""
    role: Role | None = getattr(request, "role", None)
    return role is not None and allows(role, what)


def is_operator(request: HttpRequest) -> bool:
    """Whether the signed-in person runs the platform (T2)."""
    user = request.user
    return user.is_active and user.is_authenticated and user.is_superuser


def acting_user(request: HttpRequest) -> User:
    """The person who is signed in. Raises PermissionDenied when nobody is."""
    if not request.user.is_authenticated:
        raise PermissionDenied
    return request.user


def acting(request: HttpRequest) -> Actor:
    """The signed-in person as the ledgers and the journal name him."""
    return Actor.user(acting_user(request), may_award=may(request, Can.ADJUST_WITHOUT_LIMIT))


def role_of(request: HttpRequest) -> Role:
    """The signed-in person's role in the active store. Raises PermissionDenied for none."""
    role: Role | None = getattr(request, "role", None)
    if role is None:
        raise PermissionDenied
    return role
