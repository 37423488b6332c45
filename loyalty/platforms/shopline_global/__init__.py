"""SHOPLINE Global (myshopline.com): modelled on Shopify."""

from typing import Final

from django.utils.translation import gettext_noop

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
            address(gettext_noop("Shop address"), "https://tea-house.myshopline.com"),
            Field("access_token", gettext_noop("Access token"), gettext_noop("From the app's page in SHOPLINE.")),
            Field("webhook_secret", gettext_noop("App secret"), gettext_noop("SHOPLINE signs its webhooks with it.")),
            version("v20251201"),
        )
    ),
    tagging=TAGGING,
)
