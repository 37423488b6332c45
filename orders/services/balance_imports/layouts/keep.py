"""Keeping a layout under a name, for the next file of the same system."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from loyalty.core.errors import Invalid, NotFound
from loyalty.core.storable_text import storable
from loyalty.stores.actors import Actor
from loyalty.stores.compared import NameKey
from loyalty.stores.models import Store
from orders.models import KeptLayout

LONGEST_NAME: Final = 100
# As many as somebody finds his way in.
MOST: Final = 100


def keep_layout(*, store: Store, name: str, layout: Mapping[str, Any], actor: Actor, now: datetime) -> None:
    """Keep the layout; one of the same name is replaced.

    Raises Invalid for a name that is none, and for a new one when there are 100.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME or storable(name) != name:
        raise Invalid.at("/name", _("A name has 1 to %(most)s letters.") % {"most": LONGEST_NAME})
    said = {"layout": dict(layout), "actor": actor.ref, "updated_at": now}
    kept = KeptLayout.objects.for_store(store)
    if kept.filter(name=name).update(**said):
        return
    if kept.count() >= MOST:
        words = _("There are %(most)s kept layouts already. Use one of their names.") % {"most": MOST}
        raise Invalid.at("/name", words)
    try:
        with transaction.atomic():
            KeptLayout.objects.create(store=store, name=name, created_at=now, **said)
    except IntegrityError:
        # Somebody kept this name at the same moment; whoever is later has the last word.
        kept.filter(name=name).update(**said)


def kept_names(store: Store) -> list[str]:
    """What the store's kept layouts are called, by name."""
    return list(KeptLayout.objects.for_store(store).order_by(NameKey("name")).values_list("name", flat=True))


def kept_layout(store: Store, name: str) -> dict[str, Any]:
    """The layout of this name. Raises NotFound (T1)."""
    found: dict[str, Any] | None = (
        KeptLayout.objects.for_store(store).filter(name=name).values_list("layout", flat=True).first()
    )
    if found is None:
        raise NotFound(_("This store has no layout “%(name)s”.") % {"name": name})
    return found
