"""What a platform says about an order's payment without showing the order."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.journal.record import record
from loyalty.platforms.documents.read import round_amount
from loyalty.platforms.meaning import CreditsTaken, PaymentNews
from loyalty.platforms.snapshot import UsedThere
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from orders.models import Order, OrderStatus, PaymentStatus
from orders.services.intake.change import change_order, order_updated
from orders.services.intake.failed_payments import note_attempts
from orders.services.intake.platform_presence import locked_order
from orders.services.intake.platform_state import used_there_after

_UNPAID: Final = (PaymentStatus.PENDING, PaymentStatus.FAILED, PaymentStatus.EXPIRED)
# Part of the money is there or promised, so one failed attempt does not make the payment fail.
_PROMISED: Final = frozenset({"authorized", "partially_paid"})
# Under this name ``platform_data`` keeps the payments with store credit that were told of one by one.
_PAYMENTS: Final = "credit_payments"


class NotRecorded(Exception):
    """The order has not arrived yet; its own message may come later."""


@transaction.atomic
def note_payment_news(
    *, store: Store, platform: str, news: PaymentNews, actor: Actor, now: datetime
) -> tuple[Order, str]:
    """Record what became of a payment; answers the order and why nothing was changed, "" when it was (E5).

    A payment that failed or expired counts only while nothing is paid; one try to pay is told on the timeline, and
    counts as failed once no other has paid the order in time (E10). Raises NotRecorded for an unknown order.
    """
    order = locked_order(store, platform, news.external_id)
    if order is None:
        raise NotRecorded(_("The order that this payment belongs to has not arrived yet."))
    if news.attempt:
        return order, _note_attempt(order, news.attempt, actor=actor, now=now)
    if reason := _why_not(order, news):
        return order, reason
    change = {"payment_status": news.status}
    return change_order(store=store, order_id=order.pk, values=change, actor=actor, now=now), ""


@transaction.atomic
def note_credits_taken(
    *, store: Store, platform: str, taken: CreditsTaken, actor: Actor, now: datetime
) -> tuple[Order, bool]:
    """Keep that store credit of the platform's own paid for an order: shown, not booked (O5).

    Answers the order and whether that was news. Payments may be told of twice and in any order; the platform may have
    listed them with the order, too. Raises NotRecorded for an unknown order.
    """
    order = locked_order(store, platform, taken.external_id)
    if order is None:
        raise NotRecorded(_("The order that this payment belongs to has not arrived yet."))
    payments: dict[str, str] = order.platform_data.get(_PAYMENTS, {})
    if taken.payment_id in payments:
        return order, False
    known = Decimal(order.platform_data.get("credits_used_there", 0))
    if taken.currency in ("", order.currency):
        payments = payments | {taken.payment_id: f"{round_amount(taken.amount, order.currency):f}"}
        credits = max(known, sum(map(Decimal, payments.values()), start=Decimal(0)))
        said = UsedThere(credits=credits, points=None)
    else:
        # What a shopper's currency comes to in the shop's stands with the order alone.
        credits, said = known, UsedThere(credits=None, points=None, some_credits=True)
    order.platform_data |= used_there_after(order, said, order.currency) | {_PAYMENTS: payments}
    order.touch(now, "platform_data")
    shown = {"platform_data": ({"credits_used_there": f"{known:f}"}, {"credits_used_there": f"{credits:f}"})}
    record([order_updated(order, shown)], actor=actor, now=now)
    return order, True


def _note_attempt(order: Order, attempt: str, *, actor: Actor, now: datetime) -> str:
    if not note_attempts(order, [attempt], actor=actor, now=now):
        return _("Order %(number)s: nothing new.") % {"number": order.number}
    return _("Order %(number)s: an attempt to pay failed. The order stays as it is while another one may succeed.") % {
        "number": order.number
    }


def _why_not(order: Order, news: PaymentNews) -> str:
    if news.at and order.platform_updated_at and news.at < order.platform_updated_at:
        return _("Order %(number)s: an older state than the recorded one, nothing was changed.") % {
            "number": order.number
        }
    if order.status == OrderStatus.CANCELLED and news.status != PaymentStatus.PAID:
        return _("Order %(number)s is cancelled already; the payment changes nothing.") % {"number": order.number}
    if order.payment_status == news.status:
        return _("Order %(number)s: nothing new.") % {"number": order.number}
    may_follow = _UNPAID if news.status == PaymentStatus.PAID else (PaymentStatus.PENDING,)
    promised = order.platform_data.get("payment_status", "").lower() in _PROMISED
    if order.payment_status not in may_follow or (promised and news.status != PaymentStatus.PAID):
        return _("Order %(number)s is paid, or its payment promised; this attempt changes nothing.") % {
            "number": order.number
        }
    return ""
