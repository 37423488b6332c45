"""The store that a signed-in person is working in, and what he may do there (T2)."""

from dataclasses import dataclass
from typing import Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from loyalty.database.named_stores import every_store
from loyalty.stores.actors import Actor
from loyalty.stores.compared import NameKey
from loyalty.stores.models import Membership, Role, Store, User
from loyalty.stores.roles import Can, allows

# The store last worked in: where ``/admin/`` and addresses from before T5 lead, and nothing else.
SESSION_KEY: Final = "active_store"


@dataclass(frozen=True, slots=True)
class Workplace:
    """A store, what the person may do there, and where else he works."""

    store: Store
    role: Role
    others: tuple[Store, ...] = ()


class StaffRequest(HttpRequest):
    """A request after :class:`~loyalty.backoffice.middleware.ActiveStoreMiddleware`."""

    store: Store | None
    role: Role | None
    other_stores: tuple[Store, ...]
    urlconf: str


def find_workplace(user: User, slug: str) -> Workplace | None:
    """The store with this slug if the person works there, in one query; None for any other, known or not (T5).

    A platform operator works everywhere, as an owner does (T2).
    """
    if user.is_superuser:
        store = Store.objects.filter(slug=slug).first()
        return Workplace(store, Role.OWNER) if store else None
    mine = _memberships(user)
    here = next((row for row in mine if row.store.slug == slug), None)
    if here is None:
        return None
    return Workplace(here.store, Role(here.role), tuple(row.store for row in mine if row is not here))


def stores_of(user: User) -> tuple[Store, ...]:
    """The stores in which the person is a member of the staff, by name."""
    return tuple(row.store for row in _memberships(user))


def last_store(request: HttpRequest) -> Store | None:
    """The store that the signed-in person last worked in, else the first of his; None for somebody without any."""
    user, wanted = acting_user(request), request.session.get(SESSION_KEY)
    if user.is_superuser:
        stores = Store.objects.order_by(NameKey("name"), "pk")
        return (wanted and stores.filter(pk=wanted).first()) or stores.first()
    mine = stores_of(user)
    return next((store for store in mine if store.pk == wanted), mine[0] if mine else None)


def _memberships(user: User) -> list[Membership]:
    with every_store():
        return list(
            Membership.objects.filter(user=user).select_related("store").order_by(NameKey("store__name"), "store_id")
        )


def store_or_none(request: HttpRequest) -> Store | None:
    """The store in the address; None on pages that name none, and outside the back-office."""
    return getattr(request, "store", None)


def active_store(request: HttpRequest) -> Store:
    """The store in the address. Raises PermissionDenied on pages that name none."""
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
