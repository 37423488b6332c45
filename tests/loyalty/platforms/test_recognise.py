"""O2: what is no order of the platform is refused with a sentence that says what it is."""

import pytest

from loyalty.platforms.read import read_order
from loyalty.platforms.registry import PLATFORMS
from loyalty.platforms.snapshot import NotAnOrder
from tests.loyalty.platforms.samples import Document, order


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({}, "An empty object"),
        ({"id": 5}, "Only an id came"),
        ({"_id": "5"}, "Only an id came"),
        ({"order_edit": {"id": 1}}, "a notice that an order was edited"),
        ({"admin_graphql_api_id": "gid://shopify/DraftOrder/5", "id": 5}, "This is a draft order"),
        ({"id": 5, "code": "10off", "discount_type": "percent"}, "This is a coupon"),
        ({"id": 5, "order_id": 6, "refund_line_items": []}, "This is a refund"),
        ({"id": 5, "order_id": 6, "kind": "sale", "gateway": "x"}, "This is a payment transaction"),
        ({"shop_id": 1, "orders_to_redact": []}, "This is a request to erase a customer"),
        ({"id": 5, "email": "a@example.com", "orders_count": 1}, "This is a customer"),
        ({"webhook_id": "5"}, "This is a webhook's own greeting"),
    ],
)
def test_o2_other_things_are_named(platform: str, document: Document, sentence: str) -> None:
    with pytest.raises(NotAnOrder, match=sentence):
        read_order(platform, document)


@pytest.mark.parametrize(
    ("given_for", "platform", "label"),
    [
        ("shopify", "woocommerce", "WooCommerce"), ("shopify", "shopline", "SHOPLINE"),
        ("woocommerce", "shopify", "Shopify or SHOPLINE Global"), ("woocommerce", "shopline", "SHOPLINE"),
        ("shopline", "shopify", "Shopify or SHOPLINE Global"), ("shopline", "woocommerce", "WooCommerce"),
        ("shopline_global", "woocommerce", "WooCommerce"), ("shopline_global", "shopline", "SHOPLINE"),
    ],
)  # fmt: skip
def test_o2_an_order_of_another_platform_is_recognised(given_for: str, platform: str, label: str) -> None:
    with pytest.raises(NotAnOrder, match=f"an order from {label}"):
        read_order(given_for, order(platform))
