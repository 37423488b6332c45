"""Inviting somebody to work in a store, and coming (T2, T6).

Who invites learns nothing but what he wrote himself: whether the address has an account anywhere changes neither the
answer nor what is done before the mail is read.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext, gettext_noop

from loyalty.accounts.letters import write
from loyalty.accounts.models import Invitation, Letter, LetterKind
from loyalty.accounts.prove import is_proved, prove
from loyalty.accounts.signing_in.lock_out import account_key
from loyalty.accounts.signing_in.rate_limits import Counter, Limit, Paused, forget, take
from loyalty.core.errors import Conflict
from loyalty.journal.record import Event, Happening, record
from loyalty.stores.actors import Actor
from loyalty.stores.models import Membership, Role, Store, User

LASTS: Final = timedelta(days=7)
# Mails in the product's name to addresses that somebody else types.
OF_STORE: Final = Limit("invitations", free=50, first=timedelta(hours=1), longest=timedelta(hours=12))
OF_ONE: Final = Limit("invitation", free=3, first=timedelta(minutes=5))


class WorksHere(Conflict):
    """The address belongs to somebody who works in the store already."""

    code = "works-here"
    title = gettext_noop("This person works here already.")


class TooMany(Conflict):
    """So many invitations were sent that the next has to wait."""

    code = "too-many-invitations"
    title = gettext_noop("Too many invitations.")


class InvitationOver(Conflict):
    """The invitation was accepted, withdrawn or became too old meanwhile."""

    code = "invitation-over"
    title = gettext_noop("This invitation no longer works.")


class NotForYou(Conflict):
    """The invitation is for another address, or for one that has to sign in first."""

    code = "invitation-not-yours"
    title = gettext_noop("This invitation is for somebody else.")


def invite(*, store: Store, email: str, role: Role, base: str, actor: Actor, now: datetime) -> Invitation:
    """Have a link sent that lets the reader of ``email`` work in ``store`` as ``role``, for seven days.

    An invitation that is open already gets this role and is sent anew. Raises WorksHere, or TooMany.
    """
    email = email.strip().lower()
    if Membership.objects.filter(store=store, user__email=email).exists():
        raise WorksHere(gettext("Somebody with this address works here already. Change the role on the person's page."))
    _take(store, email, now)
    with transaction.atomic():
        values = {"role": role, "invited_by": actor.ref, "created_at": now, "expires_at": now + LASTS}
        # The open one is found by a unique constraint, so that two owners at once make one invitation.
        invitation: Invitation
        invitation, _ = Invitation.objects.for_store(store).update_or_create(
            email=email,
            accepted_at=None,
            withdrawn_at=None,
            defaults=values | {"secret_hash": ""},
            create_defaults=values | {"store": store},
        )
        _send(invitation, base=base, now=now)
        _record(Event.STAFF_INVITED, invitation, actor=actor, now=now)
    return invitation


def send_again(invitation: Invitation, *, base: str, actor: Actor, now: datetime) -> None:
    """Send a new link, good for seven days; the older one counts no more. Raises InvitationOver, or TooMany."""
    _take(invitation.store, invitation.email, now)
    with transaction.atomic():
        locked = _locked(invitation)
        locked.expires_at, locked.secret_hash = now + LASTS, ""
        locked.save(update_fields=["expires_at", "secret_hash"])
        _send(locked, base=base, now=now)
        _record(Event.STAFF_INVITED_AGAIN, locked, actor=actor, now=now)


@transaction.atomic
def withdraw(invitation: Invitation, *, actor: Actor, now: datetime) -> None:
    """Let the invitation count no more. Raises InvitationOver when it was accepted or withdrawn before."""
    locked = _locked(invitation)
    locked.withdrawn_at, locked.secret_hash = now, ""
    locked.save(update_fields=["withdrawn_at", "secret_hash"])
    _record(Event.INVITATION_WITHDRAWN, locked, actor=actor, now=now)


def withdraw_all_of(member: Membership, *, actor: Actor, now: datetime) -> None:
    """Withdraw what somebody invited who may invite no more: no way back in for an owner who was removed."""
    rows = Invitation.objects.for_store(member.store).filter(
        Q(invited_by=Actor.user(member.user).ref) | Q(email=member.user.email),
        accepted_at__isnull=True,
        withdrawn_at__isnull=True,
    )
    for invitation in rows.select_related("store"):
        withdraw(invitation, actor=actor, now=now)


def needs_account(invitation: Invitation) -> bool:
    """Whether the reader of the link chooses a password: nobody has proved an account with this address yet."""
    user = User.objects.filter(email=invitation.email).first()
    return user is None or not is_proved(user)


@transaction.atomic
def accept(invitation: Invitation, *, user: User, now: datetime) -> Membership:
    """The signed-in person takes the role. Raises NotForYou for another person, InvitationOver."""
    locked = _locked(invitation, now)
    if user.email != locked.email or not user.is_active:
        raise NotForYou(gettext("This invitation is for %(email)s.") % {"email": locked.email})
    return _join(locked, user, now)


@transaction.atomic
def accept_with_new_account(invitation: Invitation, *, name: str, password: str, now: datetime) -> User:
    """Make the account of whoever reads the mail of the address, or give it to him, and let him work in the store.

    An account that nobody had proved gets this password, and whoever knew another one is out of it (T6). Raises
    NotForYou for an account that was proved: its owner signs in and accepts. Raises InvitationOver.
    """
    locked = _locked(invitation, now)
    user = User.objects.select_for_update().filter(email=locked.email).first()
    if user is not None and (is_proved(user) or not user.is_active):
        raise NotForYou(gettext("There is an account with this address. Sign in, then accept."))
    if user is None:
        user = User.objects.create_user(locked.email, password, name=name)
    else:
        user.name = name or user.name
        user.set_password(password)
        user.save(update_fields=["name", "password"])
    prove(user)
    forget(account_key(user.email))
    _join(locked, user, now)
    return user


def _join(invitation: Invitation, user: User, now: datetime) -> Membership:
    member, _ = Membership.objects.get_or_create(store=invitation.store, user=user, defaults={"role": invitation.role})
    invitation.accepted_at, invitation.accepted_by, invitation.secret_hash = now, user, ""
    invitation.save(update_fields=["accepted_at", "accepted_by", "secret_hash"])
    _record(Event.STAFF_JOINED, invitation, actor=Actor.user(user), now=now)
    return member


def _locked(invitation: Invitation, now: datetime | None = None) -> Invitation:
    """The row, read again under its lock, while it counts; with ``now``, while it is not too old either."""
    rows = Invitation.objects.for_store(invitation.store).select_related("store").select_for_update(of=("self",))
    row: Invitation | None = rows.filter(pk=invitation.pk, accepted_at__isnull=True, withdrawn_at__isnull=True).first()
    if row is None or (now is not None and row.expires_at <= now):
        raise InvitationOver(gettext("This invitation no longer works."))
    return row


def _take(store: Store, email: str, now: datetime) -> None:
    of_store = f"store {store.pk}"
    try:
        take([Counter(OF_STORE, of_store), Counter(OF_ONE, f"{of_store} {email}")], now=now)
    except Paused as paused:
        raise TooMany(
            gettext("Many invitations were sent in a short time. The next one can be sent in %(wait)s.")
            % {"wait": paused.wait}
        ) from paused


def _send(invitation: Invitation, *, base: str, now: datetime) -> None:
    # One that still waits would be sent as well, and make the link of this one worthless.
    Letter.objects.filter(store=invitation.store, invitation=invitation).delete()
    letter = Letter(
        kind=LetterKind.INVITATION,
        email=invitation.email,
        base=base,
        store=invitation.store,
        invitation=invitation,
        created_at=now,
        next_attempt_at=now,
    )
    write(letter)


def _record(event: Event, invitation: Invitation, *, actor: Actor, now: datetime) -> None:
    data = {"role": invitation.role, "invitation": invitation.pk}
    record([Happening(invitation.store_id, event, data=data)], actor=actor, now=now)
