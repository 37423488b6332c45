"""Bringing cancelled orders back, and deducting again what was returned (M10, M9, E6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.clock import later_than
from loyalty.core.errors import Conflict
from loyalty.core.values import value_json
from loyalty.journal.record import Event, Happening, record
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount, InsufficientBalance
from loyalty.ledger.posting import Cause, lock_customers
from loyalty.store_settings.sections import current_settings
from loyalty.stores.actors import Act, Actor
from loyalty.stores.models import Customer, Store
from orders.kinds import KINDS, LEDGERS, currency_of, reverted
from orders.models import Order, OrderStatus, PersonsDecision
from orders.services.earned_points.settle import Earner, settle_earned
from orders.services.events import happened_to
from orders.services.locks import lock_order


class Deduct(StrEnum):
    """How much of what is with the customer is taken again (M10)."""

    NONE = "none"
    AVAILABLE = "available"
    ALL = "all"


class NotPaidAfterCancellation(Conflict):
    """Only an order whose payment arrived after an automatic cancel can be marked for refund (E6)."""

    code = "not-paid-after-cancellation"
    title = gettext_noop("No payment arrived after this order was cancelled automatically.")


@dataclass(frozen=True, slots=True)
class ReinstateResult:
    """What happened: whether the order came back by this call, and what was deducted again of each kind."""

    order: Order
    reinstated_now: bool
    deducted: Mapping[Kind, Amount]


@dataclass(frozen=True, slots=True)
class Holder:
    """What is with one customer of one kind that the order used, and what that customer can spend of that kind."""

    customer_id: int
    returned: Amount
    balance: Amount

    def deducts(self, deduct: Deduct) -> Amount:
        """What ``deduct`` takes; for ``all`` it may be more than the balance."""
        available = min(self.returned, self.balance)
        return {Deduct.NONE: 0, Deduct.AVAILABLE: available, Deduct.ALL: self.returned}[deduct]


@dataclass(frozen=True, slots=True)
class InHand:
    """What is back of one kind that the order used: with its customer, and with whoever's code it came with (R7)."""

    holders: Sequence[Holder]

    @property
    def returned(self) -> Amount:
        """What is back in all."""
        return sum((holder.returned for holder in self.holders), start=0)

    @property
    def balance(self) -> Amount:
        """What they can spend of that kind."""
        return sum((holder.balance for holder in self.holders), start=0)

    @property
    def available(self) -> Amount:
        """How much of what was returned can be deducted again."""
        return self.deducts(Deduct.AVAILABLE)

    def deducts(self, deduct: Deduct) -> Amount:
        """What ``deduct`` takes from all of them; for ``all`` it may be more than they have."""
        return sum((holder.deducts(deduct) for holder in self.holders), start=0)


def in_hand(order: Order, *, now: datetime) -> dict[Kind, InHand]:
    """Who holds what of what ``order`` used, for each kind of which something is back; two queries a kind."""
    return {kind: _in_hand(order, kind, now) for kind in KINDS if reverted(order, kind)}


def _in_hand(order: Order, kind: Kind, now: datetime) -> InHand:
    back: dict[int, Amount] = {}
    for lot in LEDGERS[kind].used_lots([order.pk]).get(order.pk, ()):
        # What was deducted again lowers what is back, whichever lot it was taken from (M10).
        change = lot.returned if not lot.deduction else -lot.outstanding
        back[lot.customer_id] = back.get(lot.customer_id, 0) + change
    available = LEDGERS[kind].available(back, now=now)
    currency = currency_of(order, kind)
    return InHand(
        [Holder(pk, amount, available.get((pk, currency), 0)) for pk, amount in sorted(back.items()) if amount]
    )


@transaction.atomic
def reinstate(
    *, store: Store, order_id: int, status: str, deduct: Deduct, act: Act, version: int | None = None
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
    taken = _deduct_again(order, deduct, act)
    if comes_back:
        _bring_back(order, status, act.now)
    if comes_back or taken:
        order.touch(act.now, *_WRITTEN)
        record(_events(order, taken, act.trigger, comes_back=comes_back), actor=act.actor, now=act.now)
    if comes_back:
        settle_earned([Earner(order, store, current_settings(store))], act=act)
    return ReinstateResult(order, comes_back, _in_all(taken))


@transaction.atomic
def mark_for_refund(*, store: Store, order_id: int, actor: Actor, now: datetime) -> Order:
    """Keep an order cancelled that was paid too late, and record that its payment is to be refunded (E6).

    Marked before, nothing happens. Reinstating takes the mark away. Raises NotPaidAfterCancellation, NotFound (T1).
    """
    order = lock_order(store, order_id)
    if order.refund_marked_at is not None:
        return order
    if not order.paid_after_cancellation:
        raise NotPaidAfterCancellation(_("No payment arrived after an automatic cancel of this order."))
    order.refund_marked_at = now
    order.touch(now, "refund_marked_at")
    record([happened_to(order, Event.MARKED_FOR_REFUND, {})], actor=actor, now=now)
    return order


# What was taken again, by whom it was taken from.
_Taken = Mapping[int, Mapping[Kind, Amount]]


def _in_all(taken: _Taken) -> dict[Kind, Amount]:
    sums = {kind: sum((amounts.get(kind, 0) for amounts in taken.values()), start=0) for kind in KINDS}
    return {kind: amount for kind, amount in sums.items() if amount}


def _deduct_again(order: Order, deduct: Deduct, act: Act) -> _Taken:
    if deduct is Deduct.NONE:
        return {}
    # The balance is read under the lock: a spend at the same moment has happened, or waits for this one.
    lock_customers({holder.customer_id for held in in_hand(order, now=act.now).values() for holder in held.holders})
    found = in_hand(order, now=act.now)
    customers = Customer.objects.for_store(order.store).in_bulk(
        {holder.customer_id for held in found.values() for holder in held.holders}
    )
    taken: dict[int, dict[Kind, Amount]] = {}
    for kind, held in found.items():
        for holder in held.holders:
            if amount := holder.deducts(deduct):
                _take(order, customers[holder.customer_id], kind, amount, act)
                taken.setdefault(holder.customer_id, {})[kind] = amount
    return taken


def _take(order: Order, customer: Customer, kind: Kind, amount: Amount, act: Act) -> None:
    currency, ledger = currency_of(order, kind), LEDGERS[kind]
    try:
        ledger.spend(
            customer,
            amount,
            currency=currency,
            cause=Cause(order.pk, deduction=ledger.next_deduction(order.pk)),
            act=act,
        )
    except InsufficientBalance as error:
        raise InsufficientBalance.at("/deduct", error.detail) from error
    setattr(order, f"{kind}_reverted", reverted(order, kind) - amount)
    setattr(order, f"{kind}_decision", PersonsDecision.NONE)


def _bring_back(order: Order, status: str, now: datetime) -> None:
    order.status = status
    order.cancelled_at = order.refund_marked_at = None
    order.cancelled_by = order.cancel_reason = ""
    order.reinstated_at = later_than(order.payment_changed_at, now)
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
)


def _events(order: Order, taken: _Taken, trigger: str, *, comes_back: bool) -> list[Happening]:
    happenings = []
    if comes_back:
        left = {kind: value_json(reverted(order, kind), currency_of(order, kind)) for kind in KINDS}
        facts = {"status": order.status, "trigger": trigger, "deducts": bool(taken), "with_customer": left}
        happenings.append(happened_to(order, Event.ORDER_REINSTATED, facts))
    for customer_id, amounts in taken.items():
        data: dict[str, Any] = {kind: value_json(amount, currency_of(order, kind)) for kind, amount in amounts.items()}
        data |= {"currency": order.currency, "trigger": trigger}
        happenings.append(replace(happened_to(order, Event.DEDUCTED_AGAIN, data), customer_id=customer_id))
    return happenings
