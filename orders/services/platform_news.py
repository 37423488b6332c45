"""What a platform says about an order without showing it: a payment that fell through, an order that is gone."""

from datetime import datetime
from typing import Final

from django.db import transaction

from loyalty.journal.record import Event, Happening, record
from loyalty.platforms.meanings import PaymentNews
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from orders.models import Order, OrderStatus, PaymentStatus
from orders.services.changing import change_order

# Under this name ``platform_data`` says since when the order is gone there.
DELETED_AT: Final = "deleted_at"
_UNPAID: Final = (PaymentStatus.PENDING, PaymentStatus.FAILED, PaymentStatus.EXPIRED)
# Part of the money is there or promised, so one failed attempt does not make the payment fail.
_PROMISED: Final = frozenset({"authorized", "partially_paid"})


class NotRecorded(Exception):
    """The order has not arrived yet; its own message may come later."""


@transaction.atomic
def note_payment_news(
    *, store: Store, platform: str, news: PaymentNews, actor: Actor, now: datetime
) -> tuple[Order, str]:
    """Record what became of a payment; answers the order and why nothing was changed, "" when it was (E5).

    A payment that failed or expired counts only while nothing is paid. Raises NotRecorded for an unknown order.
    """
    order = _locked(store, platform, news.external_id)
    if order is None:
        raise NotRecorded("The order that this payment belongs to has not arrived yet.")
    if reason := _why_not(order, news):
        return order, reason
    change = {"payment_status": news.status}
    return change_order(store=store, order_id=order.pk, values=change, actor=actor, now=now), ""


def _why_not(order: Order, news: PaymentNews) -> str:
    if news.at and order.platform_updated_at and news.at < order.platform_updated_at:
        return f"Order {order.number}: an older state than the recorded one, nothing was changed."
    if order.status == OrderStatus.CANCELLED and news.status != PaymentStatus.PAID:
        return f"Order {order.number} is cancelled already; the payment changes nothing."
    if order.payment_status == news.status:
        return f"Order {order.number}: nothing new."
    may_follow = _UNPAID if news.status == PaymentStatus.PAID else (PaymentStatus.PENDING,)
    promised = order.platform_data.get("payment_status", "").lower() in _PROMISED
    if order.payment_status not in may_follow or (promised and news.status != PaymentStatus.PAID):
        return f"Order {order.number} is paid, or its payment promised; this attempt changes nothing."
    return ""


@transaction.atomic
def note_deleted(
    *, store: Store, platform: str, external_id: str, at: datetime, actor: Actor, now: datetime
) -> Order | None:
    """Note that the platform deleted an order; None when it was never recorded.

    The order stays with what it used, and nobody's value moves: deleting is no cancel.
    """
    order = _locked(store, platform, external_id)
    if order is None or DELETED_AT in order.platform_data:
        return order
    order.platform_data = order.platform_data | {DELETED_AT: at.isoformat(), "is_open": False}
    order.version += 1
    order.updated_at = now
    order.save(update_fields=["platform_data", "version", "updated_at"])
    happening = Happening(
        store.pk, Event.ORDER_DELETED_THERE, order_id=order.pk, customer_id=order.customer_id, data={}
    )
    record([happening], actor=actor, now=now)
    return order


def note_still_there(order: Order) -> None:
    """Forget that an order was deleted: the platform brought it back. Runs in the transaction that recorded it."""
    if DELETED_AT in order.platform_data:
        order.platform_data = {name: value for name, value in order.platform_data.items() if name != DELETED_AT}
        order.save(update_fields=["platform_data"])


def _locked(store: Store, platform: str, external_id: str) -> Order | None:
    orders = Order.objects.for_store(store).filter(platform=platform, external_id=external_id).order_by()
    order: Order | None = orders.select_for_update(of=("self",), no_key=True).first()
    return order
