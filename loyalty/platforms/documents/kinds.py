"""What a platform's document may be, in words: what its topic promises, and what its fields show (O10)."""

from collections.abc import Mapping
from typing import Final

AN_ORDER: Final = "an order"
A_DELETED_ORDER: Final = "the number of a deleted order"
AN_EDITED_ORDER: Final = "a notice that an order was edited, without the order itself"
A_REFUND: Final = "a refund"
A_RETURN: Final = "a return"
A_TRANSACTION: Final = "a payment transaction"
A_COUPON: Final = "a coupon"
A_DISCOUNT: Final = "a discount"
A_CUSTOMER: Final = "a customer"
A_MERGE: Final = "a merge of customers"
A_PRODUCT: Final = "a product"
A_DRAFT: Final = "a draft order"
A_SHIPMENT: Final = "a shipment"
A_CART: Final = "a shopping cart"
A_CHECKOUT: Final = "an unfinished checkout"
OF_THE_SHOP: Final = "a message about the shop"
OF_THE_APP: Final = "a message about the app"
A_PRIVACY_REQUEST: Final = "a privacy request"
A_CUSTOMERS_DATA: Final = "a request for a customer's data"
ERASE_A_CUSTOMER: Final = "a request to erase a customer"
ERASE_A_SHOP: Final = "a request to erase a shop's customers"

# A topic, or the subject it begins with, and what comes with it.
Topics = Mapping[str, str]
# A kind of document and fields that, together, only it has.
Sign = tuple[str, frozenset[str]]


def sign(kind: str, *fields: str) -> Sign:
    """That a document with all these fields is of this kind."""
    return kind, frozenset(fields)
