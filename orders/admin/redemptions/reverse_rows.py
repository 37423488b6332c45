"""What the form that reverses a redemption shows: what returns to which lots, and what is taken back (R3, R4)."""

from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.languages.own_names import own_words
from loyalty.notices.voice import Voice
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from orders.admin.redemptions.reverse_form import ReversalForm
from orders.admin.redemptions.rows import worth_words
from orders.admin.reverts.plan_rows import KindSection, Line, Marker, PlanPage, Seen, Statement, lot_row
from orders.kinds import show
from orders.models import Redemption, RedemptionState, RewardType
from orders.services.codes.on_platform import Asked
from orders.services.redemptions.notice import reversal_letter
from orders.services.redemptions.plans import ReversalPlan, ReversalPreview
from orders.services.redemptions.reverse import can_be_reversed, needs_force

_ASKED: Final = {
    Asked.UNREACHABLE: gettext_noop(
        "The shop platform could not be asked whether the code has been used. You can go on: if an order with it "
        "arrives, it is shown to you."
    ),
    Asked.UNKNOWN: gettext_noop(
        "The shop platform does not say whether the code has been used. You can go on: if an order with it arrives, it "
        "is shown to you."
    ),
}


def reversal_warnings(plan: ReversalPlan, asked: Asked, store: Store) -> list[str]:
    """What staff should know first."""
    redemption = plan.redemption
    told = [_(_ASKED[asked])] if asked in _ASKED else []
    if plan.spent_already and plan.takes:
        left, gone = (show(amount, redemption.currency, store) for amount in (plan.taken, plan.spent_already))
        told.append(
            own_words(
                "%(gone)s of the credits have been spent or have expired, so only %(left)s are taken back, and "
                "%(share)s of %(points)s return."
            )
            % {
                "gone": gone,
                "left": left,
                "share": show(plan.share, "", store),
                "points": show(redemption.points, "", store),
            }
        )
    if redemption.state == RedemptionState.CLAIMED and redemption.platform_state == "pending":
        told.append(_("The code is still being made on the shop platform. It will be deleted there as well."))
    return told


def shown_reversal(
    form: ReversalForm,
    shown: ReversalPreview,
    *,
    may_force: bool,
    voice: Voice,
    seen: Seen | None,
    now: datetime,
) -> PlanPage:
    """The page for ``shown``; what differs from ``seen`` is marked."""
    store, plan, redemption, marker = voice.store, shown.plan, shown.plan.redemption, Marker(seen)
    section = _section(plan, form, marker, store, now)
    confirm = marker.say("confirm", _("Reverse and return %(points)s") % {"points": show(plan.returns, "", store)})
    lines = _lines(shown, marker, store)
    message, refused = reversal_letter(plan, voice=voice).message, _refused(plan, may_force=may_force)
    return PlanPage(
        title=_("Reverse “%(reward)s”") % {"reward": redemption.reward_name},
        sentence=_sentence(redemption, store),
        sections=[] if refused else [section],
        lines=lines,
        confirm=confirm,
        keep=_("Keep it"),
        refused=refused,
        notice_subject=message.subject,
        notice_text=message.text.strip(),
        customer_email=redemption.customer.email,
        shape=" ".join(["reversal", redemption.state, *form.extendable]),
        token="" if form.errors else shown.token,
        seen=Seen(marker.statements).sign(),
    )


def _sentence(redemption: Redemption, store: Store) -> str:
    words = own_words("%(customer)s exchanged %(points)s for store credits (%(worth)s) on %(moment)s.")
    if redemption.code:
        words = _("%(customer)s exchanged %(points)s for the code %(code)s (%(worth)s) on %(moment)s.")
    return words % {
        "customer": redemption.customer,
        "points": show(redemption.points, "", store),
        "code": redemption.code,
        "worth": worth_words(redemption, store),
        "moment": show_moment(redemption.created_at, store),
    }


def _section(plan: ReversalPlan, form: ReversalForm, marker: Marker, store: Store, now: datetime) -> KindSection:
    rows = [
        lot_row("points", lot.used, lot, form=form, marker=marker, store=store, now=now) for lot in plan.points.lots
    ]
    stays = plan.redemption.points - plan.redemption.points_returned - plan.returns
    return KindSection(
        kind="points",
        title=own_words("Member points that return"),
        tick=None,
        rows=rows,
        returns=marker.say("returns-points", show(plan.returns, "", store)),
        stays=marker.say("stays-points", show(stays, "", store)),
        stays_lost=bool(stays),
    )


def _lines(shown: ReversalPreview, marker: Marker, store: Store) -> list[Line]:
    plan = shown.plan
    dead = (
        _("Stops working immediately; also deleted on the shop platform")
        if plan.redemption.platform
        else _("Stops working immediately")
    )
    lines = [Line("state", _("State"), "", marker.say("state", str(RedemptionState.REVERSED.label)))]
    if plan.redemption.type == RewardType.CREDITS:
        taken = marker.say("taken", show(plan.taken, plan.redemption.currency, store))
        lines.append(Line("taken", own_words("Credits taken back"), "", taken))
    else:
        lines.append(Line("code", _("Code"), "", marker.say("code", dead)))
    # The balance is no fact of the redemption: it may move without anybody being asked again, so it is not marked.
    after = Statement(show(shown.balance_after, "", store))
    return [*lines, Line("balance", own_words("Points of the customer"), show(shown.balance_before, "", store), after)]


def _refused(plan: ReversalPlan, *, may_force: bool) -> str:
    """Why there is nothing to confirm; empty when there is."""
    redemption = plan.redemption
    if not can_be_reversed(redemption):
        if redemption.state == RedemptionState.REVERSED:
            return _("This redemption has been reversed. There is nothing left to do.")
        return _("This redemption has been returned through its order. There is nothing left to do.")
    if needs_force(redemption) and not may_force:
        return _("The code has already been used. Ask a manager, who can reverse it all the same, with a reason.")
    if redemption.type == RewardType.CREDITS and not plan.takes:
        return own_words("The credits have been spent or have expired, so there is nothing to exchange back.")
    return ""
