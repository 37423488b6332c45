"""What Shopify's orders and those of SHOPLINE Global, which are modelled on them, have in common.

======================================================  =========
facts on the order, the first that holds decides        status
======================================================  =========
``cancelled_at`` set (a reason alone is no cancel)      cancelled
``closed_at`` set, or fulfilled and paid for            completed
``confirmed`` is false                                  pending
anything else                                           confirmed
======================================================  =========

======================================================  ==================
``financial_status``                                    payment status
======================================================  ==================
pending, unpaid, authorized, partially_paid             pending
voided: the authorised money was let go, none was       pending
taken. Not *failed*: nobody's payment failed, and
automation must not act on a merchant's own decision
expired                                                 expired
paid, partially_refunded, refunded                      the same word
pending_refund and the like: nothing went back yet      paid
unknown or absent: what was recorded stays              pending, when new
======================================================  ==================

What was refunded is the sum of the successful transactions of kind refund inside ``refunds``: a refund without
transactions moved no money. It is never more than the order's total.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final

from loyalty.platforms.documents.payments import ON_ITS_WAY, is_being_refunded, is_on_delivery
from loyalty.platforms.documents.people_and_lines import (
    at_most,
    customer_snapshot,
    full_name,
    line_snapshot,
    placed_and_updated,
    total_or_nothing,
)
from loyalty.platforms.documents.read import MAX_ID_LENGTH, Fields, round_amount
from loyalty.platforms.snapshot import CustomerSnapshot, LineSnapshot, OrderSnapshot

PAYMENT_WORDS = {
    "pending": "pending",
    "unpaid": "pending",
    "authorized": "pending",
    "partially_paid": "pending",
    "voided": "pending",
    "expired": "expired",
    "paid": "paid",
    "partially_refunded": "partially_refunded",
    "refunded": "refunded",
}
# What each field of the snapshot is read from.
SOURCES: Final[Mapping[str, Collection[str]]] = {
    "number": ("name", "order_number"),
    "status": ("status", "cancelled_at", "closed_at", "fulfillment_status", "financial_status", "payment_details"),
    "payment_status": ("financial_status", "payment_details"),
    "payment_detail": ("financial_status", "fulfillment_status", "payment_gateway_names", "payment_details"),
    "currency": ("currency",),
    "total": ("total_price", "current_total_price"),
    "refunded_total": ("refunds",),
    "placed_at": ("created_at", "processed_at"),
    "updated_at": ("updated_at",),
    "tags": ("tags",),
    "lines": ("line_items",),
    "cancelled_at": ("cancelled_at",),
    "payment_due_at": ("payment_terms", "payment_terms.payment_schedules"),
    "platform_status": ("status", "fulfillment_status"),
    "platform_payment_status": ("financial_status",),
    "discount_codes": ("discount_codes",),
    "is_test": ("test",),
}
# What only their orders have.
SIGNS: Final = (frozenset({"financial_status"}),)
PAID_FOR = frozenset({"paid", "partially_refunded", "refunded"})
_DETAILS: Final = frozenset({"authorized", "partially_paid", "voided"})


def read_alike(order: Fields, *, external_id: str, customer_id: str, status: str, payment: str) -> OrderSnapshot:
    """What all of them write alike; the ids and the words of O1 are the platform's own. Raises NotAnOrder."""
    currency = _currency_of(order)
    if not external_id:
        raise order.missing("id")
    created, updated = order.instant("created_at"), order.instant("updated_at")
    # An imported one keeps the day it was made elsewhere.
    placed = order.instant("processed_at") or created
    placed_at, updated_at = placed_and_updated(order, "created_at", placed, updated or created)
    total = _total_of(order, currency)
    return OrderSnapshot(
        external_id=external_id,
        number=order.text("name", "order_number", limit=MAX_ID_LENGTH) or external_id,
        status=status,
        payment_status=payment,
        currency=currency,
        total=total,
        refunded_total=_refunded_total(order, currency, total),
        placed_at=placed_at,
        updated_at=updated_at,
        customer=_customer_of(order, external_id=customer_id),
        tags=order.tags("tags"),
        lines=tuple(_line(line, currency) for line in order.children("line_items")),
        cancelled_at=order.instant("cancelled_at"),
        platform_payment_status=order.text("financial_status"),
        # A discount given by hand has an empty one.
        discount_codes=tuple(code for entry in order.children("discount_codes") if (code := entry.text("code"))),
        is_test=order.flag("test"),
    )


def payment_status(order: Fields) -> str:
    """The payment status of O1 for ``financial_status``. An unknown word, or none, says nothing: pending, left out."""
    word = order.text("financial_status").lower()
    if is_being_refunded(word):
        return "paid"
    if word not in PAYMENT_WORDS:
        order.leave_out("financial_status")
    return PAYMENT_WORDS.get(word, "pending")


def order_status(order: Fields, payment: str) -> str:
    """The order status of O1, by the table above."""
    if order.has("cancelled_at"):
        return "cancelled"
    fulfilled = order.text("fulfillment_status").lower() == "fulfilled"
    if order.has("closed_at") or (fulfilled and payment in PAID_FOR):
        return "completed"
    return "pending" if order.values.get("confirmed") is False else "confirmed"


def payment_detail(order: Fields, payment: str, named: Iterable[str] = ()) -> str:
    """What is to be known of a pending payment (E10); ``named`` are names of it beside those of the gateways."""
    if payment != "pending":
        return ""
    word = order.text("financial_status").lower()
    if word in _DETAILS:
        return word
    on_its_way = order.text("fulfillment_status").lower() in ON_ITS_WAY
    return "on_delivery" if on_its_way and is_on_delivery(*order.texts("payment_gateway_names"), *named) else ""


def _currency_of(order: Fields) -> str:
    """The shop's currency; "" when it is not said in a way that can be read: the store's own is meant then."""
    currency = order.currency("currency") or _shop_money(order, "total_price_set").currency("currency_code")
    if not currency:
        order.leave_out("currency")
    return currency


def _total_of(order: Fields, currency: str) -> Decimal:
    """The order's total when it was placed, in the shop's currency: what N5 takes its share of.

    Where it is not said, the total as it is today; 0 when that is not said either.
    """
    said = next((total for total in _totals(order, currency) if total is not None), None)
    return total_or_nothing(order, "total_price", said, currency)


def _totals(order: Fields, currency: str) -> Iterator[Decimal | None]:
    for key in ("total_price", "current_total_price"):
        yield order.amount(key, currency)
        money = _shop_money(order, f"{key}_set")
        yield money.amount("amount", currency) if money.currency("currency_code") in ("", currency) else None


def _shop_money(order: Fields, key: str) -> Fields:
    return order.child(key).child("shop_money")


def _refunded_total(order: Fields, currency: str, total: Decimal) -> Decimal:
    """The money that went back, in the shop's currency, at most ``total``."""
    amounts = (in_shop_currency(order, transaction, currency) for transaction in _refund_transactions(order))
    return at_most(order, "total_price", sum(amounts, start=round_amount(Decimal(0), currency)), total)


def _customer_of(order: Fields, *, external_id: str) -> CustomerSnapshot | None:
    """Who placed the order. Without a customer record but with an e-mail: a guest. Without either: nobody."""
    customer = order.child("customer")
    email = customer.email("email") or order.email("email", "contact_email")
    people = [
        customer,
        customer.child("default_address"),
        order.child("billing_address"),
        order.child("shipping_address"),
    ]
    return customer_snapshot(
        external_id=external_id,
        email=email,
        name=next((name for person in people if (name := full_name(person))), ""),
        phone=customer.text("phone") or order.text("phone"),
        locale=order.text("customer_locale"),
    )


def in_shop_currency(order: Fields, transaction: Fields, currency: str) -> Decimal:
    """The amount of one transaction in the shop's currency; nothing, and left out, where that cannot be read."""
    paid_in = transaction.currency("currency") or currency
    amount = transaction.amount("amount", paid_in)
    if amount is not None and amount >= 0 and paid_in != currency:
        amount = _share_of_total(order, amount, paid_in, currency)
    if amount is None or amount < 0:
        transaction.leave_out("amount")
        return Decimal(0)
    return amount


def _refund_transactions(order: Fields) -> Iterator[Fields]:
    for refund in order.children("refunds"):
        for transaction in refund.children("transactions"):
            words = (transaction.text("kind").lower(), transaction.text("status").lower())
            if words == ("refund", "success"):
                yield transaction


def _share_of_total(order: Fields, amount: Decimal, paid_in: str, currency: str) -> Decimal | None:
    """A payment in the shopper's currency has the same share of the total in both currencies; None without totals."""
    totals = order.child("total_price_set")
    shop, shopper = totals.child("shop_money"), totals.child("presentment_money")
    known = (shop.currency("currency_code"), shopper.currency("currency_code")) == (currency, paid_in)
    there = shopper.amount("amount", paid_in) if known else None
    here = shop.amount("amount", currency)
    if not there or here is None:
        order.leave_out("total_price_set")
        return None
    return here if amount >= there else round_amount(amount * here / there, currency)


def _line(line: Fields, currency: str) -> LineSnapshot:
    quantity = line.quantity("quantity")
    price, discount = (line.amount(key, "") or Decimal(0) for key in ("price", "total_discount"))
    total = round_amount(max(price * quantity - discount, Decimal(0)), currency)
    return line_snapshot(title=line.text("name", "title"), sku=line.text("sku"), quantity=quantity, total=total)
