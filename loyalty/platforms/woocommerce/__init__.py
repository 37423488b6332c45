"""WooCommerce: the REST API of the shop's own WordPress, and what its plugins add."""

from typing import Final

from django.utils.translation import gettext_noop

from loyalty.platforms.shop_platform import Connecting, Field, Orders, ShopPlatform, address
from loyalty.platforms.woocommerce.client import LABEL, WooCommerceClient
from loyalty.platforms.woocommerce.mapping import SOURCES, read_order
from loyalty.platforms.woocommerce.tagging import TAGGING
from loyalty.platforms.woocommerce.webhooks import WEBHOOKS

WOOCOMMERCE: Final = ShopPlatform(
    key="woocommerce",
    label=LABEL,
    client=WooCommerceClient,
    orders=Orders(
        read=read_order,
        sources=SOURCES,
        signs=(
            frozenset({"order_key", "billing"}),
            frozenset({"date_created_gmt", "billing", "line_items"}),
        ),
        deletes_keep_time=True,
    ),
    webhooks=WEBHOOKS,
    connecting=Connecting(
        fields=(
            address(gettext_noop("Shop address"), "https://shop.example.com"),
            Field(
                "consumer_key",
                gettext_noop("Consumer key"),
                gettext_noop("From WooCommerce, Settings, Advanced, REST API; with Read/Write."),
            ),
            Field(
                "consumer_secret", gettext_noop("Consumer secret"), gettext_noop("Shown there together with the key.")
            ),
            Field(
                "webhook_secret",
                gettext_noop("Webhook secret"),
                gettext_noop("Leave empty when you begin, and one is made for you."),
            ),
            Field(
                "tag_meta_key",
                gettext_noop("Field that holds the order's tags"),
                gettext_noop(
                    "WooCommerce has no order tags; a plugin keeps them in a meta field, such as _order_tags."
                ),
                longest=100,
            ),
        ),
        credentials=("consumer_key", "consumer_secret"),
        chooses_secret=True,
        # WordPress decodes entities in a secret before it signs; these characters would sign differently there.
        refused_characters=frozenset("&<>\"'"),
        refusal=gettext_noop("WordPress signs differently with & < > \" ' in a secret: leave them out."),
    ),
    discount_page="/wp-admin/post.php?post={number}&action=edit",
    tagging=TAGGING,
)
