"""Which shop platforms there are, a line each; all that is peculiar to one is in the folder of its name."""

from collections.abc import Mapping
from typing import Final

from loyalty.platforms.shop_platform import ShopPlatform
from loyalty.platforms.shopify import SHOPIFY
from loyalty.platforms.shopline import SHOPLINE
from loyalty.platforms.shopline_global import SHOPLINE_GLOBAL
from loyalty.platforms.woocommerce import WOOCOMMERCE

PLATFORMS: Final[Mapping[str, ShopPlatform]] = {
    platform.key: platform
    for platform in (
        SHOPIFY,
        WOOCOMMERCE,
        SHOPLINE,
        SHOPLINE_GLOBAL,
    )
}


class _Labels(dict[str, str]):
    """Names for people; a platform that nobody knows any more is called what it was stored as (L8)."""

    def __missing__(self, platform: str) -> str:
        return platform


LABELS: Final[Mapping[str, str]] = _Labels({platform.key: platform.label for platform in PLATFORMS.values()})
