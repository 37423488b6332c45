"""What the customer is told after a reversal (R3, H3)."""

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from loyalty.core.days import last_day_of_use
from loyalty.core.phrases import sentences
from loyalty.ledger.planner import GIVES_BACK, Outcome
from loyalty.notices.write import Letter, Message, in_language_of
from loyalty.stores.models import Store
from orders.kinds import show, title_of
from orders.services.redemptions.plans import ReversalPlan
from orders.services.reverts.notice import expired_words, returned_words


def compose_reversal(plan: ReversalPlan, *, store: Store) -> Message:
    """The message: what was reversed, which points return until when, which do not and why."""
    redemption = plan.redemption
    lots = [(lot, last_day_of_use(lot.expires_at, store.tz)) for lot in plan.points.lots]
    context = {
        "store": store,
        "customer_name": redemption.customer.name,
        "opening": _opening(plan, store),
        "kind": title_of("points"),
        "returned": [returned_words(lot.amount, "", day, store) for lot, day in lots if lot.outcome in GIVES_BACK],
        "not_returned": [
            *(expired_words(lot.amount, "", day, store) for lot, day in lots if lot.outcome is Outcome.EXPIRED),
            *_kept(plan, store),
        ],
    }
    return Message(
        subject=_("%(store)s: “%(reward)s” was reversed") % {"store": store.name, "reward": redemption.reward_name},
        text=render_to_string("orders/notices/reversed.txt", context),
        html=render_to_string("orders/notices/reversed.html", context),
    )


def reversal_letter(plan: ReversalPlan, *, store: Store) -> Letter:
    """The message addressed to the customer."""
    customer = plan.redemption.customer
    with in_language_of(customer, store):
        return Letter(compose_reversal(plan, store=store), customer, None)


def _opening(plan: ReversalPlan, store: Store) -> str:
    redemption = plan.redemption
    facts = {
        "reward": redemption.reward_name,
        "store": store.name,
        "code": redemption.code,
        "amount": show(plan.taken, redemption.currency, store),
    }
    told = [_("“%(reward)s”, which you redeemed at %(store)s, was reversed.") % facts]
    if redemption.code:
        told.append(_("The code %(code)s can no longer be used.") % facts)
    if plan.takes:
        told.append(_("%(amount)s of store credits were taken back for it.") % facts)
    return sentences(told)


def _kept(plan: ReversalPlan, store: Store) -> list[str]:
    """The points that stay spent because the credits they were exchanged for were used (R4)."""
    stays = plan.redemption.points - plan.share
    words = _("Not returned: %(amount)s, for the credits that were used")
    return [words % {"amount": show(stays, "", store)}] if stays else []
