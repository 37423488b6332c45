"""Bringing cancelled orders back, and deducting again what was returned (M10, M9, E6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django.db import transaction

from loyalty.errors import Conflict
from loyalty.journal.record import Event, Happening, record
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount, InsufficientBalance
from loyalty.ledger.posting import Cause, lock_customers
from loyalty.stores.actors import Actor, Trigger
from loyalty.stores.models import Store
from loyalty.stores.preferences import current_settings
from orders.kinds import KINDS, LEDGERS, NAMES, currency_of, plain, reverted, show
from orders.models import Order, OrderStatus, PersonsDecision
from orders.services.applying import lock_order
from orders.services.earning import Earner, settle_earned
from orders.services.plans import available_to


class Deduct(StrEnum):
    """How much of what is with the customer is taken again (M10)."""

    NONE = "none"
    AVAILABLE = "available"
    ALL = "all"


class NotPaidAfterCancellation(Conflict):
    """Only an order whose payment arrived after an automatic cancel can be marked for refund (E6)."""

    code = "not-paid-after-cancellation"
    title = "No payment arrived after this order was cancelled automatically."


@dataclass(frozen=True, slots=True)
class ReinstateResult:
    """What happened: whether the order came back by this call, and what was deducted again of each kind."""

    order: Order
    reinstated_now: bool
    deducted: Mapping[Kind, Amount]


@dataclass(frozen=True, slots=True)
class InHand:
    """What is with the customer of one kind that the order used, and what the customer can spend of that kind."""

    returned: Amount
    balance: Amount

    @property
    def available(self) -> Amount:
        """How much of what was returned can be deducted again."""
        return min(self.returned, self.balance)

    def deducts(self, deduct: Deduct) -> Amount:
        """What ``deduct`` takes; for ``all`` it may be more than the balance."""
        return {Deduct.NONE: 0, Deduct.AVAILABLE: self.available, Deduct.ALL: self.returned}[deduct]


# What the database generates from the facts that change here; read back after the write.
_GENERATED: Final = (
    "credit_revert_status",
    "points_revert_status",
    "completeness",
    "needs_revert",
    "paid_after_cancellation",
)


def in_hand(order: Order, *, now: datetime) -> dict[Kind, InHand]:
    """What the customer holds of what ``order`` used, for each kind of which something is back; a query a kind."""
    back = [kind for kind in KINDS if reverted(order, kind)]
    return {kind: InHand(reverted(order, kind), available_to(order, kind, now)) for kind in back}


@transaction.atomic
def reinstate(
    *,
    store: Store,
    order_id: int,
    status: str,
    deduct: Deduct,
    actor: Actor,
    trigger: Trigger,
    now: datetime,
    version: int | None = None,
) -> ReinstateResult:
    """Bring a cancelled order back as ``status`` and take ``deduct`` of what is with the customer again (M10).

    Nothing is taken by itself. What is taken is a new spend from any valid lots (L3) that can be reverted once; what
    the order used stays, and what people decided about the old one counts no longer (N4). An order that is not
    cancelled keeps its status, and what is still with the customer is taken. Raises InsufficientBalance at
    ``/deduct`` when ``all`` is more than the customer has, and then the order stays as it was; NotFound (T1);
    VersionConflict when ``version`` is given and old.
    """
    order = lock_order(store, order_id, version=version)
    comes_back = order.status == OrderStatus.CANCELLED
    deducted = _deduct_again(order, deduct, actor, trigger, now)
    if comes_back:
        _bring_back(order, status, now)
    if comes_back or deducted:
        _save(order, now)
        record(_events(order, deducted, trigger, comes_back=comes_back), actor=actor, now=now)
    if comes_back:
        settle_earned([Earner(order, store, current_settings(store))], actor=actor, trigger=trigger, now=now)
    return ReinstateResult(order, comes_back, deducted)


@transaction.atomic
def mark_for_refund(*, store: Store, order_id: int, actor: Actor, now: datetime) -> Order:
    """Keep an order cancelled that was paid too late, and record that its payment is to be refunded (E6).

    Marked before, nothing happens. Reinstating takes the mark away. Raises NotPaidAfterCancellation, NotFound (T1).
    """
    order = lock_order(store, order_id)
    if order.refund_marked_at is not None:
        return order
    if not order.paid_after_cancellation:
        raise NotPaidAfterCancellation("No payment arrived after an automatic cancel of this order.")
    order.refund_marked_at = now
    _save(order, now)
    record([_happening(order, Event.MARKED_FOR_REFUND, {})], actor=actor, now=now)
    return order


def _deduct_again(order: Order, deduct: Deduct, actor: Actor, trigger: Trigger, now: datetime) -> dict[Kind, Amount]:
    if deduct is Deduct.NONE or order.customer is None:
        return {}
    # The balance is read under the lock: a spend at the same moment has happened, or waits for this one.
    lock_customers([order.customer.pk])
    wanted = {kind: held.deducts(deduct) for kind, held in in_hand(order, now=now).items()}
    taken = {kind: amount for kind, amount in wanted.items() if amount}
    for kind, amount in taken.items():
        _take(order, kind, amount, actor, trigger, now)
    return taken


def _take(order: Order, kind: Kind, amount: Amount, actor: Actor, trigger: Trigger, now: datetime) -> None:
    currency, ledger = currency_of(order, kind), LEDGERS[kind]
    try:
        ledger.spend(
            order.customer,
            amount,
            currency=currency,
            cause=Cause(order.pk, deduction=ledger.next_deduction(order.pk)),
            actor=actor,
            trigger=trigger,
            now=now,
        )
    except InsufficientBalance as error:
        wanted = show(amount, currency, order.store)
        detail = f"The customer does not have {wanted} of {NAMES[kind]} to be deducted again: {error.detail}"
        raise InsufficientBalance.at("/deduct", detail) from error
    setattr(order, f"{kind}_reverted", reverted(order, kind) - amount)
    setattr(order, f"{kind}_decision", PersonsDecision.NONE)


def _bring_back(order: Order, status: str, now: datetime) -> None:
    order.status = status
    order.cancelled_at = order.refund_marked_at = None
    order.cancelled_by = order.cancel_reason = ""
    order.reinstated_at = now
    order.attempt_failed_at = None
    order.paid_before |= status == OrderStatus.COMPLETED


_WRITTEN: Final = (
    "status",
    "cancelled_at",
    "cancelled_by",
    "cancel_reason",
    "reinstated_at",
    "refund_marked_at",
    "attempt_failed_at",
    "paid_before",
    *(f"{kind}_{what}" for kind in KINDS for what in ("reverted", "decision")),
    "version",
    "updated_at",
)


def _save(order: Order, now: datetime) -> None:
    order.version += 1
    order.updated_at = now
    order.save(update_fields=_WRITTEN)
    order.refresh_from_db(fields=_GENERATED)


def _events(order: Order, deducted: Mapping[Kind, Amount], trigger: Trigger, *, comes_back: bool) -> list[Happening]:
    happenings = []
    if comes_back:
        left = {kind: plain(reverted(order, kind), currency_of(order, kind)) for kind in KINDS}
        facts = {"status": order.status, "trigger": trigger.value, "deducts": bool(deducted), "with_customer": left}
        happenings.append(_happening(order, Event.ORDER_REINSTATED, facts))
    if deducted:
        amounts: dict[str, Any] = {kind: plain(amount, currency_of(order, kind)) for kind, amount in deducted.items()}
        amounts |= {"currency": order.currency, "trigger": trigger.value}
        happenings.append(_happening(order, Event.DEDUCTED_AGAIN, amounts))
    return happenings


def _happening(order: Order, event: Event, data: dict[str, Any]) -> Happening:
    return Happening(store_id=order.store_id, event=event, order_id=order.pk, customer_id=order.customer_id, data=data)
