"""Shopify: GraphQL Admin API, webhooks in the shape of its REST API."""

from typing import Final

from django.utils.translation import gettext_noop

from loyalty.platforms.shop_platform import Connecting, Field, Orders, ShopPlatform, address, version
from loyalty.platforms.shopify.client import ShopifyClient
from loyalty.platforms.shopify.graphql import LABEL
from loyalty.platforms.shopify.mapping import read_order
from loyalty.platforms.shopify.tagging import TAGGING
from loyalty.platforms.shopify.webhooks import WEBHOOKS
from loyalty.platforms.shopify_style import orders

SHOPIFY: Final = ShopPlatform(
    key="shopify",
    label=LABEL,
    client=ShopifyClient,
    orders=Orders(read=read_order, sources=orders.SOURCES, signs=orders.SIGNS),
    webhooks=WEBHOOKS,
    connecting=Connecting(
        fields=(
            address(gettext_noop("Shop address"), "https://tea-house.myshopify.com"),
            Field(
                "access_token",
                gettext_noop("Admin API access token"),
                gettext_noop("From the app's page in Shopify, under API credentials."),
            ),
            Field(
                "webhook_secret",
                gettext_noop("App client secret"),
                gettext_noop("Also called API secret key. Shopify signs its webhooks with it."),
            ),
            version("2026-01"),
        )
    ),
    discount_page="/admin/discounts/{number}",
    tagging=TAGGING,
)
