"""The link of an invitation: made when its letter is sent, kept as a hash, found again by its store and secret (T6)."""

import secrets
from datetime import datetime
from hashlib import sha256

from django.db.models import QuerySet
from django.urls import reverse

from loyalty.accounts.models import Invitation
from loyalty.database.named_stores import in_store
from loyalty.stores.models import Store


def open_invitations(store: Store, *, now: datetime) -> "QuerySet[Invitation]":
    """The store's invitations that count: not accepted, not withdrawn, not too old."""
    rows: QuerySet[Invitation] = Invitation.objects.for_store(store).select_related("store")
    return rows.filter(accepted_at__isnull=True, withdrawn_at__isnull=True, expires_at__gt=now)


def make_link(invitation: Invitation) -> str:
    """The path of a new link; an older one of the same invitation counts no more."""
    secret = secrets.token_urlsafe(32)
    invitation.secret_hash = _hashed(secret)
    invitation.save(update_fields=["secret_hash"])
    return reverse("account_invitation_link", args=[invitation.store_id, secret])


def find_by_link(store_id: int, secret: str, *, now: datetime) -> Invitation | None:
    """The invitation that this link is of, while it counts."""
    store = Store.objects.filter(pk=store_id).first()
    if store is None:
        return None
    with in_store(store.pk):
        return open_invitations(store, now=now).filter(secret_hash=_hashed(secret)).first()


def _hashed(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
