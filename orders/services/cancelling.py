"""Cancelling orders and giving back what they used: one transaction, one order or five hundred (M1-M8, B1).

The order of work is always the same: lock the orders, read them again, plan, lock the customers' ledgers, write,
record. Everything a plan depends on is fixed once the order is locked: its allocations change under that lock alone,
and a lot's expiry never changes. So customers are locked late, in id order, and only those who get something back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from loyalty.errors import Conflict, NotFound
from loyalty.journal.record import Event, Happening, record
from loyalty.ledger.expiry import last_day_of_use, local_day
from loyalty.ledger.ledger import Kind, Return
from loyalty.ledger.planner import Decision, ExpiredRule, KindPlan, PlannedLot
from loyalty.ledger.posting import lock_customers
from loyalty.notices.models import Notice
from loyalty.stores.actors import Actor, Trigger
from loyalty.stores.models import Remark, Store
from loyalty.stores.preferences import StoreSettings, current_settings
from orders.kinds import KINDS, LEDGERS, NAMES, REVERTED_EVENT, allocation_ref, applied, currency_of, plain, reverted
from orders.models import Completeness, Order, OrderStatus, PersonsDecision, Revert
from orders.services.choices import DEFER_ALL, CancelChoice, ResolvedChoice, resolve
from orders.services.notice import queue_notice
from orders.services.plans import OrderPlan, Preview, load_used, plan_order, preview, read_token
from orders.services.writing import OrderChange, write_changes


class PreviewStale(Conflict):
    """What was shown is no longer what would happen; ``preview`` is what would happen now (M6)."""

    code = "preview-stale"
    title = "Something has changed since this was shown."

    def __init__(self, fresh: Preview) -> None:
        super().__init__("The order or what would be returned has changed since this was shown. Nothing was done.")
        self.preview = fresh


class NotReturnable(Conflict):
    """Value is returned only on an order that is cancelled or refunded (M8)."""

    code = "not-returnable"
    title = "This order is neither cancelled nor refunded."


@dataclass(frozen=True, slots=True)
class Details:
    """What is said beside the choice: a reason of the list, a staff note, whether the customer is told (M5)."""

    reason: str = ""
    note: str = ""
    notify_customer: bool = False


@dataclass(frozen=True, slots=True)
class Skip:
    """Why nothing of a kind came back: a code of the REST contract and a sentence."""

    kind: Kind
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class MadeRevert:
    """A revert that was written, with the new lot of each extended allocation."""

    revert: Revert
    new_lots: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class CancelResult:
    """What happened to one order."""

    order: Order
    cancelled_now: bool
    reverts: Sequence[MadeRevert]
    skipped: Sequence[Skip]
    notice: Notice | None = None


SKIP_SENTENCES: Final[Mapping[str, str]] = {
    "not_applied": "This order used no {name}.",
    "not_selected": "Returning {name} was left for later.",
    "declined": "{Name} were not to be returned.",
    "already_reverted": "All {name} of this order are already back.",
    "expired": "What is left of the {name} has expired and was not extended.",
    "blocked": "A part of the {name} has expired, so none were returned.",
}

_LEFT_BY: Final = {
    Decision.DECLINE: PersonsDecision.DECLINED,
    Decision.DEFER: PersonsDecision.DEFERRED,
    Decision.RETURN: PersonsDecision.EXPIRED_LEFT,
}


@transaction.atomic
def cancel_order(
    *,
    store: Store,
    order_id: int,
    choice: CancelChoice,
    details: Details,
    token: str | None,
    actor: Actor,
    trigger: Trigger,
    now: datetime,
) -> CancelResult:
    """Cancel one order and return what was chosen; on a cancelled order return what is left (M7, M8).

    With a ``token`` of a preview, exactly what was shown is applied, or :class:`PreviewStale` is raised (M6). Raises
    NotFound for an order of another store, Invalid for a choice that cannot be.
    """
    return _apply_to_one(store, order_id, choice, details, token, actor, trigger, now, cancels=True)


@transaction.atomic
def return_value(
    *,
    store: Store,
    order_id: int,
    choice: CancelChoice,
    details: Details,
    token: str | None,
    actor: Actor,
    trigger: Trigger,
    now: datetime,
) -> CancelResult:
    """Return what is left of a refunded or cancelled order and leave its status alone (M8).

    As :func:`cancel_order`; raises :class:`NotReturnable` when the order is neither.
    """
    return _apply_to_one(store, order_id, choice, details, token, actor, trigger, now, cancels=False)


@transaction.atomic
def cancel_many(
    *, store: Store, order_ids: Sequence[int], details: Details, actor: Actor, now: datetime
) -> dict[int, CancelResult | None]:
    """Cancel several orders and return nothing (B1), in as many statements as for one.

    Answers by id what happened; None for an id that this store does not have. An order that is already cancelled is
    left as it is.
    """
    orders = lock_orders(store, order_ids)
    settings = current_settings(store)
    used = load_used([order.pk for order in orders if order.status != OrderStatus.CANCELLED])
    plans = [
        plan_order(order, DEFER_ALL, used, store=store, rule=ExpiredRule.VALID_ONLY, now=now)
        for order in orders
        if order.status != OrderStatus.CANCELLED
    ]
    work = _Work(store, settings, details, actor, Trigger.BULK, now, cancels=True)
    done = {result.order.pk: result for result in _apply(plans, work)}
    untouched = {order.pk: CancelResult(order, cancelled_now=False, reverts=(), skipped=()) for order in orders}
    return {order_id: done.get(order_id) or untouched.get(order_id) for order_id in order_ids}


def lock_orders(store: Store, order_ids: Sequence[int]) -> list[Order]:
    """These orders of ``store``, locked until the transaction ends, in id order."""
    orders = Order.objects.for_store(store).filter(pk__in=order_ids).order_by("pk")
    return list(orders.select_for_update(of=("self",), no_key=True).select_related("customer"))


def lock_order(store: Store, order_id: int) -> Order:
    """One order of ``store``, locked. Raises NotFound for an id that this store does not have (T1)."""
    orders = lock_orders(store, [order_id])
    if not orders:
        raise NotFound(f"This store has no order with the id {order_id}.")
    return orders[0]


@dataclass(frozen=True, slots=True)
class _Work:
    """What is the same for every order of one call."""

    store: Store
    settings: StoreSettings
    details: Details
    actor: Actor
    trigger: Trigger
    now: datetime
    cancels: bool


def _apply_to_one(
    store: Store,
    order_id: int,
    choice: CancelChoice,
    details: Details,
    token: str | None,
    actor: Actor,
    trigger: Trigger,
    now: datetime,
    *,
    cancels: bool,
) -> CancelResult:
    order = lock_order(store, order_id)
    if not cancels and not order.fell_through:
        raise NotReturnable("Value can be returned once the order is cancelled or its payment is refunded.")
    settings = current_settings(store)
    plan = _confirmed_plan(order, choice, token, store, settings, now)
    work = _Work(store, settings, details, actor, trigger, now, cancels and order.status != OrderStatus.CANCELLED)
    if not work.cancels and not plan.returns_anything and _decisions(plan) == _decided(order):
        return CancelResult(order, cancelled_now=False, reverts=(), skipped=_skips(plan))
    return _apply([plan], work)[0]


def _confirmed_plan(
    order: Order, choice: CancelChoice, token: str | None, store: Store, settings: StoreSettings, now: datetime
) -> OrderPlan:
    today = local_day(now, store.tz)
    if token is None:
        resolved = resolve(choice, limits=settings.extend, today=today)
        return plan_order(order, resolved, load_used([order.pk]), store=store, rule=ExpiredRule.VALID_ONLY, now=now)
    shown = read_token(token)
    if shown and choice == CancelChoice():
        choice = shown.asked
    if shown and choice.to_json() == shown.asked.to_json() and _still_ahead(shown.resolved, today):
        used = load_used([order.pk])
        plan = plan_order(order, shown.resolved, used, store=store, rule=ExpiredRule.VALID_ONLY, now=now)
        if plan.digest == shown.digest:
            return plan
    raise PreviewStale(preview(order, choice, store=store, settings=settings, now=now))


def _still_ahead(choice: ResolvedChoice, today: date) -> bool:
    return all(day >= today for day in (*choice.extend.values(), *choice.extend_allocations.values()))


def _apply(plans: Sequence[OrderPlan], work: _Work) -> list[CancelResult]:
    if not plans:
        return []
    lock_customers({plan.order.customer_id for plan in plans if plan.returns_anything})
    remark = _remark(work)
    reverts = _write_reverts(plans, remark, work)
    new_lots = {kind: _give_back(kind, plans, reverts, remark, work) for kind in KINDS}
    write_changes(
        [_change(plan, work) for plan in plans], trigger=work.trigger, reason=work.details.reason, now=work.now
    )
    results = [_result(plan, reverts, new_lots, work) for plan in plans]
    record(
        (event for result, plan in zip(results, plans, strict=True) for event in _events(result, plan, remark, work)),
        actor=work.actor,
        now=work.now,
    )
    return [_told(result, plan, work) for result, plan in zip(results, plans, strict=True)]


def _remark(work: _Work) -> Remark | None:
    if not work.details.reason and not work.details.note:
        return None
    return Remark.unscoped.create(
        store=work.store, reason=work.details.reason, note=work.details.note, created_at=work.now
    )


def _write_reverts(
    plans: Sequence[OrderPlan], remark: Remark | None, work: _Work
) -> dict[tuple[int, Kind], Revert]:
    reverts = {
        (plan.order.pk, kind): _revert(plan.order, kind, plan.kinds[kind], remark, work)
        for plan in plans
        for kind in KINDS
        if plan.kinds[kind].returns
    }
    Revert.unscoped.bulk_create(reverts.values())
    return reverts


def _revert(order: Order, kind: Kind, plan: KindPlan, remark: Remark | None, work: _Work) -> Revert:
    full = reverted(order, kind) + plan.returns == applied(order, kind)
    return Revert(
        store=work.store,
        order=order,
        customer_id=order.customer_id,
        kind=kind,
        currency=currency_of(order, kind),
        amount=plan.returns,
        applied=applied(order, kind),
        completeness=Completeness.FULL if full else Completeness.PARTIAL,
        trigger=work.trigger,
        actor=work.actor.ref,
        remark=remark,
        lots=[lot_json(kind, lot, work.store) for lot in plan.lots],
        settings_version=work.settings.version,
        created_at=work.now,
    )


def lot_json(kind: Kind, lot: PlannedLot, store: Store) -> dict[str, Any]:
    """One planned lot as the REST contract shows it, all but the new lot, which the movements know."""
    last_day = last_day_of_use(lot.expires_at, store.tz)
    return {
        "allocation": allocation_ref(kind, lot.used.allocation_id),
        "lot": str(lot.used.lot_id),
        "amount": plain(lot.amount, lot.used.currency),
        "outcome": lot.outcome.value,
        "expires_on": last_day.isoformat() if last_day else None,
    }


def _give_back(
    kind: Kind,
    plans: Sequence[OrderPlan],
    reverts: Mapping[tuple[int, Kind], Revert],
    remark: Remark | None,
    work: _Work,
) -> dict[int, int]:
    returns = [
        Return(work.store.pk, reverts[plan.order.pk, kind].pk, remark.pk if remark else None, lot)
        for plan in plans
        if (plan.order.pk, kind) in reverts
        for lot in plan.kinds[kind].lots
    ]
    return LEDGERS[kind].give_back(returns, actor=work.actor, trigger=work.trigger, now=work.now)


def _change(plan: OrderPlan, work: _Work) -> OrderChange:
    decisions = _decisions(plan)
    return OrderChange(
        order=plan.order,
        credits=Decimal(plan.kinds["credits"].returns),
        points=int(plan.kinds["points"].returns),
        credits_decision=decisions["credits"],
        points_decision=decisions["points"],
        cancels=work.cancels,
    )


def _decisions(plan: OrderPlan) -> dict[Kind, str]:
    return {kind: _decision(plan.order, kind, plan.kinds[kind]) for kind in KINDS}


def _decided(order: Order) -> dict[Kind, str]:
    return {"credits": order.credits_decision, "points": order.points_decision}


def _decision(order: Order, kind: Kind, plan: KindPlan) -> str:
    """What stands beside the kind afterwards (N4, B2): a later "left out" does not take back an earlier decision."""
    if not plan.remains:
        return PersonsDecision.NONE
    before = _decided(order)[kind]
    if plan.decision is Decision.DEFER and before:
        return before
    return _LEFT_BY[plan.decision]


def _result(
    plan: OrderPlan,
    reverts: Mapping[tuple[int, Kind], Revert],
    new_lots: Mapping[Kind, Mapping[int, int]],
    work: _Work,
) -> CancelResult:
    made = [
        MadeRevert(reverts[plan.order.pk, kind], new_lots[kind]) for kind in KINDS if (plan.order.pk, kind) in reverts
    ]
    return CancelResult(plan.order, work.cancels, made, _skips(plan))


def _skips(plan: OrderPlan) -> list[Skip]:
    codes = {kind: plan.kinds[kind].skip_code for kind in KINDS}
    return [Skip(kind, code, skip_sentence(kind, code)) for kind, code in codes.items() if code]


def skip_sentence(kind: Kind, code: str) -> str:
    """Why nothing of ``kind`` comes back, for people."""
    name = NAMES[kind]
    return SKIP_SENTENCES[code].format(name=name, Name=name.capitalize())


def _events(result: CancelResult, plan: OrderPlan, remark: Remark | None, work: _Work) -> list[Happening]:
    order = result.order
    what = Event.ORDER_CANCELLED if result.cancelled_now else Event.REVERT_DECIDED
    decided = {"trigger": work.trigger.value, "reason": work.details.reason, "decisions": _decided(order)}
    happenings = [_happening(order, what, remark, decided)]
    happenings += [
        _happening(order, REVERTED_EVENT[made.revert.kind], remark, _revert_facts(made.revert))
        for made in result.reverts
    ]
    return happenings


def _happening(order: Order, event: Event, remark: Remark | None, data: dict[str, Any]) -> Happening:
    return Happening(
        store_id=order.store_id,
        event=event,
        order_id=order.pk,
        customer_id=order.customer_id,
        remark_id=remark.pk if remark else None,
        data=data,
    )


def _revert_facts(revert: Revert) -> dict[str, Any]:
    return {
        "revert": str(revert.pk),
        "amount": plain(revert.amount, revert.currency),
        "applied": plain(revert.applied, revert.currency),
        "currency": revert.currency,
        "trigger": revert.trigger,
    }


def _told(result: CancelResult, plan: OrderPlan, work: _Work) -> CancelResult:
    if not work.details.notify_customer:
        return result
    notice = queue_notice(plan, store=work.store, cancelled=work.cancels, actor=work.actor, now=work.now)
    return CancelResult(result.order, result.cancelled_now, result.reverts, result.skipped, notice)
