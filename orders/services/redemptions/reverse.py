"""Reversing a redemption in one step: the code dead, the points back, the customer told, the platform told (R3, R4)."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from credits.ledger import CREDITS
from loyalty.core.days import local_day
from loyalty.core.errors import Conflict, Invalid, NotFound
from loyalty.core.values import value_json
from loyalty.customers.merged import CustomerMerged
from loyalty.journal.record import Event, record
from loyalty.languages.own_names import own_words
from loyalty.ledger.ledger import Kind, Return
from loyalty.ledger.planner import Decision, KindPlan
from loyalty.ledger.posting import Cause, lock_customers
from loyalty.notices.models import Notice
from loyalty.notices.voice import Voice
from loyalty.notices.write import queue
from loyalty.store_settings.sections import StoreSettings, current_settings
from loyalty.stores.actors import Act
from loyalty.stores.models import Remark, Store
from orders.kinds import KINDS
from orders.models import Order, Redemption, RedemptionState, RewardType
from orders.services.codes.events import happening
from orders.services.codes.on_platform import Asked, tell_of_reversal
from orders.services.locks import lock_order
from orders.services.redemptions.notice import reversal_letter
from orders.services.redemptions.plans import (
    ReversalPlan,
    ReversalPreview,
    plan_reversal,
    preview_reversal,
)
from orders.services.redemptions.requests import close_requests
from orders.services.reverts.apply import Details, Work, apply_plans
from orders.services.reverts.choices import CancelChoice, Extension, ResolvedChoice, resolve
from orders.services.reverts.dismiss import NothingLeft
from orders.services.reverts.plans import OrderPlan
from orders.services.reverts.preview_token import REVERSAL, Shown
from orders.services.rules.trace import BY_PERSON
from points.ledger import POINTS


class CodeUsed(Conflict):
    """The code has been used: the customer has had the discount."""

    code = "code-used"
    title = gettext_noop("This code has already been used.")


class ReversalStale(Conflict):
    """What was shown is no longer what would happen; ``preview`` is what would happen now."""

    code = "preview-stale"
    title = gettext_noop("Something has changed since this was shown.")

    def __init__(self, fresh: ReversalPreview) -> None:
        super().__init__(_("The redemption or what would return has changed since this was shown. Nothing was done."))
        self.preview = fresh


@dataclass(frozen=True, slots=True)
class ReversalAsk:
    """What somebody wants: which expired points come back until when, who is told, and why.

    ``extend`` is for all expired lots, ``extend_allocations`` for single ones, by references such as ``p12``.
    ``notify_customer`` None: as the store's setting says. ``force``: although the code was used.
    """

    extend: Extension | None = None
    extend_allocations: dict[str, Extension] = field(default_factory=dict)
    notify_customer: bool | None = None
    reason: str = ""
    note: str = ""
    force: bool = False

    @property
    def choice(self) -> CancelChoice:
        """The choice in the form that plans take: the points return, nothing else is asked."""
        extend: dict[Kind, Extension] = {"points": self.extend} if self.extend else {}
        return CancelChoice({"points": True}, extend, self.extend_allocations)


@dataclass(frozen=True, slots=True)
class Reversed:
    """What happened: the plan that was carried out, or None when the redemption had been reversed before."""

    redemption: Redemption
    plan: ReversalPlan | None = None
    new_lots: dict[int, int] = field(default_factory=dict)
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class _Work:
    store: Store
    settings: StoreSettings
    ask: ReversalAsk
    asked: Asked
    act: Act


@transaction.atomic
def reverse_redemption(
    *, store: Store, redemption_id: int, ask: ReversalAsk, token: str | None, asked: Asked, act: Act
) -> Reversed:
    """Reverse a redemption, once: a second time changes nothing and answers it as it is.

    ``asked`` is what the platform said about the code beforehand, when no transaction was open. With a ``token``
    exactly what was shown is done, or ReversalStale is raised. Raises NotFound for a redemption of another store,
    CodeUsed unless it is forced, Invalid for a forced reversal without a reason and for an extension that cannot be,
    and NothingLeft for credits of which nothing is left (R4).
    """
    redemption = lock_redemption(store, redemption_id)
    if not can_be_reversed(redemption):
        return Reversed(redemption)
    if needs_force(redemption):
        _refuse_unless_forced(ask)
    settings = current_settings(store)
    plan = _confirmed_plan(redemption, ask, token, store, settings, act.now)
    if redemption.type == RewardType.CREDITS and not plan.takes:
        raise NothingLeft(
            own_words("The credits have been spent or have expired, so there is nothing to exchange back.")
        )
    return _carry_out(plan, _Work(store, settings, ask, asked, act))


def can_be_reversed(redemption: Redemption) -> bool:
    """Whether a reversal could do anything: it was not reversed, nor all of it returned through its order (R7)."""
    if redemption.state == RedemptionState.RETURNED:
        return redemption.points_returned < redemption.points
    return redemption.state != RedemptionState.REVERSED


def needs_force(redemption: Redemption) -> bool:
    """Whether its code was used, so that only a manager reverses it, with a reason.

    Not when the order that used it fell through without ever being paid: then nobody had the discount (R7).
    """
    if redemption.state not in (RedemptionState.USED, RedemptionState.RETURNED):
        return False
    return redemption.used_order is None or not redemption.used_order.fell_through_unpaid


def _refuse_unless_forced(ask: ReversalAsk) -> None:
    if not ask.force:
        raise CodeUsed(_("The code has already been used. A manager can reverse it all the same, with a reason."))
    if not ask.reason.strip():
        raise Invalid.at("/reason", _("A used code is reversed with a reason."), code="required")


def lock_redemption(store: Store, redemption_id: int) -> Redemption:
    """A redemption, locked after the order that used its code and its customer's ledger.

    Raises NotFound for one that this store does not have (T1), CodeUsed when an order comes with the code this moment.
    """
    rows = Redemption.objects.for_store(store).filter(pk=redemption_id)
    found = rows.values_list("used_order_id").first()
    if found is None:
        raise NotFound(_("This store has no redemption with the id %(id)s.") % {"id": redemption_id})
    order = lock_order(store, found[0]) if found[0] else None
    _lock_owner(store, redemption_id)
    locked = rows.select_related("customer").select_for_update(of=("self",), no_key=True)
    redemption: Redemption = locked.get()
    if redemption.used_order_id != found[0]:
        # The order is locked first or not at all: asked again, it will be.
        raise CodeUsed(_("An order used the code just now. Nothing was done; look at it again."))
    redemption.used_order = order
    redemption.store = redemption.customer.store = store
    return redemption


def _lock_owner(store: Store, redemption_id: int) -> None:
    # Who it belongs to changes only where he is merged into another; then he is looked up again.
    while True:
        owners = Redemption.objects.for_store(store).filter(pk=redemption_id).values_list("customer_id", flat=True)
        try:
            return lock_customers(list(owners))
        except CustomerMerged:
            continue


def _confirmed_plan(
    redemption: Redemption,
    ask: ReversalAsk,
    token: str | None,
    store: Store,
    settings: StoreSettings,
    now: datetime,
) -> ReversalPlan:
    today = local_day(now, store.tz)
    if token is None:
        return plan_reversal(redemption, _resolved(ask, settings, today), store=store, now=now)
    shown = Shown.read(token, REVERSAL)
    if shown and shown.is_of(ask.choice) and shown.is_ahead(today):
        plan = plan_reversal(redemption, shown.resolved, store=store, now=now)
        if plan.digest == shown.digest:
            return plan
    raise ReversalStale(preview_reversal(redemption, ask.choice, store=store, settings=settings, now=now))


def _resolved(ask: ReversalAsk, settings: StoreSettings, today: date) -> ResolvedChoice:
    resolved = resolve(ask.choice, limits=settings.extend, today=today)
    return ResolvedChoice(
        {"credits": Decision.DEFER, "points": Decision.RETURN}, resolved.extend, resolved.extend_allocations
    )


def _carry_out(plan: ReversalPlan, work: _Work) -> Reversed:
    redemption, ask = plan.redemption, work.ask
    remark = _remark(ask, work)
    redemption.forced = needs_force(redemption)
    redemption.state = RedemptionState.REVERSED
    redemption.ended_at = redemption.ended_at or work.act.now
    redemption.reversed_at = redemption.updated_at = work.act.now
    redemption.reversed_by = work.act.actor.ref
    redemption.reversal_remark = remark
    redemption.credits_taken = Decimal(plan.taken)
    tell_of_reversal(redemption, now=work.act.now)
    redemption.save_changes()
    new_lots = _write_ledgers(plan, remark, work)
    redemption.points_returned += plan.returns
    Redemption.objects.for_store(work.store).filter(pk=redemption.pk).update(points_returned=redemption.points_returned)
    notice = _tell(plan, work)
    reversed_now = happening(
        redemption,
        Event.REVERSED,
        _facts(plan, work, notice),
        remark_id=remark.pk if remark else None,
        order_id=redemption.used_order_id,
    )
    record([reversed_now], actor=work.act.actor, now=work.act.now)
    close_requests(redemption, actor=work.act.actor, now=work.act.now)
    return Reversed(redemption, plan, new_lots, notice)


def _remark(ask: ReversalAsk, work: _Work) -> Remark | None:
    if not ask.reason and not ask.note:
        return None
    remark: Remark = Remark.objects.create(store=work.store, reason=ask.reason, note=ask.note, created_at=work.act.now)
    return remark


def _write_ledgers(plan: ReversalPlan, remark: Remark | None, work: _Work) -> dict[int, int]:
    remark_id = remark.pk if remark else None
    if plan.redemption.used_order is not None:
        return _return_through(plan.redemption.used_order, plan, work)
    returns = [Return(work.store.pk, None, remark_id, lot) for lot in plan.points.lots]
    new_lots = POINTS.give_back(returns, act=work.act)
    if plan.takes:
        CREDITS.take_back(
            plan.redemption.customer,
            plan.takes,
            currency=plan.redemption.currency,
            cause=Cause(redemption_id=plan.redemption.pk),
            remark_id=remark_id,
            act=work.act,
        )
    return new_lots


def _return_through(order: Order, plan: ReversalPlan, work: _Work) -> dict[int, int]:
    """Give back what the order used with the code as a return of that order, in the one way there is (R7).

    Of the order's credits, and of other points that it used, nothing is said by it.
    """
    credits = KindPlan(Decision.ASIDE, (), used=order.credits_applied, already=order.credits_reverted)
    points = replace(plan.points, used=order.points_applied, already=order.points_reverted)
    done = apply_plans(
        [
            OrderPlan(
                order,
                plan.choice,
                {"credits": (), "points": plan.used},
                {"credits": credits, "points": points},
                dict.fromkeys(KINDS, BY_PERSON),
            )
        ],
        Work(
            work.store,
            work.settings,
            Details(reason=work.ask.reason, note=work.ask.note),
            work.act,
            cancels=False,
        ),
    )
    return {allocation: lot for made in done[0].reverts for allocation, lot in made.new_lots.items()}


def _tell(plan: ReversalPlan, work: _Work) -> Notice | None:
    wanted = work.ask.notify_customer
    if wanted is None:
        wanted = work.settings.notify.on_redemption_reversal_default
    if not wanted:
        return None
    notices = queue(
        [reversal_letter(plan, voice=Voice(work.store, work.settings))], actor=work.act.actor, now=work.act.now
    )
    return notices[0] if notices else None


def _facts(plan: ReversalPlan, work: _Work, notice: Notice | None) -> dict[str, object]:
    redemption = plan.redemption
    facts: dict[str, object] = {
        "name": redemption.reward_name,
        "points": redemption.points,
        "returned": plan.returns,
        "trigger": work.act.trigger,
        "forced": redemption.forced,
        "platform_asked": work.asked.value,
        "notice": str(notice.pk) if notice else None,
    }
    if plan.takes:
        facts |= {"taken": value_json(plan.taken, redemption.currency), "currency": redemption.currency}
    return facts
