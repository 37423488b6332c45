"""What platforms say of a payment that is still open, beyond the six statuses of O1 (E10). Pure: fields in, words out.

============================================  ===================================================================
word                                          when
============================================  ===================================================================
``authorized``, ``partially_paid``,           the platform says just that
``voided``
``on_delivery``                               due on delivery (by the name of the payment), and the goods are on
                                              their way
``at_bank``                                   somebody has paid, and the money has not arrived: WooCommerce's
                                              *on-hold*, SHOPLINE Global's *pending* (it says *unpaid* else)
""                                            nothing of it: a payment that can run out (E1)
============================================  ===================================================================

A transfer that nobody has made yet is no money on its way: Shopify's *pending* with a manual payment runs out.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from loyalty.platforms.documents.read import Fields

# What shops call it, in the languages of the platforms' markets; compared without case, blanks and signs.
_ON_DELIVERY: Final = (
    "cashondelivery", "payondelivery", "paymentondelivery", "collectondelivery", "payupondelivery", "dueondelivery",
    "nachnahme", "contrassegno", "contreremboursement", "paiementàlalivraison", "contrareembolso", "contraentrega",
    "pagoalrecibir", "pagamentonaentrega", "onderrembours", "pobranie", "dobírka", "utánvét", "ramburs",
    "kapidaödeme", "наложенныйплатеж", "代金引換", "代引", "货到付款", "貨到付款", "取貨付款", "取货付款", "착불",
)  # fmt: skip
_COD: Final = re.compile(r"(?<![^\W_])cod(?![^\W_])")
_SIGNS: Final = re.compile(r"[\W_]+")

_REST_WORDS: Final = frozenset({"authorized", "partially_paid", "voided"})
_ON_ITS_WAY: Final = frozenset(
    {"fulfilled", "partial", "partially_fulfilled", "shipped", "partially_shipped", "shipping", "delivered", "arrived",
     "collected"}
)  # fmt: skip
_PAYING: Final = frozenset({"sale", "authorization", "capture"})
_FELL_THROUGH: Final = frozenset({"failure", "error"})
_AT_BANK: Final = frozenset({"pending", "risking"})
# Where SHOPLINE Global's payments name how they are paid.
_GLOBAL_NAMES: Final = ("pay_channel", "pay_channel_name", "pay_method", "pay_method_name", "payment_method",
                        "store_payment_name", "gateway")  # fmt: skip

WOO_PARTLY: Final = frozenset(
    {"partially-paid", "partial-payment", "partial-paid", "deposit-paid", "partially-pending"}
)
# WooCommerce's words, and those of plugins, for goods that the shop is getting ready or has sent.
_WOO_UNDER_WAY: Final = re.compile(r"processing|ready-for-pickup|ship|deliver|dispatch|transit|sent")


def is_on_delivery(*names: str) -> bool:
    """Whether one of these names of a payment means that the customer pays when the goods arrive."""
    folded = [unicodedata.normalize("NFKC", name).casefold().replace("\u0131", "i") for name in names]
    return any(_COD.search(name) or any(word in _SIGNS.sub("", name) for word in _ON_DELIVERY) for name in folded)


def is_being_refunded(word: str) -> bool:
    """Whether a word for a payment, of a platform or a plugin, says that a refund is asked for or under way.

    ``pending_refund``, ``refunding``, ``refund-requested``: somebody has paid, and nothing has gone back yet.
    """
    return "refund" in word and "refunded" not in word


def failed_to_pay(transaction: Fields) -> bool:
    """Whether a transaction at Shopify is a try to pay that failed: a declined card, mostly (E10)."""
    return transaction.text("kind").lower() in _PAYING and transaction.text("status").lower() in _FELL_THROUGH


def may_pay(transaction: Fields) -> bool:
    """Whether a transaction at Shopify paid, in part at least, or still may."""
    return transaction.text("kind").lower() in _PAYING and transaction.text("status").lower() not in _FELL_THROUGH


def shopify_detail(order: Fields, payment: str) -> str:
    """Of a Shopify order whose payment status of O1 is ``payment``."""
    return _rest_detail(order, payment, _texts(order, "payment_gateway_names"))


def shopline_global_detail(order: Fields, payment: str) -> str:
    """Of an order of SHOPLINE Global; its payments are listed with a state and a name each."""
    entries = list(order.children("payment_details"))
    named = [entry.text(name) for entry in entries for name in _GLOBAL_NAMES]
    found = _rest_detail(order, payment, [*_texts(order, "payment_gateway_names"), *filter(None, named)])
    if found or payment != "pending":
        return found
    states = {entry.text("pay_status").lower() for entry in entries} | {order.text("financial_status").lower()}
    return "at_bank" if states & _AT_BANK and not is_on_delivery(*named) else ""


def shopline_detail(order: Fields, payment: str) -> str:
    """Of an order of SHOPLINE in Asia."""
    paying, delivery = order.child("order_payment"), order.child("order_delivery")
    names = [paying.text("payment_type"), *_texts_of(paying.child("name_translations"))]
    states = {delivery.text("status").lower(), delivery.text("delivery_status").lower()}
    return "on_delivery" if payment == "pending" and states & _ON_ITS_WAY and is_on_delivery(*names) else ""


def woocommerce_detail(order: Fields, word: str, payment: str) -> str:
    """Of a WooCommerce order whose status is ``word``."""
    if payment != "pending":
        return ""
    if word in WOO_PARTLY:
        return "partially_paid"
    if word == "on-hold":
        return "at_bank"
    return "on_delivery" if woocommerce_is_due_on_delivery(order, word) else ""


def woocommerce_is_due_on_delivery(order: Fields, word: str) -> bool:
    """Whether the shop has taken the order up and is paid on delivery: WooCommerce calls that *processing*, too."""
    names = order.text("payment_method"), order.text("payment_method_title")
    return bool(_WOO_UNDER_WAY.search(word)) and is_on_delivery(*names)


def _rest_detail(order: Fields, payment: str, gateways: Iterable[str]) -> str:
    if payment != "pending":
        return ""
    word = order.text("financial_status").lower()
    if word in _REST_WORDS:
        return word
    on_its_way = order.text("fulfillment_status").lower() in _ON_ITS_WAY
    return "on_delivery" if on_its_way and is_on_delivery(*gateways) else ""


def _texts(fields: Fields, key: str) -> list[str]:
    return [value for value in fields.items(key) if isinstance(value, str)]


def _texts_of(fields: Fields) -> Iterator[str]:
    return (value for value in fields.values.values() if isinstance(value, str))
