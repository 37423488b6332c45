"""Shopify's order (REST shape, as in webhooks) as an :class:`OrderSnapshot`.

The tables of status and payment words are in :mod:`loyalty.platforms.shopify_style.orders`.
"""

import re
from dataclasses import replace
from datetime import datetime

from loyalty.platforms.documents.read import Fields
from loyalty.platforms.shopify.payments import failed_to_pay, may_pay, used_there
from loyalty.platforms.shopify_style import orders
from loyalty.platforms.snapshot import OrderSnapshot

_TEST_DELIVERY_ID = "820982911946154508"
_GID = re.compile(r"gid://shopify/\w+/(\d{1,40})", re.ASCII)


def read_order(order: Fields, tags_meta_key: str) -> OrderSnapshot:
    """The order in a Shopify document. Raises NotAnOrder, naming the field, when it is incomplete.

    Amounts are in the shop's currency (``currency``), whatever the shopper saw. ``is_test`` is Shopify's ``test``: paid
    through a test gateway. The order of the "send test notification" button carries it too, and always the same id.
    """
    payment = orders.payment_status(order)
    alike = orders.read_alike(
        order,
        external_id=_true_id(order),
        customer_id=_true_id(order.child("customer")),
        status=orders.order_status(order, payment),
        payment=payment,
    )
    return replace(
        alike,
        payment_due_at=_payment_due_at(order),
        payment_detail=orders.payment_detail(order, payment),
        attempts=_attempts(order, payment),
        platform_status=order.text("fulfillment_status"),
        used_there=used_there(order, alike.currency, alike.total, payment),
        is_test_delivery=alike.external_id == _TEST_DELIVERY_ID,
    )


def _true_id(fields: Fields) -> str:
    """The id as text. JavaScript tools round ids beyond 2^53; the one inside the GraphQL id is never rounded."""
    match = _GID.fullmatch(fields.text("admin_graphql_api_id"))
    return match[1] if match else fields.identifier("id")


def _payment_due_at(order: Fields) -> datetime | None:
    """The earliest instalment of the payment terms that is still open."""
    schedules = order.child("payment_terms").children("payment_schedules")
    open_dates = (schedule.instant("due_at") for schedule in schedules if not schedule.has("completed_at"))
    return min((due for due in open_dates if due is not None), default=None)


def _attempts(order: Fields, payment: str) -> tuple[str, ...]:
    """The tries to pay that failed, where an order lists its transactions: webhooks tell of them one by one."""
    if payment != "pending":
        return ()
    tries = list(order.children("transactions"))
    if any(may_pay(one) for one in tries):
        return ()
    return tuple(filter(None, (one.identifier("id") for one in tries if failed_to_pay(one))))
