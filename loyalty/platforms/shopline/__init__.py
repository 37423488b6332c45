"""SHOPLINE in Asia (shoplineapp): Open API, webhooks that name their merchant in the signed body."""

from typing import Final

from django.utils.translation import gettext_noop

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
                gettext_noop("Open API access token"),
                gettext_noop("From the admin of SHOPLINE, under API authentication."),
            ),
            Field("webhook_secret", gettext_noop("App secret"), gettext_noop("SHOPLINE signs its webhooks with it.")),
            address(gettext_noop("Address of the API"), "https://open.shopline.io", required=False),
        )
    ),
    returns_its_own=True,
    tagging=TAGGING,
)
