"""Changing an order's facts from outside: tags, status, payment, refunds (O1, N2)."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.clock import later_than
from loyalty.core.errors import Invalid
from loyalty.core.tags import clean_tags, tag_key
from loyalty.core.values import value_json
from loyalty.jobs.periodic import wake
from loyalty.journal.record import Event, Happening, record
from loyalty.store_settings.sections import current_settings
from loyalty.stores.actors import Act, Actor, ActorType, Trigger
from loyalty.stores.models import Store
from orders.kinds import KINDS, applied, reverted
from orders.models import PAID_STATUSES, Order, OrderStatus, PaymentDetail, PaymentStatus
from orders.services.earned_points.settle import Earner, settle_earned
from orders.services.events import happened_to
from orders.services.locks import lock_order
from orders.services.rules.decide import facts_of
from orders.services.rules.schedule import WATCHED, watch
from orders.services.rules.trace import PAID_BEFORE, TEST_ORDER, unacted_entry

_FALLEN_THROUGH: Final[Mapping[str, Trigger]] = {
    PaymentStatus.EXPIRED: Trigger.PAYMENT_EXPIRED,
    PaymentStatus.FAILED: Trigger.PAYMENT_FAILED,
}
# Of what may be changed, the facts that the spent-revert rules look at (N2).
_LOOKED_AT: Final = frozenset({"tags", "status", "payment_status", "refunded_total"})


class UseCancel(Invalid):
    """Cancelling decides about value, so it has a call of its own (M1)."""

    code = "use-cancel"
    title = gettext_noop("An order is cancelled by its own call.")


class UseReinstate(Invalid):
    """Bringing a cancelled order back has a call of its own (M10)."""

    code = "use-reinstate"
    title = gettext_noop("A cancelled order is brought back by its own call.")


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
    for name, (_before, after) in changes.items():
        setattr(order, name, after)
    order.tag_keys = [tag_key(tag) for tag in order.tags]
    from_outside = actor.type is ActorType.API_KEY and _LOOKED_AT & values.keys()
    watched = from_outside and watch(order, before, rules=settings.spent_revert, now=now)
    if not changes:
        order.save(update_fields=WATCHED if watched else ())
        return order
    note_payment(order, changed="payment_status" in changes, now=now)
    order.touch(now, *changes, *PAYMENT_FACTS, "tag_keys", *WATCHED)
    told = unacted(order, settings.version) if "payment_status" in changes else []
    record([order_updated(order, changes), *told], actor=actor, now=now)
    trigger = Trigger.API if actor.type is ActorType.API_KEY else Trigger.ADMIN
    settle_earned([Earner(order, store, settings)], act=Act(actor, trigger, now))
    return order


# What noting a payment writes; whoever calls it saves these.
PAYMENT_FACTS: Final = ("payment_changed_at", "payment_detail", "attempt_failed_at", "paid_before")


def note_payment(order: Order, *, changed: bool, now: datetime) -> None:
    """Remember when the payment status changed; when it fell through, have the order looked at within seconds (E5).

    That it was paid or completed once is never forgotten; what was known of an open payment is, when it is not open
    any more (E10).
    """
    order.paid_before |= order.payment_status in PAID_STATUSES or order.status == OrderStatus.COMPLETED
    if order.payment_status != PaymentStatus.PENDING:
        order.payment_detail, order.attempt_failed_at = PaymentDetail.NONE, None
    if changed:
        # Under the order's lock: what was written before it has happened before it, whatever anybody's clock said.
        order.payment_changed_at = later_than(order.reinstated_at, now)
        if order.payment_status in (PaymentStatus.EXPIRED, PaymentStatus.FAILED):
            wake("orders.auto_cancel")


def unacted(order: Order, settings_version: int) -> list[Happening]:
    """Why automatic cancelling will not act on an order whose payment has just fallen through (E10, N6).

    One entry for each kind of which something is not back, where it is a test order, or was paid or completed before
    and now says failed; for all other orders none.
    """
    trigger = _FALLEN_THROUGH.get(order.payment_status)
    reason = TEST_ORDER if order.is_test else PAID_BEFORE if order.failed_after_payment else None
    if trigger is None or reason is None or order.status == OrderStatus.CANCELLED:
        return []
    left = [kind for kind in KINDS if reverted(order, kind) < applied(order, kind)]
    return [unacted_entry(order, kind, reason, trigger=trigger, settings_version=settings_version) for kind in left]


def order_updated(order: Order, changes: dict[str, tuple[Any, Any]]) -> Happening:
    """The journal's event for ``changes`` of ``order``: by name what was and what is."""
    before, after = changes.get("currency", (order.currency, order.currency))
    data = {name: {"from": _plain(old, before), "to": _plain(new, after)} for name, (old, new) in changes.items()}
    return happened_to(order, Event.ORDER_UPDATED, data)


def _refuse_cancelling(order: Order, status: str) -> None:
    if status == order.status:
        return
    if status == OrderStatus.CANCELLED:
        raise UseCancel.at(
            "/status", _("Cancel the order with its own call; it decides what happens to credits and points.")
        )
    if order.status == OrderStatus.CANCELLED:
        raise UseReinstate.at("/status", _("Bring a cancelled order back with the reinstate call."))


def _differences(order: Order, values: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    wanted = values | ({"tags": clean_tags(values["tags"])} if "tags" in values else {})
    return {name: (getattr(order, name), value) for name, value in wanted.items() if getattr(order, name) != value}


def _plain(value: Any, currency: str) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value_json(value, currency) if isinstance(value, Decimal) else value
