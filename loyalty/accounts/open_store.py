"""Opening a store and letting people in: what the commands and the admin call."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email, validate_slug
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.accounts.prove import prove
from loyalty.accounts.staff import change_role
from loyalty.core.errors import FieldError, Invalid, NotFound
from loyalty.core.locales import is_locale
from loyalty.core.money import is_currency
from loyalty.stores.actors import Actor
from loyalty.stores.models import Membership, Role, Store, User, check_time_zone
from loyalty.stores.slugs import check_slug


class StoreDiffers(Invalid):
    """A store with this slug is there already, and is another one."""

    code = "store-differs"
    title = gettext_noop("A store with this slug is there already.")


@dataclass(frozen=True, slots=True)
class NewStore:
    """What a store is opened with."""

    slug: str
    name: str
    currency: str
    time_zone: str
    locale: str = "en"


@transaction.atomic
def create_store(new: NewStore, *, now: datetime) -> tuple[Store, bool]:
    """Open a store; the same again answers the one that is there. The second value says whether it is new.

    Raises Invalid for wrong values, and StoreDiffers when the slug belongs to a store with another currency or time
    zone, which nothing may change once it has lots (T4).
    """
    _check_store(new)
    values = {"name": new.name, "currency": new.currency, "time_zone": new.time_zone, "locale": new.locale}
    store, created = Store.objects.get_or_create(slug=new.slug, defaults={**values, "created_at": now})
    differing = [name for name in ("currency", "time_zone") if getattr(store, name) != values[name]]
    if differing:
        there = ", ".join(f"{name} {getattr(store, name)}" for name in differing)
        raise StoreDiffers(
            _("The store “%(slug)s” is there already, with %(there)s. Nothing was changed.")
            % {"slug": new.slug, "there": there}
        )
    return store, created


def find_store(slug: str) -> Store:
    """The store with this slug. Raises NotFound."""
    store = Store.objects.filter(slug=slug).first()
    if store is None:
        raise NotFound(_("There is no store “%(slug)s”.") % {"slug": slug})
    return store


@dataclass(frozen=True, slots=True)
class NewStaff:
    """Who gets which role; without a password one is made for a person who is new."""

    email: str
    role: str
    password: str | None = None


@transaction.atomic
def create_staff(new: NewStaff, *, store: Store, now: datetime) -> tuple[Membership, str | None]:
    """Give somebody a role in ``store``, as a new person or a known one; answers the password of a new person.

    Again sets the role. A known person's password is changed only when one is given. Whoever runs this at the machine
    could write the database as well, so he is trusted: the address of an account whose password he sets counts as
    proved, and nobody has to accept (T6). A known person whose password stays proves the address himself. Raises
    Invalid, and LastOwner when the store would be left without an owner.
    """
    _check_staff(new)
    email = new.email.strip().lower()
    user = User.objects.filter(email__iexact=email).first()
    password = new.password or (secrets.token_urlsafe(12) if user is None else None)
    if user is None:
        user = User.objects.create_user(email, password)
    elif password is not None:
        user.set_password(password)
        user.save(update_fields=["password"])
    if password is not None:
        prove(user)
    return _in_role(Role(new.role), user, store, now), password


def _in_role(role: Role, user: User, store: Store, now: datetime) -> Membership:
    membership = Membership.objects.filter(store=store, user=user).first()
    if membership is None:
        return Membership.objects.create(store=store, user=user, role=role)
    if membership.role != role:
        change_role(membership, role, actor=Actor.command("create_staff"), now=now)
    return membership


def _check_store(new: NewStore) -> None:
    wrong: dict[str, str] = {}
    if not new.name.strip() or len(new.name) > _longest(Store, "name"):
        wrong["name"] = _("A store has a name of at most 100 characters.")
    if len(new.slug) > _longest(Store, "slug") or not _passes(validate_slug, new.slug):
        wrong["slug"] = _("“%(slug)s” is not a slug: letters, digits, hyphens and underscores, at most 50.") % {
            "slug": new.slug
        }
    elif not _passes(check_slug, new.slug):
        wrong["slug"] = _("“%(slug)s” is needed for the back-office's own pages. Choose another.") % {"slug": new.slug}
    if not is_currency(new.currency):
        wrong["currency"] = _("“%(currency)s” is not a currency code such as USD.") % {"currency": new.currency}
    if not _passes(check_time_zone, new.time_zone):
        wrong["time_zone"] = _("“%(time_zone)s” is not a time zone such as Asia/Taipei.") % {"time_zone": new.time_zone}
    if not is_locale(new.locale):
        wrong["locale"] = _("“%(locale)s” is not a locale such as en, de or zh-TW.") % {"locale": new.locale}
    _refuse(wrong)


def _check_staff(new: NewStaff) -> None:
    wrong: dict[str, str] = {}
    if len(new.email) > _longest(User, "email") or not _passes(validate_email, new.email.strip()):
        wrong["email"] = _("“%(email)s” is not an e-mail address.") % {"email": new.email}
    if new.role not in Role.values:
        wrong["role"] = _("“%(role)s” is not a role. Roles are %(roles)s.") % {
            "role": new.role,
            "roles": ", ".join(Role.values),
        }
    if new.password is not None:
        try:
            validate_password(new.password)
        except ValidationError as error:
            wrong["password"] = " ".join(error.messages)
    _refuse(wrong)


def _longest(model: type[Model], column: str) -> int:
    field: Any = model._meta.get_field(column)
    return int(field.max_length)


def _passes(validator: Callable[[str], object], value: str) -> bool:
    try:
        validator(value)
    except ValidationError:
        return False
    return True


def _refuse(wrong: Mapping[str, str]) -> None:
    if wrong:
        raise Invalid(errors=[FieldError(f"/{name}", "invalid", detail) for name, detail in wrong.items()])
