"""Asking for a store's bundle, and fetching it."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.core.errors import NotFound
from loyalty.jobs.periodic import wake
from loyalty.journal.record import Event, Happening, record
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from orders.models import BundleState, StoreBundle
from orders.services.customers.forget_files import delete_bundles

JOB: Final = "orders.write_bundles"


@transaction.atomic
def ask_for_bundle(*, store: Store, actor: Actor, now: datetime) -> StoreBundle:
    """Have a bundle of ``store`` written by the worker; one that is being written is answered as it is.

    The one before is deleted: a store has one file at a time.
    """
    Store.objects.select_for_update(no_key=True).get(pk=store.pk)
    there: StoreBundle | None = StoreBundle.objects.for_store(store).filter(state=BundleState.WRITING).first()
    if there is not None:
        return there
    delete_bundles(store, StoreBundle.objects.for_store(store))
    bundle: StoreBundle = StoreBundle.objects.create(store=store, actor=actor.ref, created_at=now)
    record([Happening(store.pk, Event.BUNDLE_ASKED)], actor=actor, now=now)
    wake(JOB)
    return bundle


@transaction.atomic
def fetch_bundle(*, store: Store, bundle_id: int, actor: Actor, now: datetime) -> StoreBundle:
    """Note that somebody takes the file away. Raises NotFound for another store's (T1), and when its time is over."""
    ready = StoreBundle.objects.for_store(store).filter(state=BundleState.READY, ends_at__gt=now)
    bundle: StoreBundle | None = ready.filter(pk=bundle_id).first()
    if bundle is None:
        raise NotFound(_("This file is not there any more. Ask for a new one."))
    record([Happening(store.pk, Event.BUNDLE_FETCHED)], actor=actor, now=now)
    return bundle
