"""Undoing a return: what came back is taken out of the very lots it went into (M11)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import cast

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from loyalty.core.days import is_expired
from loyalty.core.errors import Conflict, NotFound
from loyalty.customers.merged import kept_ids
from loyalty.journal.record import Event, record
from loyalty.ledger.ledger import Kind, Returned
from loyalty.ledger.planner import Amount
from loyalty.ledger.posting import lock_customers
from loyalty.notices.write import withdraw
from loyalty.store_settings.sections import current_settings
from loyalty.stores.actors import Act
from loyalty.stores.dates import show_last_day, show_moment
from loyalty.stores.models import Remark, Store
from orders.kinds import LEDGERS, reverted, show
from orders.models import Order, PersonsDecision, Revert, RevertUndo
from orders.services.locks import lock_order
from orders.services.reverts.return_codes import settle_codes
from orders.services.rules.trace import persons_entry


class WhyNot(StrEnum):
    """Why a return cannot be undone."""

    UNDONE = "already_undone"
    TOO_LATE = "too_late"
    DEDUCTED_AGAIN = "deducted_again"
    EXPIRED = "expired"
    SPENT = "spent"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a return cannot be undone, for programs and for people."""

    reason: WhyNot
    detail: str


class UndoNotPossible(Conflict):
    """The return cannot be undone; ``reason`` says why (M11). Nothing was done."""

    code = "undo-not-possible"
    title = gettext_noop("This return cannot be undone.")

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.reason = refusal.reason


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """What undoing a return would take from which lots; with a ``refusal`` it cannot be."""

    revert: Revert
    takes: Sequence[Returned]
    refusal: Refusal | None

    @property
    def kind(self) -> Kind:
        """What was returned."""
        return cast(Kind, self.revert.kind)

    @property
    def amount(self) -> Amount:
        """What undoing takes."""
        return sum((item.amount for item in self.takes), start=0)


@dataclass(frozen=True, slots=True)
class UndoResult:
    """A return that was undone, the order as it is now, and whether a message to the customer was withdrawn."""

    undo: RevertUndo
    revert: Revert
    order: Order
    withdrawn: bool


def undos_of(reverts: Sequence[Revert]) -> dict[int, RevertUndo]:
    """What undid these reverts of one store, by the revert's id; one query, none for no reverts."""
    if not reverts:
        return {}
    undos = RevertUndo.objects.for_store(reverts[0].store).filter(revert__in=reverts).select_related("remark")
    return {undo.revert_id: undo for undo in undos}


def undo_plans(reverts: Sequence[Revert], *, store: Store, now: datetime) -> list[UndoPlan]:
    """What undoing each of these reverts of one order would do, each by itself; writes nothing."""
    hours = current_settings(store).limits.undo_hours
    undone = undos_of(reverts)
    return [_plan(revert, undone.get(revert.pk), store, hours, now) for revert in reverts]


@transaction.atomic
def undo_revert(*, store: Store, revert_id: int, reason: str = "", act: Act) -> UndoResult:
    """Take back what one revert gave, once, and leave the rest declined (M11, N4).

    Posts movements of type *undo* that name the revert, lowers what the allocations and the order say is returned, and
    withdraws the message about it if it has not gone out. People may return the value again; automation does not.
    Raises NotFound (T1) and UndoNotPossible.
    """
    found: Revert | None = Revert.objects.for_store(store).filter(pk=revert_id).first()
    if found is None:
        raise NotFound(_("This store has no revert with the id %(id)s.") % {"id": revert_id})
    order = lock_order(store, found.order_id)
    # What a lot holds may be spent by others until the customer's ledger is ours; what is read after that is true.
    lock_customers(kept_ids([found.customer_id]))
    plan = undo_plans([found], store=store, now=act.now)[0]
    if plan.refusal:
        raise UndoNotPossible(plan.refusal)
    return _carry_out(plan, order, reason, act)


@transaction.atomic
def undo_reverts(
    *, store: Store, order_id: int, revert_ids: Sequence[int], reason: str = "", version: int | None = None, act: Act
) -> list[UndoResult]:
    """Undo several reverts of one order, all or none; as :func:`undo_revert`.

    Raises VersionConflict when ``version`` is given and old, NotFound for a revert of another order.
    """
    lock_order(store, order_id, version=version)
    if Revert.objects.for_store(store).filter(pk__in=revert_ids, order=order_id).count() != len(set(revert_ids)):
        raise NotFound(_("This order has no such return."))
    return [undo_revert(store=store, revert_id=revert_id, reason=reason, act=act) for revert_id in revert_ids]


def _plan(revert: Revert, undo: RevertUndo | None, store: Store, hours: int, now: datetime) -> UndoPlan:
    kind = cast(Kind, revert.kind)
    takes = LEDGERS[kind].returned_by([revert.pk]).get(revert.pk, [])
    refusal = (
        _undone(undo, store)
        or _too_late(revert, store, hours, now)
        or _deducted_again(revert, kind)
        or _lots_gone(takes, store, now)
    )
    return UndoPlan(revert, takes, refusal)


def _undone(undo: RevertUndo | None, store: Store) -> Refusal | None:
    if undo is None:
        return None
    return Refusal(
        WhyNot.UNDONE,
        _("This return was undone already, on %(moment)s.") % {"moment": show_moment(undo.created_at, store)},
    )


def _too_late(revert: Revert, store: Store, hours: int, now: datetime) -> Refusal | None:
    if now < revert.created_at + timedelta(hours=hours):
        return None
    if not hours:
        return Refusal(WhyNot.TOO_LATE, _("This store’s settings say that a return can never be undone."))
    words = ngettext(
        "A return can be undone for %(hours)s hour; this one was made on %(made)s.",
        "A return can be undone for %(hours)s hours; this one was made on %(made)s.",
        hours,
    )
    return Refusal(WhyNot.TOO_LATE, words % {"hours": hours, "made": show_moment(revert.created_at, store)})


def _deducted_again(revert: Revert, kind: Kind) -> Refusal | None:
    if not LEDGERS[kind].spent_after(revert.order_id, revert.pk):
        return None
    return Refusal(
        WhyNot.DEDUCTED_AGAIN, _("What came back was deducted again later; it cannot be taken a second time.")
    )


def _lots_gone(takes: Sequence[Returned], store: Store, now: datetime) -> Refusal | None:
    """The first lot that has expired or does not hold what came back to it."""
    wanted: dict[int, Amount] = {}
    for item in takes:
        wanted[item.lot_id] = wanted.get(item.lot_id, 0) + item.amount
    refusals = (_lot_gone(item, wanted[item.lot_id], store, now) for item in takes)
    return next(filter(None, refusals), None)


def _lot_gone(item: Returned, wanted: Amount, store: Store, now: datetime) -> Refusal | None:
    came_back, until = show(wanted, item.currency, store), show_last_day(item.expires_at, store)
    facts = {"amount": came_back, "lot": item.lot_id, "day": until, "left": show(item.remaining, item.currency, store)}
    if is_expired(item.expires_at, now):
        words = _("%(amount)s came back to lot #%(lot)s, which expired on %(day)s.")
        return Refusal(WhyNot.EXPIRED, words % facts)
    if item.remaining < wanted:
        words = _(
            "%(amount)s came back to lot #%(lot)s, which now holds %(left)s: the customer has used what came back."
        )
        return Refusal(WhyNot.SPENT, words % facts)
    return None


def _carry_out(plan: UndoPlan, order: Order, reason: str, act: Act) -> UndoResult:
    revert, kind = plan.revert, plan.kind
    remark = Remark.objects.create(store=order.store, reason=reason, created_at=act.now) if reason else None
    undo: RevertUndo = RevertUndo.objects.create(
        store_id=order.store_id,
        revert=revert,
        order=order,
        remark=remark,
        actor=act.actor.ref,
        trigger=act.trigger,
        created_at=act.now,
    )
    LEDGERS[kind].undo_returns(plan.takes, remark_id=undo.remark_id, act=act)
    _lower(order, kind, plan.amount, act.now)
    codes = {item.redemption_id for item in plan.takes if item.redemption_id is not None}
    record(settle_codes(codes, actor=act.actor, now=act.now), actor=act.actor, now=act.now)
    _trace(undo, plan, order, act)
    notices = withdraw(order_id=order.pk, written_at=revert.created_at, actor=act.actor, now=act.now)
    return UndoResult(undo, revert, order, withdrawn=bool(notices))


def _lower(order: Order, kind: Kind, amount: Amount, now: datetime) -> None:
    setattr(order, f"{kind}_reverted", reverted(order, kind) - amount)
    setattr(order, f"{kind}_decision", PersonsDecision.DECLINED)
    order.touch(now, f"{kind}_reverted", f"{kind}_decision")


def _trace(undo: RevertUndo, plan: UndoPlan, order: Order, act: Act) -> None:
    entry = persons_entry(
        order,
        plan.kind,
        Event.REVERT_UNDONE,
        code="declined",
        trigger=act.trigger,
        settings_version=current_settings(order.store).version,
        remark_id=undo.remark_id,
        amount=plan.amount,
        revert=plan.revert,
    )
    # Whoever got it may have been merged into another since, whose balance it is that changes (O7).
    record([replace(entry, customer_id=plan.takes[0].customer_id)], actor=act.actor, now=act.now)
