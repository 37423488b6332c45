"""An order of SHOPLINE Global (myshopline.com) as an :class:`OrderSnapshot`.

The order is modelled on Shopify's; the tables are in :mod:`loyalty.platforms.shopify_style.orders`. What differs:

- ``status`` ``canceled`` or ``cancelled`` cancels even without ``cancelled_at``;
- a payment still pending is *expired* when ``payment_details`` says so (``paid_overtime``) and no entry is paid or may
  still be paid; ``paid_failed`` there is one try to pay, not the order's payment (E10);
- ids are text, and there is no second, unrounded id.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Final

from loyalty.platforms.documents.payments import is_on_delivery
from loyalty.platforms.documents.read import Fields
from loyalty.platforms.shopify_style import orders
from loyalty.platforms.snapshot import OrderSnapshot, UsedThere

_CANCELLED: Final = frozenset({"canceled", "cancelled"})
_DEAD: Final = frozenset({"paid_overtime", "paid_failed"})
_AT_BANK: Final = frozenset({"pending", "risking"})
# Where payments name how they are paid.
_NAMES: Final = ("pay_channel", "pay_channel_name", "pay_method", "pay_method_name", "payment_method",
                 "store_payment_name", "gateway")  # fmt: skip


def read_order(order: Fields, tags_meta_key: str) -> OrderSnapshot:
    """The order in a SHOPLINE Global document. Raises NotAnOrder, naming the field, when it is incomplete."""
    payment = _payment_status(order)
    alike = orders.read_alike(
        order,
        external_id=order.identifier("id"),
        customer_id=order.child("customer").identifier("id"),
        status=_order_status(order, payment),
        payment=payment,
    )
    return replace(
        alike,
        payment_detail=_payment_detail(order, payment),
        attempts=_attempts(order, payment),
        platform_status=order.text("status", "fulfillment_status"),
        used_there=_used_there(order, alike.currency),
    )


def _order_status(order: Fields, payment: str) -> str:
    if order.text("status").lower() in _CANCELLED:
        return "cancelled"
    return orders.order_status(order, payment)


def _payment_status(order: Fields) -> str:
    payment = orders.payment_status(order)
    states = {detail.text("pay_status").lower() for detail in order.children("payment_details")}
    return "expired" if payment == "pending" and "paid_overtime" in states and states <= _DEAD else payment


def _attempts(order: Fields, payment: str) -> tuple[str, ...]:
    """The tries that failed, by their number, else by their place."""
    if payment != "pending":
        return ()
    tries = enumerate(order.children("payment_details"), start=1)
    failed = ((place, one) for place, one in tries if one.text("pay_status").lower() == "paid_failed")
    return tuple(one.identifier("pay_seq") or f"{order.identifier('id')}/{place}" for place, one in failed)


def _payment_detail(order: Fields, payment: str) -> str:
    """Its payments are listed with a state and a name each."""
    entries = list(order.children("payment_details"))
    named = [name for entry in entries for key in _NAMES if (name := entry.text(key))]
    found = orders.payment_detail(order, payment, named)
    if found or payment != "pending":
        return found
    states = {entry.text("pay_status").lower() for entry in entries} | {order.text("financial_status").lower()}
    return "at_bank" if states & _AT_BANK and not is_on_delivery(*named) else ""


def _used_there(order: Fields, currency: str) -> UsedThere:
    """What points were worth is said, and not how many (O5)."""
    return UsedThere(points_worth=abs(order.amount("deduct_member_point_amount", currency) or Decimal(0)))
