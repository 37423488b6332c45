"""Messages that Shopify and SHOPLINE Global word alike, privacy and the end of the connection among them."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_noop

from loyalty.platforms import meaning
from loyalty.platforms.documents import kinds
from loyalty.platforms.documents.messages import id_in, order_in, order_named
from loyalty.platforms.documents.read import Fields

FETCHED: Final = "orders/fetched"
TOPICS: Final[kinds.Topics] = {
    "orders": kinds.AN_ORDER, "orders/delete": kinds.A_DELETED_ORDER, "refunds": kinds.A_REFUND,
    "order_transactions": kinds.A_TRANSACTION, "draft_orders": kinds.A_DRAFT, "fulfillments": kinds.A_SHIPMENT,
    "carts": kinds.A_CART, "checkouts": kinds.A_CHECKOUT, "products": kinds.A_PRODUCT,
    "discounts": kinds.A_DISCOUNT, "discountcode": kinds.A_DISCOUNT, "pricerule": kinds.A_DISCOUNT,
    "customers": kinds.A_CUSTOMER, "customers/redact": kinds.ERASE_A_CUSTOMER,
    "customers/data_request": kinds.A_CUSTOMERS_DATA,
    "shop": kinds.OF_THE_SHOP, "shop/redact": kinds.ERASE_A_SHOP,
    "merchants": kinds.OF_THE_SHOP, "merchants/redact": kinds.ERASE_A_SHOP,
    "app": kinds.OF_THE_APP, "apps": kinds.OF_THE_APP, "app/uninstalled": kinds.OF_THE_SHOP,
}  # fmt: skip
SIGNS: Final[tuple[kinds.Sign, ...]] = (
    kinds.sign(kinds.A_REFUND, "refund_line_items"),
    kinds.sign(kinds.A_REFUND, "refund_amount", "order_id"),
    kinds.sign(kinds.A_TRANSACTION, "order_id", "kind", "gateway"),
    kinds.sign(kinds.A_DISCOUNT, "redeem_code"),
    kinds.sign(kinds.A_DISCOUNT, "price_rule_id"),
    kinds.sign(kinds.AN_EDITED_ORDER, "order_edit"),
    kinds.sign(kinds.ERASE_A_CUSTOMER, "orders_to_redact"),
    kinds.sign(kinds.A_CUSTOMERS_DATA, "orders_requested"),
    kinds.sign(kinds.A_CUSTOMERS_DATA, "data_request"),
    kinds.sign(kinds.A_DRAFT, "invoice_url", "invoice_sent_at"),
    kinds.sign(kinds.A_CHECKOUT, "abandoned_checkout_url"),
    kinds.sign(kinds.A_SHIPMENT, "order_id", "tracking_number"),
    kinds.sign(kinds.A_CUSTOMER, "orders_count"),
    kinds.sign(kinds.A_PRODUCT, "variants"),
)
_INSTALLED: Final = meaning.Nothing(
    gettext_noop("The shop installed the app. The connection is made by hand, on its page.")
)


def meaning_of(topic: str, document: Mapping[str, object]) -> meaning.Meaning:
    """What a message asks for. Raises NotAnOrder when it lacks what its topic promises."""
    about, _, what = topic.partition("/")
    if about == "orders":
        return meaning.DeletedOrder(id_in(document, "id", "order_id")) if what == "delete" else order_in(document)
    return order_named(document, "order_id") if about == "refunds" else _business(topic, document)


def _business(topic: str, document: Mapping[str, object]) -> meaning.Meaning:
    """Privacy and the end of the connection."""
    match topic:
        case "customers/data_request":
            return meaning.DataWanted(_person(document, "orders_requested"))
        case "customers/redact":
            return meaning.EraseCustomer(_person(document, "orders_to_redact"))
        case "shop/redact" | "merchants/redact":
            return meaning.EraseShop()
        case "app/uninstalled" | "apps/uninstalled":
            return meaning.Uninstalled()
        case "apps/installed_uninstalled" | "apps/installed_or_uninstalled":
            return meaning.Uninstalled() if Fields(document).text("operate").upper() == "UNINSTALL" else _INSTALLED
    return meaning.NOT_USED


def _person(document: Mapping[str, object], orders: str) -> meaning.Person:
    request = Fields(document)
    customer = request.child("customer")
    return meaning.Person(customer.identifier("id"), customer.email("email"), request.identifiers(orders))
