"""Customers whom a platform has merged: its message, in whatever order it and the orders arrive (O7)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.customers.identify import (
    CustomerFacts,
    add_earlier_platform_id,
    hold_platform_ids,
    identify,
    take_platform_id,
    with_platform_id,
)
from loyalty.customers.merged import hold_person
from loyalty.platforms.meaning import MergedCustomers
from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.stores.models import Store
from orders.services.customers.merge import merge_customers
from orders.services.intake.platform_payments import NotRecorded


@transaction.atomic
def merge_there(*, store: Store, platform: str, said: MergedCustomers, actor: Actor, now: datetime) -> str:
    """Make one customer of the two whom ``platform`` made one; answers what was done, "" for nothing.

    Where only one of the ids is known here, or none yet, the other leads to the same customer from now on, so orders
    that arrive later find one person whichever id they name. Raises NotRecorded where that has to wait.
    """
    kept, merged = _known(store, platform, said)
    if kept is None or merged is None:
        return _lead(store, platform, said, now)
    if kept == merged:
        return ""
    done = merge_customers(store=store, kept_id=kept, merged_id=merged, act=Act(actor, Trigger.PLATFORM, now))
    return (
        _("Customer %(merged)s was merged into customer %(kept)s.") % {"merged": merged, "kept": done.kept.pk}
        if done.done
        else ""
    )


def _lead(store: Store, platform: str, said: MergedCustomers, now: datetime) -> str:
    # Nobody else may come to be known by these ids meanwhile. Who just has is merged at the next try: orders are locked
    # before ids are held, never after.
    hold_platform_ids(store, platform, (said.kept_id, said.merged_id))
    kept, merged = _known(store, platform, said)
    if kept is not None and merged is not None:
        raise NotRecorded(_("An order that names one of the two is being recorded."))
    if merged is not None:
        customer = hold_person(merged)
        take_platform_id(customer, platform, said.kept_id, now=now)
        return _("Customer %(id)s has another id there now.") % {"id": customer.pk}
    if kept is None:
        identify(store, CustomerFacts(said.kept_id, "", "", platform=platform), now=now)
    add_earlier_platform_id(store, platform, said.merged_id, leads_to=said.kept_id, now=now)
    return _("Orders of either id are those of one customer from now on.")


def _known(store: Store, platform: str, said: MergedCustomers) -> tuple[int | None, int | None]:
    return (
        with_platform_id(store, platform, said.kept_id),
        with_platform_id(store, platform, said.merged_id),
    )
