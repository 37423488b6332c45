"""What the customer is told after a cancel or a return (M5, H3)."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.template.loader import render_to_string

from loyalty.core.days import last_day_of_use
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import GIVES_BACK, Amount, KindPlan, Outcome, PlannedLot, share_of
from loyalty.notices.write import Letter, Message, in_language_of
from loyalty.stores.actors import Trigger
from loyalty.stores.dates import show_day_in_words
from loyalty.stores.models import Customer, Store
from orders.kinds import KINDS, NAMES, currency_of, show
from orders.services.reverts.plans import OrderPlan

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


def compose(
    plan: OrderPlan,
    *,
    store: Store,
    cancelled: bool,
    trigger: Trigger | None = None,
    customer: Customer | None = None,
) -> Message:
    """The message for what ``plan`` does: what returned, until when, what did not and why.

    ``trigger`` lets it say why the order was cancelled, when that was automatic. It is written to ``customer``, else to
    the order's, and tells of that person's value alone: a code may have brought the points of somebody else (R7).
    """
    customer = customer or plan.order.customer
    plans = {kind: _to(customer, plan, kind) for kind in KINDS}
    kinds = [_kind(plans[kind], kind, currency_of(plan.order, kind), store) for kind in KINDS if plans[kind].used]
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


def letters(
    plan: OrderPlan, *, others: Mapping[int, Customer], store: Store, cancelled: bool, trigger: Trigger
) -> list[Letter]:
    """The message addressed to the order's customer, and one to each of ``others`` whose value comes back."""
    readers = [plan.order.customer] if plan.order.customer else []
    readers += [others[pk] for pk in others_in(plan)]
    return [_letter(plan, reader, store=store, cancelled=cancelled, trigger=trigger) for reader in readers]


def _letter(plan: OrderPlan, reader: Customer, *, store: Store, cancelled: bool, trigger: Trigger) -> Letter:
    with in_language_of(reader, store):
        message = compose(plan, store=store, cancelled=cancelled, trigger=trigger, customer=reader)
    return Letter(message, reader, plan.order.pk)


def others_in(plan: OrderPlan) -> list[int]:
    """Whose value comes back and whose order it is not."""
    back = dict.fromkeys(lot.used.customer_id for lot in plan.given_back)
    return [pk for pk in back if pk != plan.order.customer_id]


def _to(customer: Customer | None, plan: OrderPlan, kind: Kind) -> KindPlan:
    return share_of(plan.kinds[kind], plan.used[kind], customer.pk) if customer else plan.kinds[kind]


def _kind(kind_plan: KindPlan, kind: Kind, currency: str, store: Store) -> NoticeKind:
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
