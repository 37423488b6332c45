"""Keeping filters of the order list under a name: one's own, or the store's."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from loyalty.core.errors import Invalid, NotFound
from loyalty.stores.models import Store, User
from orders.models import SavedView

# More tabs than these would be no help to find anything.
MOST: Final = 20
_LONGEST: Final = 40
_LONGEST_QUERY: Final = 2000


def views_of(store: Store, user: User) -> "QuerySet[SavedView]":
    """The store's views, then one's own; nobody else's (T1)."""
    mine = SavedView.objects.for_store(store).filter(Q(owner=None) | Q(owner=user))
    return mine.order_by(F("owner").asc(nulls_first=True), "pk")


def find_view(store: Store, user: User, view_id: int) -> SavedView:
    """A view that this person sees. Raises NotFound for another's and for another store's (T1)."""
    view: SavedView | None = views_of(store, user).filter(pk=view_id).first()
    if view is None:
        raise NotFound(_("There is no saved view with the id %(id)s.") % {"id": view_id})
    return view


@transaction.atomic
def save_view(*, store: Store, owner: User | None, name: str, query: str, now: datetime) -> SavedView:
    """Keep ``query`` as a tab of ``owner``, or of the whole store. Raises Invalid for what cannot be a tab."""
    if not query or len(query) > _LONGEST_QUERY:
        raise Invalid.at("/query", _("Filter or search the list first; that is what is kept."), code="required")
    if SavedView.objects.for_store(store).filter(owner=owner).count() >= MOST:
        raise Invalid.at(
            "/name", _("There are %(most)s saved views already. Delete one first.") % {"most": MOST}, code="max"
        )
    with _one_of_a_name():
        view: SavedView = SavedView.objects.create(
            store=store, owner=owner, name=_name(name), query=query, created_at=now
        )
    return view


def rename_view(view: SavedView, name: str) -> None:
    """Give it another name. Raises Invalid for none, one that is too long, and one that is taken."""
    view.name = _name(name)
    with _one_of_a_name():
        view.save(update_fields=["name"])


def _name(name: str) -> str:
    words = " ".join(name.split())
    if not words:
        raise Invalid.at("/name", _("Give the view a name."), code="required")
    if len(words) > _LONGEST:
        raise Invalid.at("/name", _("A name has at most %(most)s letters.") % {"most": _LONGEST}, code="max_length")
    return words


@contextmanager
def _one_of_a_name() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "saved_view_name_once" not in str(error):
            raise
        raise Invalid.at("/name", _("There is a view of that name already."), code="not-unique") from error
