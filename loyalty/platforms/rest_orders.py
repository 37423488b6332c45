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
unknown or absent                                       pending
======================================================  ==================

What was refunded is the sum of the successful transactions of kind refund inside ``refunds``: a refund without
transactions moved no money. It is never more than the order's total.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from loyalty.platforms.document import Fields, exact_amount, read_amount, round_amount
from loyalty.platforms.parts import customer_snapshot, full_name, line_snapshot
from loyalty.platforms.snapshot import CustomerSnapshot, LineSnapshot, NotAnOrder

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
_PAID_FOR = frozenset({"paid", "partially_refunded", "refunded"})


def payment_status(order: Fields) -> str:
    """The payment status of O1 for ``financial_status``; pending when the word is unknown."""
    return PAYMENT_WORDS.get(order.text("financial_status").lower(), "pending")


def order_status(order: Fields, payment: str) -> str:
    """The order status of O1, by the table above."""
    if order.has("cancelled_at"):
        return "cancelled"
    fulfilled = order.text("fulfillment_status").lower() == "fulfilled"
    if order.has("closed_at") or (fulfilled and payment in _PAID_FOR):
        return "completed"
    return "pending" if order.values.get("confirmed") is False else "confirmed"


def placed_and_updated(order: Fields) -> tuple[datetime, datetime]:
    """When the order was placed (an imported one keeps the day it was made elsewhere) and last changed."""
    created = order.instant("created_at")
    placed = order.instant("processed_at") or created
    if placed is None:
        raise order.missing("created_at")
    return placed, order.instant("updated_at") or created or placed


def total_of(order: Fields, currency: str) -> Decimal:
    """The order's total when it was placed, in the shop's currency: what N5 takes its share of."""
    total = order.amount("total_price", currency)
    if total is None:
        raise order.missing("total_price")
    if total < 0:
        raise NotAnOrder("The order's total is below zero.", field=order.path_of("total_price"))
    return total


def refunded_total(order: Fields, currency: str, total: Decimal) -> Decimal:
    """The money that went back, in the shop's currency, at most ``total``."""
    amounts = (_refund_amount(order, transaction, currency) for transaction in _refund_transactions(order))
    return min(sum(amounts, start=round_amount(Decimal(0), currency)), total)


def customer_of(order: Fields, *, external_id: str) -> CustomerSnapshot | None:
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


def lines_of(order: Fields, currency: str) -> tuple[LineSnapshot, ...]:
    """The lines, each total after the line's own discount."""
    return tuple(_line(line, currency) for line in order.children("line_items"))


def discount_codes_of(order: Fields) -> tuple[str, ...]:
    """The codes that were entered; a discount given by hand has an empty one and is left out."""
    return tuple(code for entry in order.children("discount_codes") if (code := entry.text("code")))


def _refund_transactions(order: Fields) -> Iterator[Fields]:
    for refund in order.children("refunds"):
        for transaction in refund.children("transactions"):
            words = (transaction.text("kind").lower(), transaction.text("status").lower())
            if words == ("refund", "success"):
                yield transaction


def _refund_amount(order: Fields, transaction: Fields, currency: str) -> Decimal:
    path = transaction.path_of("amount")
    paid_in = transaction.currency("currency") or currency
    amount = exact_amount(transaction.values.get("amount"), path, paid_in)
    if amount < 0:
        raise NotAnOrder(f"The field “{path}” is a refund below zero.", field=path)
    return amount if paid_in == currency else _in_shop_currency(order, amount, paid_in, currency)


def _in_shop_currency(order: Fields, amount: Decimal, paid_in: str, currency: str) -> Decimal:
    """A refund in the shopper's currency has the same share of the total in both currencies."""
    totals = order.child("total_price_set")
    shop, shopper = totals.child("shop_money"), totals.child("presentment_money")
    known = (shop.currency("currency_code"), shopper.currency("currency_code")) == (currency, paid_in)
    there = shopper.amount("amount", paid_in) if known else None
    here = shop.amount("amount", currency)
    if not there or here is None:
        raise NotAnOrder(
            f"A refund is in {paid_in}, and the order does not say what that is in {currency}.",
            field=order.path_of("total_price_set"),
        )
    return here if amount >= there else round_amount(amount * here / there, currency)


def _line(line: Fields, currency: str) -> LineSnapshot:
    quantity = line.quantity("quantity")
    price = read_amount(line.values.get("price") or 0, line.path_of("price"))
    discount = read_amount(line.values.get("total_discount") or 0, line.path_of("total_discount"))
    total = round_amount(max(price * quantity - discount, Decimal(0)), currency)
    return line_snapshot(title=line.text("name", "title"), sku=line.text("sku"), quantity=quantity, total=total)
