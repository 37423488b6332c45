"""Second factors: of whom they are asked, before any page, and what changing them does to other sessions (T6).

A session has passed when its person gave a second factor while signing in, or set one up in it. That stands in the
session itself, so that asking costs no query; and because setting one up or taking one away ends the person's other
sessions, none is left that says otherwise.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_used
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from loyalty.core.encryption import Secret
from loyalty.database.named_stores import every_store
from loyalty.stores.models import Membership, Role, SecondFactor, Store, User

_PASSED: Final = "second_factor_passed"
# Written out: within the pages of a store these addresses have no names.
SET_UP: Final = "/accounts/2fa/"
_ASKED: Final = "/admin/"
_NOT_ASKED: Final = ("/admin/login/", "/admin/logout/", "/admin/password_change/", "/admin/jsi18n/")
# Recovery codes stand in for one of these, and are none by themselves.
_FACTORS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
_ENCRYPTED: Final = ("secret", "seed")


class SecondFactorMiddleware:
    """Lets nobody see a page of a store that asks for a second factor before he has one; stands behind the store's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, or lead to where a second factor is set up."""
        if request.path.startswith(_ASKED) and not request.path.startswith(_NOT_ASKED) and is_missing(request):
            return HttpResponseRedirect(SET_UP)
        return self.get_response(request)


def is_missing(request: HttpRequest) -> bool:
    """Whether the page asks for a second factor that the session has not passed."""
    user = request.user
    if not user.is_authenticated or has_passed(request):
        return False
    store: Store | None = getattr(request, "store", None)
    role: Role | None = getattr(request, "role", None)
    if user.is_superuser and settings.OPERATORS_NEED_SECOND_FACTOR:
        return True
    return store is not None and role is not None and asks(store, role)


def asks(store: Store, role: Role) -> bool:
    """Whether the store asks a second factor of people with this role."""
    if store.second_factor == SecondFactor.MANAGERS:
        return role in (Role.OWNER, Role.MANAGER)
    return store.second_factor == SecondFactor.EVERYBODY


def has_passed(request: HttpRequest) -> bool:
    """Whether this session's person gave a second factor in it."""
    return bool(request.session.get(_PASSED) == request.user.pk)


def who_asks(user: User) -> list[str]:
    """Who asks the person for a second factor, by name, for the page where it is set up."""
    with every_store():
        rows = list(Membership.objects.filter(user=user).select_related("store").order_by("store__name"))
    names = [row.store.name for row in rows if asks(row.store, Role(row.role))]
    return [_("The platform"), *names] if user.is_superuser and settings.OPERATORS_NEED_SECOND_FACTOR else names


def remove_all(user: User) -> int:
    """Take away every second factor, and end every session; answers how many factors there were."""
    found = Authenticator.objects.filter(user=user)
    factors = found.filter(type__in=_FACTORS).count()
    found.delete()
    for session in UserSession.objects.filter(user=user):
        session.end()
    return int(factors)


def rotate_secrets() -> int:
    """Put what second factors are derived from under the first of CREDENTIALS_KEYS. Raises Unreadable.

    Must run in a transaction.
    """
    rows = list(_with_secrets().select_for_update())
    for row in rows:
        row.data = row.data | {name: secret.under_first_key().token for name, secret in _secrets(row).items()}
        row.save(update_fields=["data"])
    return len(rows)


def stored_secrets() -> Iterator[Secret]:
    """What second factors are derived from, one by one."""
    for row in _with_secrets().iterator():
        yield from _secrets(row).values()


def _with_secrets() -> "QuerySet[Authenticator]":
    rows: QuerySet[Authenticator] = Authenticator.objects.filter(type__in=("totp", "recovery_codes"))
    return rows


def _secrets(row: Authenticator) -> dict[str, Secret]:
    return {name: Secret(row.data[name]) for name in _ENCRYPTED if name in row.data}


def _used(request: HttpRequest, user: User, **_facts: Any) -> None:
    request.session[_PASSED] = user.pk


def _added(request: HttpRequest, user: User, authenticator: Authenticator, **_facts: Any) -> None:
    if authenticator.type in _FACTORS:
        request.session[_PASSED] = user.pk
        _end_others(request, user)


def _removed(request: HttpRequest, user: User, **_facts: Any) -> None:
    if not Authenticator.objects.filter(user=user, type__in=_FACTORS).exists():
        request.session.pop(_PASSED, None)
    _end_others(request, user)


def _end_others(request: HttpRequest, user: User) -> None:
    for session in UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key):
        session.end()


authenticator_used.connect(_used)
authenticator_added.connect(_added)
authenticator_removed.connect(_removed)
