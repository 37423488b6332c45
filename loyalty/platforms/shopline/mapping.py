"""An order of SHOPLINE in Asia (shoplineapp, Open API) as an :class:`OrderSnapshot`.

==========================================  =============
``status``                                  order status
==========================================  =============
pending                                     pending
confirmed                                   confirmed
completed                                   completed
cancelled, canceled                         cancelled
temp, removed                               no order
unknown or absent                           pending
==========================================  =============

==========================================  ==================
``order_payment.status``                    payment status
==========================================  ==================
pending                                     pending
failed                                      failed
expired                                     expired
completed, paid                             paid
refunding: asked for, not yet gone back     paid
partially_refunded, refunded                the same word
unknown or absent                           pending
==========================================  ==================

An order does not say how much was refunded (return orders do), so ``refunded_total`` is 0. When it names no currency,
``currency`` is "": the store's own. Money comes as ``{"cents", "dollars", ...}``; ``dollars`` counts, because what a
cent is differs by currency.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from loyalty.platforms.document import MAX_ID_LENGTH, Fields, exact_amount, read_amount, round_amount
from loyalty.platforms.kinds import refuse_other_kinds
from loyalty.platforms.parts import customer_snapshot, line_snapshot
from loyalty.platforms.snapshot import CustomerSnapshot, LineSnapshot, NotAnOrder, OrderSnapshot

_ORDER_WORDS = {
    "pending": "pending",
    "confirmed": "confirmed",
    "completed": "completed",
    "cancelled": "cancelled",
    "canceled": "cancelled",
}
_PAYMENT_WORDS = {
    "pending": "pending",
    "failed": "failed",
    "expired": "expired",
    "completed": "paid",
    "paid": "paid",
    "refunding": "paid",
    "partially_refunded": "partially_refunded",
    "refunded": "refunded",
}
_NO_ORDERS = {
    "temp": "This order is still being placed on SHOPLINE.",
    "removed": "This order was deleted on SHOPLINE.",
}
_MAX_PAYMENT_DAYS = 366


def read_order(document: Mapping[str, object]) -> OrderSnapshot:
    """The order in a SHOPLINE document. Raises NotAnOrder, naming the field, when it is something else."""
    refuse_other_kinds(document, platform="shopline")
    order = Fields(document)
    external_id = order.identifier("id") or order.identifier("_id")
    if not external_id:
        raise order.missing("id")
    _refuse_what_is_no_order(order)
    payment_word = order.child("order_payment").text("status")
    currency = _currency(order)
    placed_at, updated_at = _placed_and_updated(order)
    return OrderSnapshot(
        external_id=external_id,
        number=order.text("order_number", "system_order_number", limit=MAX_ID_LENGTH) or external_id,
        status=_ORDER_WORDS.get(order.text("status").lower(), "pending"),
        payment_status=_PAYMENT_WORDS.get(payment_word.lower(), "pending"),
        currency=currency,
        total=_total(order, currency),
        refunded_total=round_amount(Decimal(0), currency),
        placed_at=placed_at,
        updated_at=updated_at,
        customer=_customer(order),
        tags=order.tags("tags"),
        lines=tuple(_line(line, currency) for line in order.children("subtotal_items")),
        payment_due_at=_payment_due_at(order, placed_at),
        platform_status=order.text("status"),
        platform_payment_status=payment_word,
        discount_codes=_coupon_codes(order),
        credits_used_there=abs(_money(order, "user_credit", currency) or Decimal(0)),
        points_used_there=order.whole("order_points"),
        parent_external_id=order.identifier("parent_order_id"),
        child_external_ids=_children(order),
    )


def _refuse_what_is_no_order(order: Fields) -> None:
    word = order.text("status").lower()
    if word in _NO_ORDERS:
        raise NotAnOrder(_NO_ORDERS[word], field=order.path_of("status"))
    if order.text("type").lower() == "return":
        raise NotAnOrder("This is a return, not an order.", field=order.path_of("type"))


def _currency(order: Fields) -> str:
    total = order.values.get("total")
    return order.currency("currency_iso") or (
        order.child("total").currency("currency_iso") if isinstance(total, Mapping) else ""
    )


def _total(order: Fields, currency: str) -> Decimal:
    total = _money(order, "total", currency)
    if total is None:
        raise order.missing("total")
    if total < 0:
        raise NotAnOrder("The order's total is below zero.", field=order.path_of("total"))
    return total


def _money(fields: Fields, key: str, currency: str) -> Decimal | None:
    """An amount as money object or as plain number; None when not there."""
    value = fields.values.get(key)
    if not isinstance(value, Mapping):
        return fields.amount(key, currency)
    money = fields.child(key)
    if not money.has("dollars") and not money.has("cents"):
        return None
    if not money.has("dollars"):
        raise money.missing("dollars")
    return exact_amount(value["dollars"], money.path_of("dollars"), currency)


def _placed_and_updated(order: Fields) -> tuple[datetime, datetime]:
    placed_at = order.instant("created_at", without_offset_is_utc=True)
    if placed_at is None:
        raise order.missing("created_at")
    return placed_at, order.instant("updated_at", without_offset_is_utc=True) or placed_at


def _payment_due_at(order: Fields, placed_at: datetime) -> datetime | None:
    """``expire_time`` is a number of days, for payment methods that wait for a transfer."""
    days = order.child("order_payment").whole("expire_time")
    return placed_at + timedelta(days=days) if 0 < days <= _MAX_PAYMENT_DAYS else None


def _customer(order: Fields) -> CustomerSnapshot | None:
    return customer_snapshot(
        external_id=order.identifier("customer_id"),
        email=order.email("customer_email"),
        name=order.text("customer_name") or order.child("delivery_address").text("recipient_name"),
        phone=order.text("customer_phone"),
    )


def _coupon_codes(order: Fields) -> tuple[str, ...]:
    return tuple(code for item in order.children("promotion_items") if (code := item.text("coupon_code")))


def _children(order: Fields) -> tuple[str, ...]:
    ids = order.items("child_order_ids")
    return tuple(Fields({"id": value}, f"child_order_ids.{index}").identifier("id") for index, value in enumerate(ids))


def _line(line: Fields, currency: str) -> LineSnapshot:
    title = _translated(line, "title_translations") or line.text("title", "name")
    total = _line_total(line, currency)
    return line_snapshot(title=title, sku=line.text("sku"), quantity=line.quantity("quantity"), total=total)


def _line_total(line: Fields, currency: str) -> Decimal:
    value = line.values.get("total")
    dollars = line.child("total").values.get("dollars") if isinstance(value, Mapping) else value
    return round_amount(read_amount(dollars or 0, line.path_of("total")), currency)


def _translated(line: Fields, key: str) -> str:
    texts = line.child(key)
    return texts.text("en", *texts.values)
