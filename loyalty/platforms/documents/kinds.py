"""What a platform's document may be, in words: what its topic promises, and what its fields show (O10)."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_noop

AN_ORDER: Final = gettext_noop("an order")
A_DELETED_ORDER: Final = gettext_noop("the number of a deleted order")
AN_EDITED_ORDER: Final = gettext_noop("a notice that an order was edited, without the order itself")
A_REFUND: Final = gettext_noop("a refund")
A_RETURN: Final = gettext_noop("a return")
A_TRANSACTION: Final = gettext_noop("a payment transaction")
A_COUPON: Final = gettext_noop("a coupon")
A_DISCOUNT: Final = gettext_noop("a discount")
A_CUSTOMER: Final = gettext_noop("a customer")
A_MERGE: Final = gettext_noop("a merge of customers")
A_PRODUCT: Final = gettext_noop("a product")
A_DRAFT: Final = gettext_noop("a draft order")
A_SHIPMENT: Final = gettext_noop("a shipment")
A_CART: Final = gettext_noop("a shopping cart")
A_CHECKOUT: Final = gettext_noop("an unfinished checkout")
OF_THE_SHOP: Final = gettext_noop("a message about the shop")
OF_THE_APP: Final = gettext_noop("a message about the app")
A_PRIVACY_REQUEST: Final = gettext_noop("a privacy request")
A_CUSTOMERS_DATA: Final = gettext_noop("a request for a customer's data")
ERASE_A_CUSTOMER: Final = gettext_noop("a request to erase a customer")
ERASE_A_SHOP: Final = gettext_noop("a request to erase a shop's customers")

# A topic, or the subject it begins with, and what comes with it.
Topics = Mapping[str, str]
# A kind of document and fields that, together, only it has.
Sign = tuple[str, frozenset[str]]


def sign(kind: str, *fields: str) -> Sign:
    """That a document with all these fields is of this kind."""
    return kind, frozenset(fields)
