"""SHOPLINE Global (myshopline.com): modelled on Shopify."""

from typing import Final

from loyalty.platforms.shop_platform import Connecting, Field, Orders, ShopPlatform, address, version
from loyalty.platforms.shopify_style import orders
from loyalty.platforms.shopline_global.client import LABEL, ShoplineGlobalClient
from loyalty.platforms.shopline_global.mapping import read_order
from loyalty.platforms.shopline_global.tagging import TAGGING
from loyalty.platforms.shopline_global.webhooks import WEBHOOKS

SHOPLINE_GLOBAL: Final = ShopPlatform(
    key="shopline_global",
    label=LABEL,
    client=ShoplineGlobalClient,
    orders=Orders(read=read_order, sources=orders.SOURCES, signs=orders.SIGNS),
    webhooks=WEBHOOKS,
    connecting=Connecting(
        fields=(
            address("Shop address", "https://tea-house.myshopline.com"),
            Field("access_token", "Access token", "From the app's page in SHOPLINE."),
            Field("webhook_secret", "App secret", "SHOPLINE signs its webhooks with it."),
            version("v20251201"),
        )
    ),
    tagging=TAGGING,
)
