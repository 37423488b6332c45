"""What the customer is told after a reversal (R3, H3)."""

from django.template.loader import render_to_string

from loyalty.core.days import last_day_of_use
from loyalty.ledger.planner import GIVES_BACK, Outcome, PlannedLot
from loyalty.notices.write import Letter, Message, in_language_of
from loyalty.stores.dates import show_day_in_words
from loyalty.stores.models import Store
from orders.kinds import show
from orders.services.redemptions.plans import ReversalPlan
from orders.services.reverts.notice import NoticeLine


def compose_reversal(plan: ReversalPlan, *, store: Store) -> Message:
    """The message: what was reversed, which points return until when, which do not and why."""
    redemption = plan.redemption
    context = {
        "store": store,
        "customer_name": redemption.customer.name,
        "reward": redemption.reward_name,
        "code": redemption.code,
        "taken": show(plan.taken, redemption.currency, store) if plan.takes else "",
        "returned": [_line(lot, store) for lot in plan.points.lots if lot.outcome in GIVES_BACK],
        "not_returned": [_line(lot, store) for lot in plan.points.lots if lot.outcome is Outcome.EXPIRED],
        "kept": _kept(plan, store),
    }
    return Message(
        subject=f"{store.name}: “{redemption.reward_name}” was reversed",
        text=render_to_string("orders/notices/reversed.txt", context),
        html=render_to_string("orders/notices/reversed.html", context),
    )


def reversal_letter(plan: ReversalPlan, *, store: Store) -> Letter:
    """The message addressed to the customer."""
    customer = plan.redemption.customer
    with in_language_of(customer, store):
        return Letter(compose_reversal(plan, store=store), customer, None)


def _kept(plan: ReversalPlan, store: Store) -> str:
    """The points that stay spent because the credits they were exchanged for were used (R4)."""
    stays = plan.redemption.points - plan.share
    return show(stays, "", store) if stays else ""


def _line(lot: PlannedLot, store: Store) -> NoticeLine:
    day = show_day_in_words(last_day_of_use(lot.expires_at, store.tz), store)
    if lot.outcome is Outcome.EXPIRED:
        return NoticeLine(show(lot.amount, "", store), f"expired on {day}")
    return NoticeLine(show(lot.amount, "", store), f"valid until {day}" if day else "valid without end")
