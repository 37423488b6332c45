"""Recognising JSON that is no order of the platform it was given for, so that the error can say what it is instead."""

from collections.abc import Mapping

from loyalty.platforms.snapshot import NotAnOrder

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
    "carts": "a shopping cart", "checkouts": "an unfinished checkout", "shop": "a message about the shop",
    "merchant": "a message about the shop", "merchants": "a message about the shop",
    "app": "a message about the app", "application": "a message about the app",
}  # fmt: skip

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
    ("a notice that an order was edited, without the order itself", frozenset({"order_edit"})),
    ("a privacy request", frozenset({"orders_to_redact"})),
    ("a privacy request", frozenset({"orders_requested"})),
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
