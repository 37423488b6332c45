"""An order of SHOPLINE Global (myshopline.com) as an :class:`OrderSnapshot`.

The order is modelled on Shopify's; the tables are in :mod:`loyalty.platforms.documents.shopify_style`. What differs:

- ``status`` ``canceled`` or ``cancelled`` cancels even without ``cancelled_at``;
- a payment still pending is *expired* when ``payment_details`` says so (``paid_overtime``) and no entry is paid or may
  still be paid; ``paid_failed`` there is one try to pay, not the order's payment (E10);
- ids are text, and there is no second, unrounded id.
"""

from collections.abc import Mapping

from loyalty.platforms.documents import shopify_style
from loyalty.platforms.documents.payments import shopline_global_detail
from loyalty.platforms.documents.people_and_lines import unknown_fields
from loyalty.platforms.documents.read import MAX_ID_LENGTH, Fields
from loyalty.platforms.documents.recognise import refuse_other_kinds
from loyalty.platforms.documents.used_there import used_at_shopline_global
from loyalty.platforms.snapshot import OrderSnapshot

_CANCELLED = frozenset({"canceled", "cancelled"})
_DEAD = frozenset({"paid_overtime", "paid_failed"})


def read_order(document: Mapping[str, object]) -> OrderSnapshot:
    """The order in a SHOPLINE Global document. Raises NotAnOrder, naming the field, when it is something else."""
    refuse_other_kinds(document, platform="shopline_global")
    order = Fields(document)
    external_id = order.identifier("id")
    currency = shopify_style.currency_of(order)
    if not external_id:
        raise order.missing("id")
    payment = _payment_status(order)
    placed_at, updated_at = shopify_style.placed_and_updated(order)
    total = shopify_style.total_of(order, currency)
    return OrderSnapshot(
        external_id=external_id,
        number=order.text("name", "order_number", limit=MAX_ID_LENGTH) or external_id,
        status=_order_status(order, payment),
        payment_status=payment,
        currency=currency,
        total=total,
        refunded_total=shopify_style.refunded_total(order, currency, total),
        placed_at=placed_at,
        updated_at=updated_at,
        customer=shopify_style.customer_of(order, external_id=order.child("customer").identifier("id")),
        tags=order.tags("tags"),
        lines=shopify_style.lines_of(order, currency),
        cancelled_at=order.instant("cancelled_at"),
        payment_detail=shopline_global_detail(order, payment),
        attempts=_attempts(order, payment),
        platform_status=order.text("status", "fulfillment_status"),
        platform_payment_status=order.text("financial_status"),
        discount_codes=shopify_style.discount_codes_of(order),
        is_test=order.flag("test"),
        used_there=used_at_shopline_global(order, currency),
        left_out=tuple(order.left_out),
        unknown=unknown_fields(order, shopify_style.SOURCES),
    )


def _order_status(order: Fields, payment: str) -> str:
    if order.text("status").lower() in _CANCELLED:
        return "cancelled"
    return shopify_style.order_status(order, payment)


def _payment_status(order: Fields) -> str:
    payment = shopify_style.payment_status(order)
    states = {detail.text("pay_status").lower() for detail in order.children("payment_details")}
    return "expired" if payment == "pending" and "paid_overtime" in states and states <= _DEAD else payment


def _attempts(order: Fields, payment: str) -> tuple[str, ...]:
    """The tries that failed, by their number, else by their place."""
    if payment != "pending":
        return ()
    tries = enumerate(order.children("payment_details"), start=1)
    failed = ((place, one) for place, one in tries if one.text("pay_status").lower() == "paid_failed")
    return tuple(one.identifier("pay_seq") or f"{order.identifier('id')}/{place}" for place, one in failed)
