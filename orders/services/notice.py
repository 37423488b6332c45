"""What the customer is told after a cancel or a return (M5, H3)."""

from dataclasses import dataclass

from django.template.loader import render_to_string

from loyalty.ledger.expiry import last_day_of_use
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import GIVES_BACK, Amount, KindPlan, Outcome, PlannedLot
from loyalty.notices.queueing import Letter, Message
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Store
from loyalty.stores.showing import show_day_in_words
from orders.kinds import KINDS, NAMES, currency_of, show
from orders.services.plans import OrderPlan

_WHY_NOT = {
    Outcome.EXPIRED: "expired on {day}",
    Outcome.BLOCKED: "because another part of the {name} that you used has expired",
}
# Why automation cancelled, as the end of the sentence that says so; people's reasons are theirs to tell.
BECAUSE = {
    Trigger.PAYMENT_EXPIRED: ", because it was not paid in time",
    Trigger.PAYMENT_FAILED: ", because the payment failed",
}


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One line of the message: an amount, and until when it is valid or why it did not return."""

    amount: str
    words: str


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """What the message says of one kind."""

    name: str
    returned: tuple[NoticeLine, ...]
    not_returned: tuple[NoticeLine, ...]


def compose(plan: OrderPlan, *, store: Store, cancelled: bool, trigger: Trigger | None = None) -> Message:
    """The message for what ``plan`` does: what returned, until when, what did not and why.

    ``trigger`` lets it say why the order was cancelled, when that was automatic.
    """
    kinds = [_kind(plan, kind, store) for kind in KINDS if plan.kinds[kind].used]
    customer = plan.order.customer
    context = {
        "store": store,
        "order": plan.order,
        "customer_name": customer.name if customer else "",
        "cancelled": cancelled,
        "because": BECAUSE.get(trigger, "") if trigger else "",
        "kinds": kinds,
    }
    what = "was cancelled" if cancelled else "was updated"
    return Message(
        subject=f"{store.name}: order {plan.order.number} {what}",
        text=render_to_string("orders/notices/cancelled.txt", context),
        html=render_to_string("orders/notices/cancelled.html", context),
    )


def letter(plan: OrderPlan, *, store: Store, cancelled: bool, trigger: Trigger) -> Letter | None:
    """The message addressed to the order's customer; None when there is nobody to write to."""
    if plan.order.customer is None:
        return None
    message = compose(plan, store=store, cancelled=cancelled, trigger=trigger)
    return Letter(message, plan.order.customer, plan.order.pk)


def _kind(plan: OrderPlan, kind: Kind, store: Store) -> NoticeKind:
    kind_plan = plan.kinds[kind]
    currency = currency_of(plan.order, kind)
    back = [lot for lot in kind_plan.lots if lot.outcome in GIVES_BACK]
    lost = [lot for lot in kind_plan.lots if lot.outcome in _WHY_NOT]
    return NoticeKind(
        name=NAMES[kind].capitalize(),
        returned=tuple(_line(lot.amount, currency, _until(lot, store), store) for lot in back),
        not_returned=(
            *(_line(lot.amount, currency, _why_not(lot, kind, store), store) for lot in lost),
            *_undecided(kind_plan, currency, store),
        ),
    )


def _line(amount: Amount, currency: str, words: str, store: Store) -> NoticeLine:
    return NoticeLine(show(amount, currency, store), words)


def _undecided(plan: KindPlan, currency: str, store: Store) -> list[NoticeLine]:
    if plan.lots or not plan.remains:
        return []
    return [_line(plan.remains, currency, "please ask us if you expected it back", store)]


def _until(lot: PlannedLot, store: Store) -> str:
    day = _day(lot, store)
    return f"valid until {day}" if day else "valid without end"


def _why_not(lot: PlannedLot, kind: Kind, store: Store) -> str:
    return _WHY_NOT[lot.outcome].format(day=_day(lot, store), name=NAMES[kind])


def _day(lot: PlannedLot, store: Store) -> str:
    return show_day_in_words(last_day_of_use(lot.expires_at, store.tz), store)
