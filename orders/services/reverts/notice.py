"""What the customer is told after a cancel or a return (M5, H3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.days import last_day_of_use
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import GIVES_BACK, Amount, KindPlan, Outcome, PlannedLot, share_of
from loyalty.notices.write import Letter, Message, in_language_of
from loyalty.stores.actors import Trigger
from loyalty.stores.dates import show_day_in_words
from loyalty.stores.models import Customer, Store
from orders.kinds import KINDS, currency_of, name_of, show, title_of
from orders.services.reverts.plans import OrderPlan

# Why automation cancelled; people's reasons are theirs to tell.
_BECAUSE: Final[Mapping[str, str]] = {
    Trigger.PAYMENT_EXPIRED: gettext_noop(
        "Your order %(number)s at %(store)s was cancelled, because it was not paid in time."
    ),
    Trigger.PAYMENT_FAILED: gettext_noop(
        "Your order %(number)s at %(store)s was cancelled, because the payment failed."
    ),
}


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """What the message says of one kind: a line for what returned, and until when, and one for what did not and why."""

    name: str
    returned: tuple[str, ...]
    not_returned: tuple[str, ...]


def compose(
    plan: OrderPlan,
    *,
    store: Store,
    cancelled: bool,
    trigger: str | None = None,
    customer: Customer | None = None,
) -> Message:
    """The message for what ``plan`` does: what returned, until when, what did not and why.

    ``trigger`` lets it say why the order was cancelled, when that was automatic. It is written to ``customer``, else to
    the order's, and tells of that person's value alone: a code may have brought the points of somebody else (R7).
    """
    customer = customer or plan.order.customer
    plans = {kind: _to(customer, plan, kind) for kind in KINDS}
    kinds = [_kind(plans[kind], kind, currency_of(plan.order, kind), store) for kind in KINDS if plans[kind].used]
    name = customer.name if customer else ""
    opening = opening_words(plan.order.number, store, cancelled=cancelled, trigger=trigger)
    return write_message(plan.order.number, kinds, store=store, cancelled=cancelled, opening=opening, name=name)


def write_message(
    number: str, kinds: Sequence[NoticeKind], *, store: Store, cancelled: bool, opening: str, name: str
) -> Message:
    """The message about an order of this number to a customer of this name."""
    context = {"store": store, "customer_name": name, "opening": opening, "kinds": kinds}
    subject = _("%(store)s: order %(number)s was updated")
    if cancelled:
        subject = _("%(store)s: order %(number)s was cancelled")
    return Message(
        subject=subject % {"store": store.name, "number": number},
        text=render_to_string("orders/notices/cancelled.txt", context),
        html=render_to_string("orders/notices/cancelled.html", context),
    )


def opening_words(number: str, store: Store, *, cancelled: bool, trigger: str | None = None) -> str:
    """What the message is about, in its first sentence."""
    words = _("This is about your order %(number)s at %(store)s.")
    if cancelled:
        words = _("Your order %(number)s at %(store)s was cancelled.")
    if cancelled and trigger is not None and trigger in _BECAUSE:
        words = _(_BECAUSE[trigger])
    return words % {"number": number, "store": store.name}


def letters(
    plan: OrderPlan, *, others: Mapping[int, Customer], store: Store, cancelled: bool, trigger: str
) -> list[Letter]:
    """The message addressed to the order's customer, and one to each of ``others`` whose value comes back."""
    readers = [plan.order.customer] if plan.order.customer else []
    readers += [others[pk] for pk in others_in(plan)]
    return [_letter(plan, reader, store=store, cancelled=cancelled, trigger=trigger) for reader in readers]


def _letter(plan: OrderPlan, reader: Customer, *, store: Store, cancelled: bool, trigger: str) -> Letter:
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
    lost = [lot for lot in kind_plan.lots if lot.outcome in (Outcome.EXPIRED, Outcome.BLOCKED)]
    return NoticeKind(
        name=title_of(kind),
        returned=tuple(
            returned_words(lot.amount, currency, last_day_of_use(lot.expires_at, store.tz), store) for lot in back
        ),
        not_returned=(
            *(_not_returned(lot, kind, currency, store) for lot in lost),
            *_undecided(kind_plan, currency, store),
        ),
    )


def returned_words(amount: Amount, currency: str, last_day: date | None, store: Store) -> str:
    """The line about a part that came back, with its last day of use."""
    words = _("Returned to you: %(amount)s, valid until %(day)s")
    if last_day is None:
        words = _("Returned to you: %(amount)s, valid without end")
    return words % {"amount": show(amount, currency, store), "day": show_day_in_words(last_day, store)}


def expired_words(amount: Amount, currency: str, last_day: date | None, store: Store) -> str:
    """The line about a part that did not come back because it had expired."""
    facts = {"amount": show(amount, currency, store), "day": show_day_in_words(last_day, store)}
    return _("Not returned: %(amount)s, expired on %(day)s") % facts


def _not_returned(lot: PlannedLot, kind: Kind, currency: str, store: Store) -> str:
    if lot.outcome is Outcome.EXPIRED:
        return expired_words(lot.amount, currency, last_day_of_use(lot.expires_at, store.tz), store)
    words = _("Not returned: %(amount)s, because another part of the %(kind)s that you used has expired")
    return words % {"amount": show(lot.amount, currency, store), "kind": name_of(kind)}


def _undecided(plan: KindPlan, currency: str, store: Store) -> list[str]:
    if plan.lots or not plan.remains:
        return []
    words = _("Not returned: %(amount)s, please ask us if you expected it back")
    return [words % {"amount": show(plan.remains, currency, store)}]
