"""Shopify's transactions: which of them pay, which are store credit, and what an order says by them (E10, O5). Pure.

Store credit is a way to pay: the transactions where they are listed, the whole total where nothing else paid it. Else
the names of the gateways say that some was used, and not how much. Gift cards are no credits.
"""

from decimal import Decimal
from typing import Final

from loyalty.platforms.documents.read import Fields
from loyalty.platforms.shopify_style.orders import PAID_FOR, in_shop_currency
from loyalty.platforms.snapshot import UsedThere

_CREDIT: Final = frozenset({"shopify_store_credit", "store_credit"})
_TAKING: Final = frozenset({"sale", "capture"})
_PAYING: Final = _TAKING | {"authorization"}
_FELL_THROUGH: Final = frozenset({"failure", "error"})


def failed_to_pay(transaction: Fields) -> bool:
    """Whether a transaction is a try to pay that failed: a declined card, mostly (E10)."""
    return transaction.text("kind").lower() in _PAYING and transaction.text("status").lower() in _FELL_THROUGH


def may_pay(transaction: Fields) -> bool:
    """Whether a transaction paid, in part at least, or still may."""
    return transaction.text("kind").lower() in _PAYING and transaction.text("status").lower() not in _FELL_THROUGH


def takes_store_credit(transaction: Fields) -> bool:
    """Whether a transaction took store credit. One that only reserves it is followed by one that takes."""
    kind, status = transaction.text("kind").lower(), transaction.text("status").lower()
    return kind in _TAKING and status == "success" and _is_store_credit(transaction.text("gateway"))


def used_there(order: Fields, currency: str, total: Decimal, payment: str) -> UsedThere:
    """What an order says was used of store credit. Its total counts that as it counts any other payment."""
    taken = [one for one in order.children("transactions") if takes_store_credit(one)]
    if amount := sum((in_shop_currency(order, one, currency) for one in taken), start=Decimal(0)):
        return UsedThere(credits=amount)
    names = order.texts("payment_gateway_names")
    credit = [name for name in names if _is_store_credit(name)]
    if credit and credit == names and payment in PAID_FOR:
        return UsedThere(credits=total)
    return UsedThere(credits=None, some_credits=bool(credit))


def _is_store_credit(gateway: str) -> bool:
    return gateway.strip().lower().replace("-", "_").replace(" ", "_") in _CREDIT
