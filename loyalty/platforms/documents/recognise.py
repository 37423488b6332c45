"""Recognising JSON that is no order of the platform it was given for, so that the error can say what it is instead."""

from collections.abc import Mapping
from typing import Final

from loyalty.platforms.snapshot import NotAnOrder

AN_ORDER: Final = "an order"
ERASE_A_CUSTOMER: Final = "a request to erase a customer"
A_CUSTOMERS_DATA: Final = "a request for a customer's data"
A_PRIVACY_REQUEST: Final = "a privacy request"
ERASE_A_SHOP: Final = "a request to erase a shop's customers"
A_DELETED_ORDER: Final = "the number of a deleted order"
OF_THE_SHOP: Final = "a message about the shop"
OF_THE_APP: Final = "a message about the app"
_EDITED: Final = "a notice that an order was edited, without the order itself"

_EMPTY = "An empty object, without any order in it."
_ONLY_AN_ID = "Only an id came, as platforms send when something was deleted. There is no order in it."

# What the first part of a webhook's topic is about: refunds/create, coupon.deleted, user_credit/update.
_TOPICS = {
    "order": "", "orders": "", "order_payment": "", "order_delivery": "",
    "refund": "a refund", "refunds": "a refund", "return_order": "a return", "returns": "a return",
    "pos_return_order": "a return", "order_transactions": "a payment transaction", "tender_transactions": "a payment",
    "coupon": "a coupon", "discounts": "a discount", "discountcode": "a discount", "pricerule": "a discount",
    "promotion": "a promotion", "customer": "a customer", "customers": "a customer", "user": "a customer",
    "user_credit": "a change of credits", "member_point": "a change of points",
    "product": "a product", "products": "a product", "draft_orders": "a draft order", "fulfillments": "a shipment",
    "carts": "a shopping cart", "checkouts": "an unfinished checkout", "shop": OF_THE_SHOP,
    "merchant": OF_THE_SHOP, "merchants": OF_THE_SHOP, "app": OF_THE_APP, "apps": OF_THE_APP,
    "application": OF_THE_APP,
}  # fmt: skip
# Topics whose body is of another kind than their subject's other bodies.
_WHOLE_TOPICS: Final = {
    "customers/redact": ERASE_A_CUSTOMER,
    "customers/data_request": A_CUSTOMERS_DATA,
    "customers/merge": "a merge of customers",
    "shop/redact": ERASE_A_SHOP,
    "merchants/redact": ERASE_A_SHOP,
    "orders/delete": A_DELETED_ORDER,
    "order.deleted": A_DELETED_ORDER,
    "app/uninstalled": OF_THE_SHOP,
}
# What these ask for cannot be taken back, so their body has to be of their kind, not merely of no other.
_CLOSED: Final = frozenset({ERASE_A_CUSTOMER, ERASE_A_SHOP})
_NAMES_A_SHOP: Final = frozenset({"shop_id", "shop_domain", "store_id", "store_domain"})
_AROUND: Final = _NAMES_A_SHOP | {"merchant_id", "handle", "update_time", "created_at", "timestamp"}
# A shop's own facts come when the app is taken away, and an edited order is announced without the order.
# A customer's request that names no orders may be either of two.
_NOT_TOLD_APART: Final = (
    frozenset({AN_ORDER, _EDITED}),
    frozenset({OF_THE_SHOP, OF_THE_APP}),
    frozenset({A_PRIVACY_REQUEST, ERASE_A_CUSTOMER}),
    frozenset({A_PRIVACY_REQUEST, A_CUSTOMERS_DATA}),
)

# The type in a Shopify id such as gid://shopify/Refund/929361472.
_GID_TYPES = {
    "Refund": "a refund", "Return": "a return", "OrderTransaction": "a payment transaction",
    "DiscountCodeNode": "a discount", "DiscountAutomaticNode": "a discount", "PriceRule": "a discount",
    "Customer": "a customer", "Product": "a product", "DraftOrder": "a draft order", "Fulfillment": "a shipment",
    "FulfillmentOrder": "a shipment", "Cart": "a shopping cart", "Checkout": "an unfinished checkout",
    "AbandonedCheckout": "an unfinished checkout",
}  # fmt: skip

# Fields that only this kind of document has, the most telling first.
_SIGNS: tuple[tuple[str, frozenset[str]], ...] = (
    ("a refund", frozenset({"refund_line_items"})),
    ("a refund", frozenset({"refunded_by"})),
    ("a refund", frozenset({"refund_amount", "order_id"})),
    ("a return", frozenset({"return_order_number"})),
    ("a payment transaction", frozenset({"order_id", "kind", "gateway"})),
    ("a payment transaction", frozenset({"pay_seq"})),
    ("a coupon", frozenset({"code", "discount_type"})),
    ("a discount", frozenset({"redeem_code"})),
    ("a discount", frozenset({"price_rule_id"})),
    (_EDITED, frozenset({"order_edit"})),
    (ERASE_A_CUSTOMER, frozenset({"orders_to_redact"})),
    (A_CUSTOMERS_DATA, frozenset({"orders_requested"})),
    (A_CUSTOMERS_DATA, frozenset({"data_request"})),
    ("a merge of customers", frozenset({"admin_graphql_api_customer_kept_id"})),
    (OF_THE_APP, frozenset({"appkey", "operate"})),
    (OF_THE_SHOP, frozenset({"myshopify_domain"})),
    ("a draft order", frozenset({"invoice_url", "invoice_sent_at"})),
    ("an unfinished checkout", frozenset({"abandoned_checkout_url"})),
    ("a shipment", frozenset({"order_id", "tracking_number"})),
    ("a customer", frozenset({"orders_count"})),
    ("a customer", frozenset({"is_paying_customer"})),
    ("a customer", frozenset({"credit_balance"})),
    ("a product", frozenset({"variants"})),
    ("a product", frozenset({"stock_status"})),
    ("a webhook's own greeting", frozenset({"webhook_id"})),
)

_ORDER_SIGNS: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("woocommerce", "WooCommerce", frozenset({"order_key", "billing"})),
    ("woocommerce", "WooCommerce", frozenset({"date_created_gmt", "billing", "line_items"})),
    ("shopline", "SHOPLINE", frozenset({"order_payment"})),
    ("shopify", "Shopify or SHOPLINE Global", frozenset({"financial_status"})),
)


def refuse_other_kinds(document: Mapping[str, object], *, platform: str) -> None:
    """Raise NotAnOrder when the document is recognisably something else, or an order of another platform."""
    if not document:
        raise NotAnOrder(_EMPTY)
    if document.keys() <= {"id", "_id"}:
        raise NotAnOrder(_ONLY_AN_ID)
    kind = _kind_by_gid(document) or _kind_by_fields(document)
    if kind:
        raise NotAnOrder(f"This is {kind}, not an order.")
    _refuse_other_platforms(document, platform)


def refuse_other_topics(topic: str) -> None:
    """Raise NotAnOrder when a webhook's topic (``refunds/create``, ``coupon.deleted``) is not about an order."""
    subject = topic.strip().lower().replace(".", "/").partition("/")[0]
    kind = _TOPICS.get(subject, "something else") if subject else ""
    if kind:
        raise NotAnOrder(f"This is {kind}, not an order (a webhook about “{topic[:100]}”).", field="topic")


def disagreement(topic: str, document: Mapping[str, object]) -> str:
    """How a body belies the topic that came in an unsigned header, in a sentence; "" when it does not.

    What a body *is* decides: signed bytes of one kind never act as another.
    """
    topic = topic.strip().lower()
    said, body = _kind_of_topic(topic), _kind_of_body(document)
    both = {said, body}
    agrees = len(both) == 1 or any(both <= kinds for kinds in _NOT_TOLD_APART)
    if agrees or (said not in _CLOSED and "" in both):
        return ""
    return f"The header says “{topic[:100]}”, and the body is {body or 'something else'}."


def _kind_of_topic(topic: str) -> str:
    """What a topic promises; "" when we do not know it."""
    subject = topic.replace(".", "/").partition("/")[0]
    return _WHOLE_TOPICS.get(topic) or ((_TOPICS[subject] or AN_ORDER) if subject in _TOPICS else "")


def _kind_of_body(document: Mapping[str, object]) -> str:
    """What a body is by itself; "" when that cannot be told."""
    if document and document.keys() <= _AROUND and not _NAMES_A_SHOP.isdisjoint(document):
        return ERASE_A_SHOP
    if "customer" in document and document.keys() <= _AROUND | {"customer"}:
        return A_PRIVACY_REQUEST
    kind = _kind_by_gid(document) or _kind_by_fields(document)
    is_order = any(signs <= document.keys() for _, _, signs in _ORDER_SIGNS)
    return kind or (AN_ORDER if is_order else "")


def _kind_by_gid(document: Mapping[str, object]) -> str:
    gid = document.get("admin_graphql_api_id")
    path = gid.removeprefix("gid://shopify/") if isinstance(gid, str) else ""
    return _GID_TYPES.get(path.partition("/")[0], "")


def _kind_by_fields(document: Mapping[str, object]) -> str:
    return next((kind for kind, signs in _SIGNS if signs <= document.keys()), "")


def _refuse_other_platforms(document: Mapping[str, object], platform: str) -> None:
    family = "shopify" if platform == "shopline_global" else platform
    for name, label, signs in _ORDER_SIGNS:
        if signs <= document.keys() and name != family:
            raise NotAnOrder(f"This looks like an order from {label}; please choose the platform it came from.")
