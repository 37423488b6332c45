"""Awarding points for an order by name, whatever the store's rule says (C1)."""

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.core.errors import Invalid, NotFound
from loyalty.journal.record import Event, record
from loyalty.languages.own_names import own_words
from loyalty.ledger.adjust import Adjustment
from loyalty.ledger.models import Origin
from loyalty.ledger.posting import Cause, NewLot, Posted, lock_customers
from loyalty.store_settings.sections import current_settings
from loyalty.stores.actors import Act
from loyalty.stores.models import Customer, Remark, Store
from orders.models import Order
from orders.services.earned_points.shortfalls import settle_shortfalls
from orders.services.events import happened_to
from orders.services.locks import lock_order
from points.ledger import POINTS


@transaction.atomic
def award_for_order(*, store: Store, order_id: int, customer_id: int, adjustment: Adjustment, act: Act) -> Posted:
    """Give the customer of an order points that it earned; they go when the order falls through, if the store says so.

    Raises Invalid at ``/amount`` unless points are given, and at ``/order`` for an order that this store does not have,
    that is another customer's, or that has fallen through.
    """
    if adjustment.amount <= 0:
        raise Invalid.at("/amount", _("An order earns more than nothing."), code="does-not-fit")
    order = _earning_order(store, order_id, customer_id)
    lock_customers([customer_id])
    remark = Remark.objects.create(store=store, reason=adjustment.reason, note=adjustment.note, created_at=act.now)
    posted = POINTS.grant(
        Customer.objects.for_store(store).get(pk=customer_id),
        adjustment.amount,
        currency="",
        new_lot=NewLot(Origin.EARNED, adjustment.expires_at),
        remark_id=remark.pk,
        act=act,
        cause=Cause(order.pk),
    )
    _note(order, int(adjustment.amount), remark, act)
    if current_settings(store).earned_points.carry_shortfall:
        earned = {customer_id: int(adjustment.amount)}
        settle_shortfalls(earned, settled_now=[order.pk], act=act)
    return posted


def _earning_order(store: Store, order_id: int, customer_id: int) -> Order:
    try:
        order = lock_order(store, order_id)
    except NotFound as error:
        raise Invalid.at("/order", error.detail, code="not-found") from error
    if order.customer_id != customer_id:
        raise Invalid.at("/order", _("This order is another customer's."), code="other-customer")
    if order.fell_through:
        raise Invalid.at(
            "/order", own_words("An order that is cancelled or refunded earns no points."), code="fell-through"
        )
    return order


def _note(order: Order, points: int, remark: Remark, act: Act) -> None:
    order.points_earned += points
    order.touch(act.now, "points_earned")
    data = {"points": points, "trigger": act.trigger}
    record([happened_to(order, Event.POINTS_EARNED, data, remark_id=remark.pk)], actor=act.actor, now=act.now)
