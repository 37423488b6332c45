"""What the customer is told after a cancel or a return (M5, H3)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.days import last_day_of_use
from loyalty.core.phrases import listed
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import GIVES_BACK, Amount, KindPlan, Outcome, PlannedLot, share_of
from loyalty.notices.letter import Content, Part, write_letter
from loyalty.notices.voice import Voice
from loyalty.notices.write import Letter, Message, in_language_of
from loyalty.store_settings.words import About
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Customer
from orders.kinds import KINDS, currency_of, name_in, title_in
from orders.services.reverts.plans import OrderPlan

# What the customer reads first.
_OPENINGS: Final[Mapping[About, str]] = {
    "cancelled": gettext_noop("Your order %(number)s at %(store)s was cancelled."),
    "not_paid": gettext_noop("Your order %(number)s at %(store)s was cancelled, because it was not paid in time."),
    "payment_failed": gettext_noop("Your order %(number)s at %(store)s was cancelled, because the payment failed."),
    "returned": gettext_noop("This is about your order %(number)s at %(store)s."),
}
# Why automation cancelled; people's reasons are theirs to tell.
_BECAUSE: Final[Mapping[str, About]] = {
    Trigger.PAYMENT_EXPIRED: "not_paid",
    Trigger.PAYMENT_FAILED: "payment_failed",
}


def compose(
    plan: OrderPlan,
    *,
    voice: Voice,
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
    used = [kind for kind in KINDS if plans[kind].used]
    content = tell_of_order(
        about(cancelled=cancelled, trigger=trigger),
        plan.order.number,
        [_part(plans[kind], kind, currency_of(plan.order, kind), voice) for kind in used],
        voice=voice,
        customer=customer.name if customer else "",
        back=[text for kind in used for text in _back(plans[kind], currency_of(plan.order, kind), voice)],
    )
    return write_letter(content, voice)


def about(*, cancelled: bool, trigger: str | None) -> About:
    """Which kind of letter it is."""
    if not cancelled:
        return "returned"
    return _BECAUSE.get(trigger, "cancelled") if trigger else "cancelled"


def tell_of_order(
    about: About, number: str, parts: Sequence[Part], *, voice: Voice, customer: str, back: Sequence[str]
) -> Content:
    """What a customer of this name reads about an order of this number; ``back`` are the amounts that came back."""
    names = {"store": voice.store.name, "number": number}
    subject = _("%(store)s: order %(number)s was cancelled")
    if about == "returned":
        subject = _("%(store)s: order %(number)s was updated")
    return Content(
        about,
        subject % names,
        _(_OPENINGS[about]) % names,
        customer,
        parts,
        facts={"order": number, "amount": listed(back) or _("nothing")},
    )


def letters(
    plan: OrderPlan, *, others: Mapping[int, Customer], voice: Voice, cancelled: bool, trigger: str
) -> list[Letter]:
    """The message addressed to the order's customer, and one to each of ``others`` whose value comes back."""
    readers = [plan.order.customer] if plan.order.customer else []
    readers += [others[pk] for pk in others_in(plan)]
    return [_letter(plan, reader, voice=voice, cancelled=cancelled, trigger=trigger) for reader in readers]


def _letter(plan: OrderPlan, reader: Customer, *, voice: Voice, cancelled: bool, trigger: str) -> Letter:
    with in_language_of(reader, voice.store):
        message = compose(plan, voice=voice, cancelled=cancelled, trigger=trigger, customer=reader)
    return Letter(message, reader, plan.order.pk)


def others_in(plan: OrderPlan) -> list[int]:
    """Whose value comes back and whose order it is not."""
    back = dict.fromkeys(lot.used.customer_id for lot in plan.given_back)
    return [pk for pk in back if pk != plan.order.customer_id]


def _to(customer: Customer | None, plan: OrderPlan, kind: Kind) -> KindPlan:
    return share_of(plan.kinds[kind], plan.used[kind], customer.pk) if customer else plan.kinds[kind]


def _part(kind_plan: KindPlan, kind: Kind, currency: str, voice: Voice) -> Part:
    tz = voice.store.tz
    back = [lot for lot in kind_plan.lots if lot.outcome in GIVES_BACK]
    lost = [lot for lot in kind_plan.lots if lot.outcome in (Outcome.EXPIRED, Outcome.BLOCKED)]
    return Part(
        title_in(voice, kind),
        (
            *(returned_words(lot.amount, currency, last_day_of_use(lot.expires_at, tz), voice) for lot in back),
            *(_not_returned(lot, kind, currency, voice) for lot in lost),
            *_undecided(kind_plan, currency, voice),
        ),
    )


def _back(kind_plan: KindPlan, currency: str, voice: Voice) -> list[str]:
    amounts = [lot.amount for lot in kind_plan.lots if lot.outcome in GIVES_BACK]
    return [voice.show(sum(amounts, type(amounts[0])(0)), currency)] if amounts else []


def returned_words(amount: Amount, currency: str, last_day: date | None, voice: Voice) -> str:
    """The line about a part that came back, with its last day of use."""
    words = _("Returned to you: %(amount)s, valid until %(day)s")
    if last_day is None:
        words = _("Returned to you: %(amount)s, valid without end")
    return words % {"amount": voice.show(amount, currency), "day": voice.day(last_day)}


def expired_words(amount: Amount, currency: str, last_day: date | None, voice: Voice) -> str:
    """The line about a part that did not come back because it had expired."""
    facts = {"amount": voice.show(amount, currency), "day": voice.day(last_day)}
    return _("Not returned: %(amount)s, expired on %(day)s") % facts


def _not_returned(lot: PlannedLot, kind: Kind, currency: str, voice: Voice) -> str:
    if lot.outcome is Outcome.EXPIRED:
        return expired_words(lot.amount, currency, last_day_of_use(lot.expires_at, voice.store.tz), voice)
    words = _("Not returned: %(amount)s, because another part of the %(kind)s that you used has expired")
    return words % {"amount": voice.show(lot.amount, currency), "kind": name_in(voice, kind)}


def _undecided(plan: KindPlan, currency: str, voice: Voice) -> list[str]:
    if plan.lots or not plan.remains:
        return []
    words = _("Not returned: %(amount)s, please ask us if you expected it back")
    return [words % {"amount": voice.show(plan.remains, currency)}]
