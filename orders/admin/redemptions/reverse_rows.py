"""What the form that reverses a redemption shows: what returns to which lots, and what is taken back (R3, R4)."""

from datetime import datetime

from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from orders.admin.redemptions.reverse_form import ReversalForm
from orders.admin.redemptions.rows import worth_words
from orders.admin.reverts.plan_rows import KindSection, Line, Marker, PlanPage, Seen, Statement, lot_row
from orders.kinds import show
from orders.models import Redemption, RedemptionState, RewardType
from orders.services.codes.on_platform import Asked
from orders.services.redemptions.notice import compose_reversal
from orders.services.redemptions.plans import ReversalPlan, ReversalPreview
from orders.services.redemptions.reverse import can_be_reversed, needs_force

_GO_ON = "You can go on: if an order with it arrives, it is shown to you."
_ASKED = {
    Asked.UNREACHABLE: f"The shop platform could not be asked whether the code has been used. {_GO_ON}",
    Asked.UNKNOWN: f"The shop platform does not say whether the code has been used. {_GO_ON}",
}


def reversal_warnings(plan: ReversalPlan, asked: Asked, store: Store) -> list[str]:
    """What staff should know first."""
    redemption = plan.redemption
    told = [_ASKED[asked]] if asked in _ASKED else []
    if plan.spent_already and plan.takes:
        left, gone = (show(amount, redemption.currency, store) for amount in (plan.taken, plan.spent_already))
        told.append(
            f"{gone} of the credits have been spent or have expired, so only {left} are taken back, "
            f"and {show(plan.share, '', store)} of {show(redemption.points, '', store)} return."
        )
    if redemption.state == RedemptionState.CLAIMED and redemption.platform_state == "pending":
        told.append("The code is still being made on the shop platform. It will be deleted there as well.")
    return told


def shown_reversal(
    form: ReversalForm,
    shown: ReversalPreview,
    *,
    may_force: bool,
    store: Store,
    seen: Seen | None,
    now: datetime,
) -> PlanPage:
    """The page for ``shown``; what differs from ``seen`` is marked."""
    plan, redemption, marker = shown.plan, shown.plan.redemption, Marker(seen)
    section = _section(plan, form, marker, store, now)
    confirm = marker.say("confirm", f"Reverse and return {show(plan.returns, '', store)}")
    lines = _lines(shown, marker, store)
    message, refused = compose_reversal(plan, store=store), _refused(plan, may_force=may_force)
    return PlanPage(
        title=f"Reverse “{redemption.reward_name}”",
        sentence=_sentence(redemption, store),
        sections=[] if refused else [section],
        lines=lines,
        confirm=confirm,
        keep="Keep it",
        refused=refused,
        notice_subject=message.subject,
        notice_text=message.text.strip(),
        customer_email=redemption.customer.email,
        shape=" ".join(["reversal", redemption.state, *form.extendable]),
        token="" if form.errors else shown.token,
        seen=Seen(marker.statements).sign(),
    )


def _sentence(redemption: Redemption, store: Store) -> str:
    gave = f"the code {redemption.code}" if redemption.code else "store credits"
    when = show_moment(redemption.created_at, store)
    points, worth = show(redemption.points, "", store), worth_words(redemption, store)
    return f"{redemption.customer} exchanged {points} for {gave} ({worth}) on {when}."


def _section(plan: ReversalPlan, form: ReversalForm, marker: Marker, store: Store, now: datetime) -> KindSection:
    rows = [
        lot_row("points", lot.used, lot, form=form, marker=marker, store=store, now=now) for lot in plan.points.lots
    ]
    stays = plan.redemption.points - plan.redemption.points_returned - plan.returns
    return KindSection(
        kind="points",
        title="Member points that return",
        tick=None,
        rows=rows,
        returns=marker.say("returns-points", show(plan.returns, "", store)),
        stays=marker.say("stays-points", show(stays, "", store)),
        stays_lost=bool(stays),
    )


def _lines(shown: ReversalPreview, marker: Marker, store: Store) -> list[Line]:
    plan = shown.plan
    dead = (
        "Stops working immediately; also deleted on the shop platform"
        if plan.redemption.platform
        else "Stops working immediately"
    )
    lines = [Line("state", "State", "", marker.say("state", RedemptionState.REVERSED.label))]
    if plan.redemption.type == RewardType.CREDITS:
        taken = marker.say("taken", show(plan.taken, plan.redemption.currency, store))
        lines.append(Line("taken", "Credits taken back", "", taken))
    else:
        lines.append(Line("code", "Code", "", marker.say("code", dead)))
    # The balance is no fact of the redemption: it may move without anybody being asked again, so it is not marked.
    after = Statement(show(shown.balance_after, "", store))
    return [*lines, Line("balance", "Points of the customer", show(shown.balance_before, "", store), after)]


def _refused(plan: ReversalPlan, *, may_force: bool) -> str:
    """Why there is nothing to confirm; empty when there is."""
    redemption = plan.redemption
    if not can_be_reversed(redemption):
        done = "reversed" if redemption.state == RedemptionState.REVERSED else "returned through its order"
        return f"This redemption has been {done}. There is nothing left to do."
    if needs_force(redemption) and not may_force:
        return "The code has already been used. Ask a manager, who can reverse it all the same, with a reason."
    if redemption.type == RewardType.CREDITS and not plan.takes:
        return "The credits have been spent or have expired, so there is nothing to exchange back."
    return ""
