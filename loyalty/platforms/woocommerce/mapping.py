"""WooCommerce's order as an :class:`OrderSnapshot`.

WooCommerce has one status word for order and payment; a partial refund does not change it.

==================================  ===========================  ==============================================
``status``                          order status                 payment status
==================================  ===========================  ==============================================
pending, on-hold                    pending                      pending
processing, ready-for-pickup        confirmed                    paid
completed                           completed                    paid
failed                              completed, confirmed when    failed
                                    it was ever completed or
                                    paid, else pending
cancelled                           cancelled                    paid when it was ever paid, else pending
refunded                            completed when it was ever   refunded
                                    completed, else confirmed
trash and the draft words           no order                     no order
any other (a plugin's own)          completed or confirmed when  paid when it was ever paid or a refund is asked
                                    it was ever completed or     for, else pending
                                    paid, else pending
==================================  ===========================  ==============================================

*Ever paid* is ``date_paid``, *ever completed* ``date_completed``. An order that is paid on delivery is *processing*
while nobody has paid: then its payment is pending (E10). Refunds listed on the order make the payment *partially
refunded*, or *refunded* when they reach the total; a failed one stays failed. Whether a cancelled order had merely run
out of time stands in its notes only, and when it was cancelled nowhere: neither is said here.
"""

import html
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.platforms.documents.payments import is_being_refunded, is_on_delivery
from loyalty.platforms.documents.people_and_lines import (
    at_most,
    customer_snapshot,
    full_name,
    line_snapshot,
    placed_and_updated,
    total_or_nothing,
)
from loyalty.platforms.documents.read import MAX_ID_LENGTH, Fields, round_amount
from loyalty.platforms.snapshot import CustomerSnapshot, LineSnapshot, NotAnOrder, OrderGone, OrderSnapshot
from loyalty.platforms.woocommerce.used_there import used_there

# Plugins' words for a deposit, which sets the day of payment as well.
_PARTLY: Final = frozenset({"partially-paid", "partial-payment", "partial-paid", "deposit-paid", "partially-pending"})
# WooCommerce's words, and those of plugins, for goods that the shop is getting ready or has sent.
_UNDER_WAY: Final = re.compile(r"processing|ready-for-pickup|ship|deliver|dispatch|transit|sent")
_ORDER_WORDS = {
    "pending": "pending",
    "on-hold": "pending",
    "processing": "confirmed",
    "ready-for-pickup": "confirmed",
    "completed": "completed",
    "cancelled": "cancelled",
}
_PAYMENT_WORDS = {
    "pending": "pending",
    "on-hold": "pending",
    "failed": "failed",
    "processing": "paid",
    "ready-for-pickup": "paid",
    "completed": "paid",
    "refunded": "refunded",
    **dict.fromkeys(_PARTLY, "pending"),
}
_NO_ORDERS = {
    "draft": gettext_noop("This is a draft, not an order yet."),
    "auto-draft": gettext_noop("This is a draft, not an order yet."),
    "checkout-draft": gettext_noop("This checkout was not finished, so it is not an order yet."),
}
# Where payment plugins note that no money moved: WooPayments, Mollie, PayPal Payments; Klarna and the many that call it
# their environment.
_MODE: Final = re.compile(r"_wcpay_mode|_mollie_payment_mode|_ppcp_paypal_payment_mode|_wc_\w+_environment", re.ASCII)
_TEST_MODES: Final = re.compile(r"test|dev|sandbox|[a-z]{2}-test", re.IGNORECASE)
# What each field of the snapshot is read from.
SOURCES: Final[Mapping[str, Collection[str]]] = {
    "number": ("number",),
    "status": ("status",),
    "payment_status": ("status", "refunds"),
    "payment_detail": ("status", "payment_method"),
    "currency": ("currency",),
    "total": ("total",),
    "refunded_total": ("refunds",),
    "placed_at": ("date_created_gmt", "date_created"),
    "updated_at": ("date_modified_gmt", "date_modified"),
    "tags": ("tags", "meta_data"),
    "lines": ("line_items",),
    "platform_status": ("status",),
    "discount_codes": ("coupon_lines",),
    "parent_external_id": ("parent_id",),
}


def read_order(order: Fields, tags_meta_key: str) -> OrderSnapshot:
    """The order in a WooCommerce document. Raises NotAnOrder, naming the field, when it is incomplete or none yet.

    WooCommerce has no tags of its own: they come from the order's meta data under ``tags_meta_key``, when given, and
    from a field ``tags`` that some plugins add.
    """
    external_id = order.identifier("id")
    currency = order.currency("currency")
    word = _status_word(order)
    if not external_id:
        raise order.missing("id")
    if not currency:
        order.leave_out("currency")
    total = total_or_nothing(order, "total", order.amount("total", currency), currency)
    refunded = _refunded_total(order, currency, total)
    payment = _payment_status(order, word, refunded=refunded, total=total)
    created, modified = _instant(order, "date_created"), _instant(order, "date_modified")
    placed_at, updated_at = placed_and_updated(order, "date_created_gmt", created, modified)
    paid_before = _ever(order, "date_paid", "date_completed")
    return OrderSnapshot(
        external_id=external_id,
        number=order.text("number", limit=MAX_ID_LENGTH) or external_id,
        status=_order_status(order, word),
        payment_status=payment,
        payment_detail=_payment_detail(order, word, payment),
        paid_before=paid_before,
        currency=currency,
        total=total,
        refunded_total=refunded,
        placed_at=placed_at,
        updated_at=updated_at,
        customer=_customer(order),
        tags=_tags(order, tags_meta_key),
        lines=tuple(_line(line, currency) for line in order.children("line_items")),
        platform_status=order.text("status"),
        discount_codes=tuple(code for line in order.children("coupon_lines") if (code := line.text("code"))),
        is_test=_is_test(order),
        used_there=used_there(order, currency, total, paid=paid_before),
        parent_external_id=_nonzero(order.identifier("parent_id")),
    )


def _status_word(order: Fields) -> str:
    word = order.text("status").lower().removeprefix("wc-")
    if not word:
        order.leave_out("status")
    if word == "trash":
        reason, at = _("This order is in WooCommerce's bin."), _instant(order, "date_modified")
        raise OrderGone(reason, field=order.path_of("status"), external_id=order.identifier("id"), at=at)
    if word in _NO_ORDERS:
        raise NotAnOrder(_NO_ORDERS[word], field=order.path_of("status"))
    return word


def _order_status(order: Fields, word: str) -> str:
    if word == "refunded" and not _ever(order, "date_completed"):
        return "confirmed"
    if known := _ORDER_WORDS.get(word):
        return known
    if _ever(order, "date_completed"):
        return "completed"
    return "confirmed" if _ever(order, "date_paid") else "pending"


def _payment_status(order: Fields, word: str, *, refunded: Decimal, total: Decimal) -> str:
    paid = _ever(order, "date_paid")
    payment = _PAYMENT_WORDS.get(word) or ("paid" if paid or is_being_refunded(word) else "pending")
    if payment == "paid" and not paid and _is_due_on_delivery(order, word):
        payment = "pending"
    if refunded == 0 or payment in ("failed", "refunded"):
        return payment
    return "refunded" if refunded >= total else "partially_refunded"


def _payment_detail(order: Fields, word: str, payment: str) -> str:
    if payment != "pending":
        return ""
    if word in _PARTLY:
        return "partially_paid"
    if word == "on-hold":
        return "at_bank"
    return "on_delivery" if _is_due_on_delivery(order, word) else ""


def _is_due_on_delivery(order: Fields, word: str) -> bool:
    """Whether the shop has taken the order up and is paid on delivery: WooCommerce calls that *processing*, too."""
    names = order.text("payment_method"), order.text("payment_method_title")
    return bool(_UNDER_WAY.search(word)) and is_on_delivery(*names)


def _ever(order: Fields, *keys: str) -> bool:
    return any(_instant(order, key) for key in keys)


def _is_test(order: Fields) -> bool:
    """Whether the order went through a payment plugin's test mode. WooCommerce itself knows no test orders (E10)."""
    entries = (entry for entry in order.items("meta_data") if isinstance(entry, Mapping))
    modes = (entry.get("value") for entry in entries if _MODE.fullmatch(str(entry.get("key"))))
    return any(isinstance(mode, str) and _TEST_MODES.fullmatch(mode.strip()) for mode in modes)


def _refunded_total(order: Fields, currency: str, total: Decimal) -> Decimal:
    """Refunds stand on the order as negative totals; never more than the order's total."""
    amounts = (abs(refund.amount("total", currency) or Decimal(0)) for refund in order.children("refunds"))
    return at_most(order, "total", sum(amounts, start=round_amount(Decimal(0), currency)), total)


def _instant(order: Fields, key: str) -> datetime | None:
    """The UTC field, written without an offset. Old API versions have the shop's local time only: hours off at most."""
    return order.instant(f"{key}_gmt", without_offset_is_utc=True) or order.instant(key, without_offset_is_utc=True)


def _customer(order: Fields) -> CustomerSnapshot | None:
    billing, shipping = order.child("billing"), order.child("shipping")
    return customer_snapshot(
        external_id=_nonzero(order.identifier("customer_id")),
        email=billing.email("email"),
        name=full_name(billing) or full_name(shipping) or billing.text("company"),
        phone=billing.text("phone"),
    )


def _nonzero(identifier: str) -> str:
    """WooCommerce writes 0 for "none"."""
    return "" if identifier == "0" else identifier


def _tags(order: Fields, meta_key: str) -> tuple[str, ...]:
    entries = order.children("meta_data") if meta_key else iter(())
    found = (entry.tags("value") for entry in entries if entry.values.get("key") == meta_key)
    return order.tags("tags") + tuple(tag for tags in found for tag in tags)


def _line(line: Fields, currency: str) -> LineSnapshot:
    # WordPress writes titles as HTML: "Ship Your Idea &ndash; Color".
    title = html.unescape(line.text("name"))
    total = line.amount("total", currency) or round_amount(Decimal(0), currency)
    return line_snapshot(title=title, sku=line.text("sku"), quantity=line.quantity("quantity"), total=total)
