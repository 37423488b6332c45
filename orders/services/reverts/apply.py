"""Carrying out plans: the one way in which orders are cancelled and value comes back, for one order or five hundred.

The order of work is always the same: lock the orders, read them again, plan, lock the customers' ledgers, write,
record. Everything a plan depends on is fixed once the order is locked: its allocations change under that lock alone,
and a lot's expiry never changes. So customers are locked late, in id order, and only those who get something back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.days import last_day_of_use
from loyalty.core.values import value_json
from loyalty.database.bulk import insert
from loyalty.journal.record import Event, Happening, record
from loyalty.languages.own_names import name_of
from loyalty.ledger.ledger import Kind, Return
from loyalty.ledger.planner import GIVES_BACK, Decision, KindPlan, PlannedLot
from loyalty.ledger.posting import lock_customers, posting_together
from loyalty.notices.models import Notice
from loyalty.notices.voice import Voice
from loyalty.notices.write import queue
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Customer, Remark, Store
from orders.kinds import KINDS, LEDGERS, allocation_ref, applied, currency_of, decision, reverted, title_of
from orders.models import Completeness, NewRevert, Order, PersonsDecision, Revert
from orders.services.earned_points.settle import Earner, settle_earned
from orders.services.events import happened_to
from orders.services.reverts.notice import letters, others_in
from orders.services.reverts.plans import OrderPlan
from orders.services.reverts.return_codes import codes_of, settle_codes
from orders.services.reverts.write_back import write_back
from orders.services.rules.trace import decision_entry
from orders.services.write_orders import OrderChange, write_changes


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

    @property
    def detail(self) -> str:
        """The sentence; put into words when somebody reads it, which nobody does after a sweep."""
        return skip_sentence(self.kind, self.code)


@dataclass(frozen=True, slots=True)
class MadeRevert:
    """A revert that was written, with the new lot of each extended allocation."""

    kind: Kind
    revert: Revert
    new_lots: Mapping[int, int]


# What is written, by order and kind: one for each customer who gets something back.
Reverts = Mapping[tuple[int, Kind], Sequence[NewRevert]]


@dataclass(frozen=True, slots=True)
class CancelResult:
    """What happened to one order."""

    order: Order
    cancelled_now: bool
    reverts: Sequence[MadeRevert]
    skipped: Sequence[Skip]
    notice: Notice | None = None


SKIP_SENTENCES: Final[Mapping[str, str]] = {
    "not_applied": gettext_noop("This order used no %(name)s."),
    "not_selected": gettext_noop("Returning %(name)s was left for later."),
    "declined": gettext_noop("%(title)s were not to be returned."),
    "already_reverted": gettext_noop("All %(name)s of this order are already back."),
    "expired": gettext_noop("What is left of the %(name)s has expired and was not extended."),
    "skip_tag": gettext_noop("A tag on this order keeps its %(name)s from being returned automatically."),
    "blocked": gettext_noop("A part of the %(name)s has expired, so none were returned."),
    "rules_disabled": gettext_noop("The rules that return %(name)s are switched off."),
    "no_trigger": gettext_noop("No status and no tag of this order is one that returns %(name)s."),
}

_LEFT_BY: Final = {
    Decision.DECLINE: PersonsDecision.DECLINED,
    Decision.RETURN: PersonsDecision.EXPIRED_LEFT,
}
_REVERT_COLUMNS: Final = tuple(field.name for field in fields(NewRevert) if field.name != "id")
_PEOPLE: Final = frozenset({Trigger.ADMIN, Trigger.API, Trigger.BULK})
RULES: Final = frozenset({Trigger.RULE_STATUS, Trigger.RULE_TAG})


@dataclass(frozen=True, slots=True)
class Work:
    """What is the same for every order of one call; ``cancels`` says whether they become cancelled by it."""

    store: Store
    settings: StoreSettings
    details: Details
    act: Act
    cancels: bool


def apply_plans(plans: Sequence[OrderPlan], work: Work) -> list[CancelResult]:
    """Carry out plans of locked orders, in a number of statements that does not grow with them (M7)."""
    planned = [(plan, work) for plan in plans]
    with posting_together():
        written = _write(planned)
    notices = _tell(planned)
    return [_result(plan, written, work, notices.get(plan.order.pk)) for plan in plans]


def apply_works(planned: Sequence[tuple[OrderPlan, Work]]) -> None:
    """As :func:`apply_plans` for orders of several stores, each with the work of its store; no answer.

    The works differ in store, settings and whether customers are told, and in nothing else.
    """
    with posting_together():
        _write(planned)
    _tell(planned)


@dataclass(frozen=True, slots=True)
class _Written:
    reverts: Reverts
    # The new lot of each extended allocation.
    new_lots: Mapping[Kind, Mapping[int, int]]


def _write(planned: Sequence[tuple[OrderPlan, Work]]) -> _Written:
    if not planned:
        return _Written({}, {})
    plans, work = [plan for plan, _ in planned], planned[0][1]
    earners = [Earner(plan.order, work.store, work.settings) for plan, work in planned if _earned_by(plan, work)]
    # All at once, in the order of their ids: those who get something back, and those whose earned points may go.
    lock_customers(
        {lot.used.customer_id for plan in plans for lot in plan.given_back}
        | {pk for earner in earners if (pk := earner.order.customer_id)}
    )
    remark = _remark(work)
    reverts = _write_reverts(planned, remark)
    new_lots = {kind: _give_back(kind, plans, reverts, remark, work) for kind in KINDS}
    changes = [_change(plan, work) for plan in plans]
    write_changes(changes, trigger=work.act.trigger, reason=work.details.reason, now=work.act.now)
    ended = settle_codes(codes_of(plans), actor=work.act.actor, now=work.act.now)
    events = [event for plan, work in planned for event in _events(plan, reverts, remark, work)]
    record([*events, *ended], actor=work.act.actor, now=work.act.now)
    settle_earned(earners, act=work.act)
    write_back(
        ((plan.order, bool(plan.given_back), item.cancels, item.settings.write_back) for plan, item in planned),
        reason=work.details.reason,
        now=work.act.now,
    )
    return _Written(reverts, new_lots)


def _earned_by(plan: OrderPlan, work: Work) -> bool:
    return work.cancels and bool(plan.order.points_earned)


def _remark(work: Work) -> Remark | None:
    if not work.details.reason and not work.details.note:
        return None
    remark: Remark = Remark.objects.create(
        store=work.store, reason=work.details.reason, note=work.details.note, created_at=work.act.now
    )
    return remark


def _write_reverts(planned: Sequence[tuple[OrderPlan, Work]], remark: Remark | None) -> Reverts:
    reverts = {
        (plan.order.pk, kind): [
            _revert(plan.order, kind, plan.kinds[kind], customer_id, remark, work)
            for customer_id in _receivers(plan.kinds[kind])
        ]
        for plan, work in planned
        for kind in KINDS
        if plan.kinds[kind].returns
    }
    rows = [revert for made in reverts.values() for revert in made]
    if rows:
        columns = {name: [getattr(row, name) for row in rows] for name in _REVERT_COLUMNS}
        for row, pk in zip(rows, insert(Revert, columns), strict=True):
            row.id = pk
    return reverts


def _receivers(plan: KindPlan) -> list[int]:
    """To whom value comes back: whose lots they were, which is the order's customer but for another's code (R7)."""
    return list(dict.fromkeys(lot.used.customer_id for lot in plan.lots if lot.outcome in GIVES_BACK))


def _revert(order: Order, kind: Kind, plan: KindPlan, customer_id: int, remark: Remark | None, work: Work) -> NewRevert:
    lots = [lot for lot in plan.lots if lot.used.customer_id == customer_id]
    used = applied(order, kind)
    full = reverted(order, kind) + plan.returns == used
    return NewRevert(
        store_id=order.store_id,
        order_id=order.pk,
        customer_id=customer_id,
        kind=kind,
        currency=currency_of(order, kind),
        amount=sum((lot.amount for lot in lots if lot.outcome in GIVES_BACK), start=0),
        applied=used,
        completeness=Completeness.FULL.value if full else Completeness.PARTIAL.value,
        trigger=str(work.act.trigger),
        actor=work.act.actor.ref,
        remark_id=remark.pk if remark else None,
        lots=[lot_json(kind, lot, work.store) for lot in lots],
        settings_version=work.settings.version,
        created_at=work.act.now,
    )


def lot_json(kind: Kind, lot: PlannedLot, store: Store) -> dict[str, Any]:
    """One planned lot as the REST contract shows it, all but the new lot, which the movements know."""
    last_day = last_day_of_use(lot.expires_at, store.tz)
    return {
        "allocation": allocation_ref(kind, lot.used.allocation_id),
        "lot": str(lot.used.lot_id),
        "amount": value_json(lot.amount, lot.used.currency),
        "outcome": lot.outcome.value,
        "expires_on": last_day.isoformat() if last_day else None,
    }


def _give_back(
    kind: Kind,
    plans: Sequence[OrderPlan],
    reverts: Reverts,
    remark: Remark | None,
    work: Work,
) -> dict[int, int]:
    remark_id = remark.pk if remark else None
    returns = [
        Return(revert.store_id, revert.id, remark_id, lot)
        for plan in plans
        for revert in reverts.get((plan.order.pk, kind), ())
        for lot in plan.kinds[kind].lots
        if lot.used.customer_id == revert.customer_id
    ]
    return LEDGERS[kind].give_back(returns, act=work.act)


def _change(plan: OrderPlan, work: Work) -> OrderChange:
    decisions = decisions_after(plan, work)
    return OrderChange(
        order=plan.order,
        credits=Decimal(plan.kinds["credits"].returns),
        points=int(plan.kinds["points"].returns),
        credits_decision=decisions["credits"],
        points_decision=decisions["points"],
        cancels=work.cancels,
        evaluated=work.act.trigger in RULES,
        deferred=any(plan.kinds[kind].decision is Decision.DEFER for kind in KINDS if decisions[kind]),
    )


def decisions_after(plan: OrderPlan, work: Work) -> dict[Kind, str]:
    """What stands beside each kind afterwards (N4, B2)."""
    return {kind: _decision(decision(plan.order, kind), plan.kinds[kind], work.act.trigger) for kind in KINDS}


def decided(order: Order) -> dict[Kind, str]:
    """What was decided about each kind so far."""
    return {kind: decision(order, kind) for kind in KINDS}


def _decision(before: str, plan: KindPlan, trigger: str) -> str:
    """What is decided about what remains: people decide, automation only leaves for later (N4, B2).

    A later "left out" does not take back an earlier decision.
    """
    if not plan.remains:
        return PersonsDecision.NONE
    if plan.decision is Decision.DEFER:
        return before or PersonsDecision.DEFERRED
    if plan.decision is Decision.RETURN and plan.remains != plan.left_in_lots:
        # The order used more than this was about (a code's redemption was reversed): of that nobody decided (R7).
        return before
    return _LEFT_BY.get(plan.decision, before) if trigger in _PEOPLE else before


def _result(plan: OrderPlan, written: _Written, work: Work, notice: Notice | None) -> CancelResult:
    made = [
        MadeRevert(kind, _as_model(revert), written.new_lots[kind])
        for kind in KINDS
        for revert in written.reverts.get((plan.order.pk, kind), ())
    ]
    return CancelResult(plan.order, work.cancels, made, skips(plan), notice)


def _as_model(revert: NewRevert) -> Revert:
    return Revert(id=revert.id, **{name: getattr(revert, name) for name in _REVERT_COLUMNS})


def skips(plan: OrderPlan) -> list[Skip]:
    """Why nothing of a kind comes back, for each kind of which nothing does."""
    codes = {kind: plan.kinds[kind].skip_code for kind in KINDS}
    return [Skip(kind, code) for kind, code in codes.items() if code]


def skip_sentence(kind: Kind, code: str) -> str:
    """Why nothing of ``kind`` comes back, for people."""
    return _(SKIP_SENTENCES[code]) % {"name": name_of(kind), "title": title_of(kind)}


def _events(plan: OrderPlan, reverts: Reverts, remark: Remark | None, work: Work) -> list[Happening]:
    remark_id = remark.pk if remark else None
    decisions = [
        decision_entry(
            plan.order,
            kind,
            plan.kinds[kind],
            matched=plan.matched[kind],
            trigger=work.act.trigger,
            settings_version=work.settings.version,
            revert=revert,
            remark_id=remark_id,
        )
        for kind in KINDS
        if _is_decided(plan, kind, work)
        for revert in reverts.get((plan.order.pk, kind), (None,))
    ]
    return [_cancelled(plan.order, remark_id, work), *decisions] if work.cancels else decisions


def _cancelled(order: Order, remark_id: int | None, work: Work) -> Happening:
    data = {"trigger": work.act.trigger, "reason": work.details.reason}
    return happened_to(order, Event.ORDER_CANCELLED, data, remark_id=remark_id)


def _is_decided(plan: OrderPlan, kind: Kind, work: Work) -> bool:
    """Whether this call decided about ``kind``, so that it leaves a trace (N6); asked after the order was written."""
    code = plan.kinds[kind].code
    if code == "not_applied" or plan.kinds[kind].decision is Decision.ASIDE:
        return False
    if plan.kinds[kind].decision is Decision.DEFER and code == "not_selected":
        # "Left out" does not take back what was decided before, and so decides nothing.
        return decision(plan.order, kind) == PersonsDecision.DEFERRED
    return work.cancels or work.act.trigger not in _PEOPLE or code != "already_reverted"


def _tell(planned: Sequence[tuple[OrderPlan, Work]]) -> dict[int | None, Notice]:
    """Queue the letters in this transaction (M5, H3); answers each order's, which is that to its customer."""
    told = [(plan, work) for plan, work in planned if work.details.notify_customer]
    if not told:
        return {}
    others = Customer.unscoped.in_bulk({pk for plan, _ in told for pk in others_in(plan)})
    written = [
        letter
        for plan, work in told
        for letter in letters(
            plan,
            others=others,
            voice=Voice(work.store, work.settings),
            cancelled=work.cancels,
            trigger=work.act.trigger,
        )
    ]
    work = told[0][1]
    notices = queue(written, actor=work.act.actor, now=work.act.now)
    # Of several, the one to the order's customer was written first.
    return {notice.order_id: notice for notice in reversed(notices)}
