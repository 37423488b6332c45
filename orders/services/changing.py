"""Changing an order's facts from outside: tags, status, payment, refunds (O1, N2)."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from loyalty.errors import Invalid
from loyalty.jobs import wake
from loyalty.journal.record import Event, Happening, record
from loyalty.stores.actors import Actor, ActorType, Trigger
from loyalty.stores.models import Store
from loyalty.stores.preferences import current_settings
from loyalty.tags import clean_tags, tag_key
from orders.kinds import plain
from orders.models import Order, OrderStatus, PaymentStatus
from orders.services.applying import lock_order
from orders.services.earning import Earner, settle_earned
from orders.services.rules import facts_of
from orders.services.watching import WATCHED, watch

# Of what may be changed, the facts that the spent-revert rules look at (N2).
_LOOKED_AT: Final = frozenset({"tags", "status", "payment_status", "refunded_total"})


class UseCancel(Invalid):
    """Cancelling decides about value, so it has a call of its own (M1)."""

    code = "use-cancel"
    title = "An order is cancelled by its own call."


class UseReinstate(Invalid):
    """Bringing a cancelled order back has a call of its own (M10)."""

    code = "use-reinstate"
    title = "A cancelled order is brought back by its own call."


@transaction.atomic
def change_order(
    *, store: Store, order_id: int, values: dict[str, Any], actor: Actor, now: datetime, version: int | None = None
) -> Order:
    """Change tags, status, payment_status, payment_due_at or refunded_total; what is left out stays.

    What a REST client changes or repeats, the spent-revert rules look at; what staff change, they do not (N2). Raises
    NotFound (T1), UseCancel and UseReinstate at ``/status``, VersionConflict when ``version`` is given and old.
    """
    order = lock_order(store, order_id, version=version)
    _refuse_cancelling(order, values.get("status", order.status))
    settings = current_settings(store)
    before, changes = facts_of(order), _differences(order, values)
    for name, (_, after) in changes.items():
        setattr(order, name, after)
    order.tag_keys = [tag_key(tag) for tag in order.tags]
    from_outside = actor.type is ActorType.API_KEY and _LOOKED_AT & values.keys()
    watched = from_outside and watch(order, before, rules=settings.spent_revert, now=now)
    if not changes:
        order.save(update_fields=WATCHED if watched else ())
        return order
    note_payment(order, changed="payment_status" in changes, now=now)
    order.version += 1
    order.updated_at = now
    order.save(update_fields=[*changes, "payment_changed_at", "tag_keys", *WATCHED, "version", "updated_at"])
    order.refresh_from_db()
    record([order_updated(order, changes)], actor=actor, now=now)
    trigger = Trigger.API if actor.type is ActorType.API_KEY else Trigger.ADMIN
    settle_earned([Earner(order, store, settings)], actor=actor, trigger=trigger, now=now)
    return order


def note_payment(order: Order, *, changed: bool, now: datetime) -> None:
    """Remember when the payment status changed; when it fell through, have the order looked at within seconds (E5)."""
    if changed:
        order.payment_changed_at = now
        if order.payment_status in (PaymentStatus.EXPIRED, PaymentStatus.FAILED):
            wake("orders.auto_cancel")


def order_updated(order: Order, changes: dict[str, tuple[Any, Any]]) -> Happening:
    """The journal's event for ``changes`` of ``order``: by name what was and what is."""
    before, after = changes.get("currency", (order.currency, order.currency))
    data = {name: {"from": _plain(old, before), "to": _plain(new, after)} for name, (old, new) in changes.items()}
    return Happening(
        store_id=order.store_id,
        event=Event.ORDER_UPDATED,
        order_id=order.pk,
        customer_id=order.customer_id,
        data=data,
    )


def _refuse_cancelling(order: Order, status: str) -> None:
    if status == order.status:
        return
    if status == OrderStatus.CANCELLED:
        raise UseCancel.at(
            "/status", "Cancel the order with its own call; it decides what happens to credits and points."
        )
    if order.status == OrderStatus.CANCELLED:
        raise UseReinstate.at("/status", "Bring a cancelled order back with the reinstate call.")


def _differences(order: Order, values: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    wanted = values | ({"tags": clean_tags(values["tags"])} if "tags" in values else {})
    return {name: (getattr(order, name), value) for name, value in wanted.items() if getattr(order, name) != value}


def _plain(value: Any, currency: str) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return plain(value, currency) if isinstance(value, Decimal) else value
