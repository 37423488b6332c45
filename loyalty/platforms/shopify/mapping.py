"""Shopify's order (REST shape, as in webhooks) as an :class:`OrderSnapshot`.

The tables of status and payment words are in :mod:`loyalty.platforms.documents.shopify_style`.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from loyalty.platforms.documents import shopify_style
from loyalty.platforms.documents.payments import failed_to_pay, may_pay, shopify_detail
from loyalty.platforms.documents.people_and_lines import unknown_fields
from loyalty.platforms.documents.read import MAX_ID_LENGTH, Fields
from loyalty.platforms.documents.recognise import refuse_other_kinds
from loyalty.platforms.documents.used_there import used_at_shopify
from loyalty.platforms.snapshot import OrderSnapshot

_TEST_DELIVERY_ID = "820982911946154508"
_GID = re.compile(r"gid://shopify/\w+/(\d{1,40})", re.ASCII)


def read_order(document: Mapping[str, object]) -> OrderSnapshot:
    """The order in a Shopify document. Raises NotAnOrder, naming the field, when it is something else or incomplete.

    Amounts are in the shop's currency (``currency``), whatever the shopper saw. ``is_test`` is Shopify's ``test``: paid
    through a test gateway. The order of the "send test notification" button carries it too, and always the same id.
    """
    refuse_other_kinds(document, platform="shopify")
    order = Fields(document)
    external_id = _true_id(order)
    currency = shopify_style.currency_of(order)
    if not external_id:
        raise order.missing("id")
    payment = shopify_style.payment_status(order)
    placed_at, updated_at = shopify_style.placed_and_updated(order)
    total = shopify_style.total_of(order, currency)
    return OrderSnapshot(
        external_id=external_id,
        number=order.text("name", "order_number", limit=MAX_ID_LENGTH) or external_id,
        status=shopify_style.order_status(order, payment),
        payment_status=payment,
        currency=currency,
        total=total,
        refunded_total=shopify_style.refunded_total(order, currency, total),
        placed_at=placed_at,
        updated_at=updated_at,
        customer=shopify_style.customer_of(order, external_id=_true_id(order.child("customer"))),
        tags=order.tags("tags"),
        lines=shopify_style.lines_of(order, currency),
        cancelled_at=order.instant("cancelled_at"),
        payment_due_at=_payment_due_at(order),
        payment_detail=shopify_detail(order, payment),
        attempts=_attempts(order, payment),
        platform_status=order.text("fulfillment_status"),
        platform_payment_status=order.text("financial_status"),
        discount_codes=shopify_style.discount_codes_of(order),
        is_test=order.flag("test"),
        used_there=used_at_shopify(order, currency, total, payment),
        is_test_delivery=external_id == _TEST_DELIVERY_ID,
        left_out=tuple(order.left_out),
        unknown=unknown_fields(order, shopify_style.SOURCES),
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
