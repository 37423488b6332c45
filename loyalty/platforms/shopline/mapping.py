"""An order of SHOPLINE in Asia (shoplineapp, Open API) as an :class:`OrderSnapshot`.

==========================================  =============
``status``                                  order status
==========================================  =============
pending                                     pending
confirmed                                   confirmed
completed                                   completed
cancelled, canceled                         cancelled
temp, removed                               no order
unknown or absent: what was recorded stays  pending, when new
==========================================  =============

==========================================  ==================
``order_payment.status``                    payment status
==========================================  ==================
pending                                     pending
failed                                      failed
expired                                     expired
completed, paid                             paid
refunding and the like: not yet gone back   paid
partially_refunded, refunded                the same word
unknown or absent: what was recorded stays  pending, when new
==========================================  ==================

An order does not say how much was refunded (return orders do), so ``refunded_total`` is 0. When it names no currency,
``currency`` is "": the store's own. Money comes as ``{"cents", "dollars", ...}``; ``dollars`` counts, because what a
cent is differs by currency.
"""

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _

from loyalty.platforms.documents.payments import ON_ITS_WAY, is_being_refunded, is_on_delivery
from loyalty.platforms.documents.people_and_lines import (
    customer_snapshot,
    line_snapshot,
    placed_and_updated,
    total_or_nothing,
)
from loyalty.platforms.documents.read import MAX_ID_LENGTH, Fields, as_amount, round_amount
from loyalty.platforms.snapshot import CustomerSnapshot, LineSnapshot, NotAnOrder, OrderGone, OrderSnapshot, UsedThere

_ORDER_WORDS = {
    "pending": "pending",
    "confirmed": "confirmed",
    "completed": "completed",
    "cancelled": "cancelled",
    "canceled": "cancelled",
}
PAYMENT_WORDS = {
    "pending": "pending",
    "failed": "failed",
    "expired": "expired",
    "completed": "paid",
    "paid": "paid",
    "partially_refunded": "partially_refunded",
    "refunded": "refunded",
}
_MAX_PAYMENT_DAYS = 366
# What each field of the snapshot is read from.
SOURCES: Final[Mapping[str, Collection[str]]] = {
    "number": ("order_number", "system_order_number"),
    "status": ("status",),
    "payment_status": ("order_payment", "order_payment.status"),
    "payment_detail": ("order_payment", "order_payment.status", "order_delivery", "order_delivery.status"),
    "currency": ("currency_iso",),
    "total": ("total",),
    "placed_at": ("created_at",),
    "updated_at": ("updated_at",),
    "tags": ("tags",),
    "lines": ("subtotal_items",),
    "payment_due_at": ("order_payment", "order_payment.expire_time"),
    "platform_status": ("status",),
    "platform_payment_status": ("order_payment", "order_payment.status"),
    "discount_codes": ("promotion_items",),
    "parent_external_id": ("parent_order_id",),
    "child_external_ids": ("child_order_ids",),
}
_LABEL: Final = re.compile(r"\D*(?P<number>[\d,]+(\.\d+)?)\D*", re.ASCII)


def read_order(order: Fields, tags_meta_key: str) -> OrderSnapshot:
    """The order in a SHOPLINE document. Raises NotAnOrder, naming the field, when it is incomplete or none yet."""
    external_id = order.identifier("id") or order.identifier("_id")
    if not external_id:
        raise order.missing("id")
    _refuse_what_is_no_order(order, external_id)
    paying = order.child("order_payment")
    payment_word = paying.text("status")
    payment = "paid" if is_being_refunded(payment_word.lower()) else _word(paying, PAYMENT_WORDS)
    currency = _currency(order)
    created, updated = (order.instant(key, without_offset_is_utc=True) for key in ("created_at", "updated_at"))
    placed_at, updated_at = placed_and_updated(order, "created_at", created, updated)
    return OrderSnapshot(
        external_id=external_id,
        number=order.text("order_number", "system_order_number", limit=MAX_ID_LENGTH) or external_id,
        status=_word(order, _ORDER_WORDS),
        payment_status=payment,
        currency=currency,
        total=total_or_nothing(order, "total", _money(order, "total", currency), currency),
        refunded_total=round_amount(Decimal(0), currency),
        placed_at=placed_at,
        updated_at=updated_at,
        customer=_customer(order),
        tags=order.tags("tags"),
        lines=tuple(_line(line, currency) for line in order.children("subtotal_items")),
        payment_due_at=_payment_due_at(order, placed_at),
        payment_detail=_payment_detail(order, payment),
        paid_before=paying.has("paid_at"),
        platform_status=order.text("status"),
        platform_payment_status=payment_word,
        discount_codes=_coupon_codes(order),
        used_there=_used_there(order, currency),
        parent_external_id=order.identifier("parent_order_id"),
        child_external_ids=order.identifiers("child_order_ids"),
    )


def _word(fields: Fields, words: Mapping[str, str]) -> str:
    """What ``status`` means; an unknown word, or none, says nothing: pending, and left out."""
    word = fields.text("status").lower()
    if word not in words:
        fields.leave_out("status")
    return words.get(word, "pending")


def _refuse_what_is_no_order(order: Fields, external_id: str) -> None:
    word = order.text("status").lower()
    if word == "removed":
        at = order.instant("updated_at", without_offset_is_utc=True)
        raise OrderGone(
            _("This order was deleted on SHOPLINE."), field=order.path_of("status"), external_id=external_id, at=at
        )
    if word == "temp":
        raise NotAnOrder(_("This order is still being placed on SHOPLINE."), field=order.path_of("status"))
    if order.text("type").lower() == "return":
        raise NotAnOrder(_("This is a return, not an order."), field=order.path_of("type"))


def _currency(order: Fields) -> str:
    total = order.values.get("total")
    return order.currency("currency_iso") or (
        order.child("total").currency("currency_iso") if isinstance(total, Mapping) else ""
    )


def _money(fields: Fields, key: str, currency: str) -> Decimal | None:
    """An amount as money object or as plain number; None when not there or not to be read."""
    if not isinstance(fields.values.get(key), Mapping):
        return fields.amount(key, currency)
    money = fields.child(key)
    if money.has("dollars"):
        amount = as_amount(money.values["dollars"])
    elif money.has("cents"):
        amount = _of_label(money)
    else:
        return None
    if amount is None:
        fields.leave_out(key)
        return None
    return round_amount(amount, currency)


def _of_label(money: Fields) -> Decimal | None:
    """Cents alone are not guessed: the label, which people read, says where the point is (NT$1,200 or US$12.00)."""
    cents, match = as_amount(money.values["cents"]), _LABEL.fullmatch(money.text("label"))
    amount = as_amount(match["number"].replace(",", "")) if match else None
    same_digits = amount is not None and cents is not None and cents in (amount, amount.scaleb(2))
    return amount if same_digits else None


def _payment_due_at(order: Fields, placed_at: datetime) -> datetime | None:
    """``expire_time`` is a number of days, for payment methods that wait for a transfer."""
    days = order.child("order_payment").whole("expire_time")
    try:
        return placed_at + timedelta(days=days) if 0 < days <= _MAX_PAYMENT_DAYS else None
    except OverflowError:
        return None


def _payment_detail(order: Fields, payment: str) -> str:
    paying, delivery = order.child("order_payment"), order.child("order_delivery")
    translated = paying.child("name_translations").values.values()
    names = [paying.text("payment_type"), *(name for name in translated if isinstance(name, str))]
    states = {delivery.text("status").lower(), delivery.text("delivery_status").lower()}
    return "on_delivery" if payment == "pending" and states & ON_ITS_WAY and is_on_delivery(*names) else ""


def _used_there(order: Fields, currency: str) -> UsedThere:
    """Credits, points and what those were worth (O5). The order's total is what was left to pay."""
    credits, worth = (
        abs(_money(order, key, currency) or Decimal(0)) for key in ("user_credit", "order_points_to_cash")
    )
    points = order.whole("order_points")
    return UsedThere(
        credits=None if "user_credit" in order.left_out else credits,
        points=None if "order_points" in order.left_out else points,
        points_worth=worth,
        outside_total=credits + worth,
    )


def _customer(order: Fields) -> CustomerSnapshot | None:
    return customer_snapshot(
        external_id=order.identifier("customer_id"),
        email=order.email("customer_email"),
        name=order.text("customer_name") or order.child("delivery_address").text("recipient_name"),
        phone=order.text("customer_phone"),
    )


def _coupon_codes(order: Fields) -> tuple[str, ...]:
    return tuple(code for item in order.children("promotion_items") if (code := item.text("coupon_code")))


def _line(line: Fields, currency: str) -> LineSnapshot:
    title = _translated(line, "title_translations") or line.text("title", "name")
    total = _money(line, "total", currency) or round_amount(Decimal(0), currency)
    return line_snapshot(title=title, sku=line.text("sku"), quantity=line.quantity("quantity"), total=total)


def _translated(line: Fields, key: str) -> str:
    texts = line.child(key)
    return texts.text("en", *texts.values)
