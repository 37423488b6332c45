"""Who works in a store (T2)."""

import secrets

from django.db import models, transaction

from loyalty.errors import Conflict
from loyalty.stores.models import Membership, Role, Store, User


class LastOwner(Conflict):
    """A store keeps at least one owner."""

    code = "last-owner"
    title = "A store needs an owner."


@transaction.atomic
def add_member(*, store: Store, email: str, name: str, role: Role) -> tuple[Membership, str | None]:
    """Give somebody a role in ``store``; answers the first password of somebody who is new, which is shown once.

    Somebody who works in the store already gets the new role. A known person's name and password stay as they are.
    """
    user = User.objects.filter(email=email.strip().lower()).first()
    password = None
    if user is None:
        password = secrets.token_urlsafe(12)
        user = User.objects.create_user(email, password, name=name)
    membership = _locked(store).filter(user=user).first()
    if membership is None:
        return Membership.objects.create(store=store, user=user, role=role), password
    change_role(membership, role)
    return membership, password


@transaction.atomic
def change_role(membership: Membership, role: Role) -> None:
    """Give a member another role. Raises LastOwner when nobody else owns the store."""
    if membership.role == Role.OWNER and role != Role.OWNER:
        _keep_an_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])


@transaction.atomic
def remove_member(membership: Membership) -> None:
    """End somebody's work in the store, from his next click on. Raises LastOwner when nobody else owns the store."""
    if membership.role == Role.OWNER:
        _keep_an_owner(membership)
    membership.delete()


def _keep_an_owner(leaving: Membership) -> None:
    # Two owners that demote each other at the same moment must not both succeed, so all owners' rows are locked.
    owners = [row.pk for row in _locked(leaving.store) if row.role == Role.OWNER]
    if owners == [leaving.pk]:
        raise LastOwner("This is the store's only owner. Make somebody else an owner first.")


def _locked(store: Store) -> "models.QuerySet[Membership]":
    return Membership.objects.filter(store=store).order_by("pk").select_for_update()
