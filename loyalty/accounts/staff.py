"""Who works in a store (T2). Coming is by invitation: :mod:`loyalty.accounts.invitations.invite` (T6)."""

from datetime import datetime

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.accounts.invitations.invite import withdraw_all_of
from loyalty.core.errors import Conflict
from loyalty.journal.record import Event, Happening, record
from loyalty.stores.actors import Actor
from loyalty.stores.models import Membership, Role, SecondFactor, Store
from loyalty.stores.roles import Can, allows


class LastOwner(Conflict):
    """A store keeps at least one owner."""

    code = "last-owner"
    title = gettext_noop("A store needs an owner.")


@transaction.atomic
def change_role(membership: Membership, role: Role, *, actor: Actor, now: datetime) -> None:
    """Give a member another role. Raises LastOwner when nobody else owns the store."""
    if membership.role == Role.OWNER and role != Role.OWNER:
        _keep_an_owner(membership)
    if not allows(role, Can.MANAGE_STAFF):
        withdraw_all_of(membership, actor=actor, now=now)
    _record(membership, Event.ROLE_CHANGED, {"from": membership.role, "to": role}, actor=actor, now=now)
    membership.role = role
    membership.save(update_fields=["role"])


@transaction.atomic
def remove_member(membership: Membership, *, actor: Actor, now: datetime) -> None:
    """End somebody's work in the store, from his next click on. Raises LastOwner when nobody else owns the store."""
    if membership.role == Role.OWNER:
        _keep_an_owner(membership)
    withdraw_all_of(membership, actor=actor, now=now)
    _record(membership, Event.STAFF_REMOVED, {"from": membership.role}, actor=actor, now=now)
    membership.delete()


@transaction.atomic
def ask_second_factor_of(store: Store, whom: SecondFactor, *, actor: Actor, now: datetime) -> None:
    """Ask a second factor of these members of the staff, from their next click on."""
    locked = Store.objects.select_for_update(no_key=True).get(pk=store.pk)
    if locked.second_factor == whom:
        return
    data = {"from": locked.second_factor, "to": whom}
    record([Happening(store.pk, Event.SECOND_FACTOR_ASKED, data=data)], actor=actor, now=now)
    locked.second_factor = whom
    locked.save(update_fields=["second_factor"])


def _keep_an_owner(leaving: Membership) -> None:
    # Two owners that demote each other at the same moment must not both succeed, so all owners' rows are locked.
    owners = [row.pk for row in _locked(leaving.store) if row.role == Role.OWNER]
    if owners == [leaving.pk]:
        raise LastOwner(_("This is the store's only owner. Make somebody else an owner first."))


def _record(member: Membership, event: Event, data: dict[str, str], *, actor: Actor, now: datetime) -> None:
    facts = {"member": Actor.user(member.user).ref} | data
    record([Happening(member.store_id, event, data=facts)], actor=actor, now=now)


def _locked(store: Store) -> "models.QuerySet[Membership]":
    return Membership.objects.filter(store=store).order_by("pk").select_for_update()
