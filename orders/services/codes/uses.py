"""What an order's coming with codes issued here means: their points are points that the order used (R7, R3)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from loyalty.core.errors import NotFound
from loyalty.customers.merged import CustomerMerged
from loyalty.journal.record import Event, Happening, record
from loyalty.ledger.posting import lock_customers
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from orders.models import FLAGGED_OUTCOMES, CodeOutcome, CodeUse, Order, PersonsDecision, Redemption, RedemptionState
from orders.services.codes.events import happening
from orders.services.events import happened_to
from points.ledger import POINTS

# What staff are told of an order that had a discount and used no points for it, on the order and on the redemption.
_FLAGGED: Final[Mapping[str, Event]] = {
    CodeOutcome.AFTER_RETURN: Event.REVERSED_CODE_USED,
    CodeOutcome.USED_BEFORE: Event.CODE_USED_BEFORE,
}


def normalised(codes: Iterable[str]) -> set[str]:
    """The codes as ours are written: platforms treat them without regard to case, and ours are capitals."""
    return {code.strip().upper() for code in codes if code.strip()}


def codes_there(order: Order) -> set[str]:
    """The codes that the platform says ``order`` came with."""
    return normalised(order.platform_data.get("discount_codes", []))


def use_codes(order: Order, codes: AbstractSet[str], *, actor: Actor, now: datetime) -> bool:
    """Make the points of these codes points that ``order`` used (R7); answers whether any of them was news.

    Codes not issued here are none of ours, and one that the order is known to have come with says nothing new. The
    first order that comes with a code uses its points; they stay whose they were, and an order without a customer
    takes the one who redeemed it. Another order, or one that comes after the points were returned, is flagged and uses
    nothing; a part of a split order is only noted. Callers hold the order's lock and no other.
    """
    redemptions = _lock(order, codes - {code["code"] for code in order.codes})
    if not redemptions:
        return False
    outcomes = {redemption.pk: _outcome(redemption, order) for redemption in redemptions}
    used = [redemption for redemption in redemptions if outcomes[redemption.pk] is CodeOutcome.USED]
    CodeUse.unscoped.bulk_create(
        CodeUse(
            store_id=order.store_id, redemption=redemption, order=order, outcome=outcomes[redemption.pk], created_at=now
        )
        for redemption in redemptions
    )
    told = [event for redemption in redemptions for event in _events(redemption, order, outcomes[redemption.pk])]
    for redemption in used:
        _mark_used(redemption, order, now)
    if used:
        POINTS.hand_over([redemption.pk for redemption in used], order.pk)
    _write(order, redemptions, used, now)
    record(told, actor=actor, now=now)
    return True


def use_codes_there(orders: Sequence[Order], *, actor: Actor, now: datetime) -> list[Order]:
    """As :func:`use_codes` for locked orders of one store, with the codes that the platform says they came with.

    Answers the orders to which any of them was news.
    """
    named = {order.pk: codes_there(order) for order in orders}
    codes = {code for those in named.values() for code in those}
    if not codes:
        return []
    redemptions = Redemption.objects.for_store(orders[0].store).filter(code__in=codes).order_by()
    owners: dict[str, int] = dict(redemptions.values_list("code", "customer_id"))
    coming = [order for order in orders if not owners.keys().isdisjoint(named[order.pk])]
    if len(coming) > 1:
        # All at once, in the order of their ids; one after the other two writers could wait for each other (ADR 0003).
        lock_customers({*owners.values(), *(order.customer_id for order in orders if order.customer_id)})
    return [order for order in coming if use_codes(order, named[order.pk], actor=actor, now=now)]


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
    """Staff have looked at an order with flagged codes: it is flagged no more. Answers how many codes.

    Raises NotFound for an order of another store.
    """
    order: Order | None = Order.objects.for_store(store).select_for_update(no_key=True).filter(pk=order_id).first()
    if order is None:
        raise NotFound(_("This store has no order with the id %(id)s.") % {"id": order_id})
    settled: int = flagged_uses(store).filter(order=order).update(settled_at=now)
    if settled:
        record([happened_to(order, Event.REVERSED_CODE_SETTLED, {"codes": settled})], actor=actor, now=now)
    return settled


def flagged_uses(store: Store) -> "QuerySet[Any]":
    """The uses that took no points, and that staff have not looked at yet."""
    return CodeUse.objects.for_store(store).filter(outcome__in=FLAGGED_OUTCOMES, settled_at__isnull=True)


def came_with(store: Store, code: str) -> "QuerySet[Any]":
    """The ids of the orders that came with this code, those that are flagged too; of a foreign code there are none."""
    redemptions = Redemption.objects.for_store(store).filter(code=code.strip().upper())
    return CodeUse.objects.for_store(store).filter(redemption__in=redemptions).values("order")


def _lock(order: Order, codes: Collection[str]) -> Sequence[Redemption]:
    """The redemptions of these codes, locked after their customers' ledgers and the order's own, as everywhere."""
    if not codes:
        return ()
    rows = Redemption.objects.for_store(order.store).filter(code__in=codes).order_by("pk")
    if not _lock_owners(rows, order):
        return ()
    locked = rows.select_related("used_order").select_for_update(of=("self",), no_key=True)
    return list(locked)


def _lock_owners(rows: "QuerySet[Any]", order: Order) -> set[int]:
    """Lock whoever redeemed, and the order's customer; answers who redeemed."""
    while owners := set(rows.values_list("customer_id", flat=True)):
        try:
            lock_customers(owners | ({order.customer_id} if order.customer_id else set()))
        except CustomerMerged:
            # He was merged into another while we waited for him; then it is the other's code.
            if owners == set(rows.values_list("customer_id", flat=True)):
                raise
        else:
            break
    return owners


def _outcome(redemption: Redemption, order: Order) -> CodeOutcome:
    first = redemption.used_order
    if first is not None and _related(first, order):
        return CodeOutcome.OF_FAMILY
    # What the platform had said before a forced reversal is this order: it is no surprise.
    announced = redemption.used_at is not None and first is None
    if redemption.state in (RedemptionState.REVERSED, RedemptionState.RETURNED) and not announced:
        return CodeOutcome.AFTER_RETURN
    return CodeOutcome.USED if first is None else CodeOutcome.USED_BEFORE


def _related(one: Order, other: Order) -> bool:
    """Whether one of the two was split from the other: both come with the code, and the discount was one."""
    if one.platform != other.platform:
        return False
    parents = ((part.platform_data.get("parent_external_id"), of) for part, of in ((one, other), (other, one)))
    return any(parent and parent == of.external_id for parent, of in parents)


def _mark_used(redemption: Redemption, order: Order | None, now: datetime) -> None:
    if redemption.state == RedemptionState.CLAIMED:
        redemption.state = RedemptionState.USED
    redemption.used_order, redemption.used_at = order, redemption.used_at or now
    redemption.updated_at = now
    redemption.save(update_fields=["state", "used_order", "used_at", "updated_at"])


def _write(order: Order, redemptions: Sequence[Redemption], used: Sequence[Redemption], now: datetime) -> None:
    points = {redemption.pk: redemption.points for redemption in used}
    order.codes = order.codes + [
        {"redemption": str(redemption.pk), "code": redemption.code, "points": points.get(redemption.pk, 0)}
        for redemption in redemptions
    ]
    order.points_applied += sum(points.values())
    # A reversal by force may have been quicker than the order.
    order.points_reverted += sum(redemption.points_returned for redemption in used)
    if used:
        # Nobody has decided about what it uses just now (N4).
        order.points_decision = PersonsDecision.NONE
        order.customer_id = order.customer_id or used[0].customer_id
    order.touch(now, "customer", "points_applied", "points_reverted", "points_decision", "codes")


def _events(redemption: Redemption, order: Order, outcome: CodeOutcome) -> list[Happening]:
    """What is told, before the redemption is marked."""
    facts: dict[str, object] = {"order": str(order.pk), "number": order.number}
    code: dict[str, object] = {"redemption": str(redemption.pk), "code": redemption.code, "points": redemption.points}
    if outcome in _FLAGGED:
        return [happening(redemption, _FLAGGED[outcome], facts), happened_to(order, _FLAGGED[outcome], code)]
    if outcome is CodeOutcome.OF_FAMILY:
        return []
    told = [happened_to(order, Event.ORDER_USED_CODE, code)]
    return told if redemption.used_at is not None else [happening(redemption, Event.CODE_USED, facts), *told]
