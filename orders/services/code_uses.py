"""Learning that a code was used: from orders that come in, and from the platform (R3)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from loyalty.errors import NotFound
from loyalty.journal.record import Event, Happening, record
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from orders.models import Order
from orders.redemption_models import CodeUse, Redemption, RedemptionState
from orders.services.redemption_events import happening


def note_codes(order: Order, store: Store, *, actor: Actor, now: datetime) -> None:
    """Mark the redemptions whose codes the platform says ``order`` used; callers hold the order's lock.

    Under the redemption's lock it is either claimed and becomes used, or has been reversed and the order is flagged.
    Platforms treat codes without regard to case, and ours are capitals.
    """
    codes = {code.strip().upper() for code in order.platform_data.get("discount_codes", []) if code.strip()}
    if not codes:
        return
    rows = Redemption.objects.for_store(store).filter(code__in=codes).order_by("pk")
    redemptions: Sequence[Redemption] = list(rows.select_for_update(no_key=True))
    known = set(CodeUse.objects.for_store(store).filter(order=order).values_list("redemption_id", flat=True))
    news = [redemption for redemption in redemptions if redemption.pk not in known]
    record([told for redemption in news for told in _note(redemption, order, now)], actor=actor, now=now)


@transaction.atomic
def note_used_on_platform(redemption: Redemption, *, actor: Actor, now: datetime) -> None:
    """Mark a code as used because the platform says so, though its order has not come in yet."""
    rows = Redemption.objects.for_store(redemption.store).select_for_update(no_key=True)
    locked = rows.get(pk=redemption.pk)
    if locked.state == RedemptionState.CLAIMED:
        _mark_used(locked, None, now)
        record([happening(locked, Event.CODE_USED, {"platform": locked.platform})], actor=actor, now=now)


@transaction.atomic
def settle_code_uses(*, store: Store, order_id: int, actor: Actor, now: datetime) -> int:
    """Staff have looked at an order that used reversed codes: it is flagged no more. Answers how many codes.

    Raises NotFound for an order of another store.
    """
    order: Order | None = Order.objects.for_store(store).select_for_update(no_key=True).filter(pk=order_id).first()
    if order is None:
        raise NotFound(f"This store has no order with the id {order_id}.")
    settled: int = flagged_uses(store).filter(order=order).update(settled_at=now)
    if settled:
        record([_of_order(order, Event.REVERSED_CODE_SETTLED, {"codes": settled})], actor=actor, now=now)
    return settled


def flagged_uses(store: Store) -> "QuerySet[Any]":
    """The uses of reversed codes that staff have not looked at yet."""
    return CodeUse.objects.for_store(store).filter(after_reversal=True, settled_at__isnull=True)


def _note(redemption: Redemption, order: Order, now: datetime) -> list[Happening]:
    # What the platform had said before a forced reversal is this order: it is no surprise.
    announced = redemption.used_at is not None and redemption.used_order_id is None
    late = redemption.state == RedemptionState.REVERSED and not announced
    CodeUse.unscoped.create(
        store_id=order.store_id, redemption=redemption, order=order, after_reversal=late, created_at=now
    )
    facts: dict[str, object] = {"order": str(order.pk), "number": order.number}
    if late:
        return [
            happening(redemption, Event.REVERSED_CODE_USED, facts),
            _of_order(order, Event.REVERSED_CODE_USED, {"redemption": str(redemption.pk)}),
        ]
    if redemption.used_order_id is None:
        _mark_used(redemption, order, now)
    return [] if announced else [happening(redemption, Event.CODE_USED, facts)]


def _mark_used(redemption: Redemption, order: Order | None, now: datetime) -> None:
    if redemption.state == RedemptionState.CLAIMED:
        redemption.state = RedemptionState.USED
    redemption.used_order, redemption.used_at = order, redemption.used_at or now
    redemption.updated_at = now
    redemption.save(update_fields=["state", "used_order", "used_at", "updated_at"])


def _of_order(order: Order, event: Event, data: dict[str, object]) -> Happening:
    return Happening(order.store_id, event, order_id=order.pk, customer_id=order.customer_id, data=data)
