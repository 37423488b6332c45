"""SHOPLINE in Asia (shoplineapp): Open API, webhooks that name their merchant in the signed body."""

from typing import Final

from loyalty.platforms.shop_platform import Connecting, Field, Orders, ShopPlatform, address
from loyalty.platforms.shopline.client import LABEL, ShoplineClient
from loyalty.platforms.shopline.mapping import SOURCES, read_order
from loyalty.platforms.shopline.tagging import TAGGING
from loyalty.platforms.shopline.webhooks import WEBHOOKS

SHOPLINE: Final = ShopPlatform(
    key="shopline",
    label=LABEL,
    client=ShoplineClient,
    orders=Orders(read=read_order, sources=SOURCES, signs=(frozenset({"order_payment"}),)),
    webhooks=WEBHOOKS,
    connecting=Connecting(
        fields=(
            Field(
                "access_token",
                "Open API access token",
                "From the admin of SHOPLINE, under API authentication.",
            ),
            Field("webhook_secret", "App secret", "SHOPLINE signs its webhooks with it."),
            address("Address of the API", "https://open.shopline.io; leave empty for that", required=False),
        )
    ),
    returns_its_own=True,
    tagging=TAGGING,
)
