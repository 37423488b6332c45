"""Which platforms there are, and what reads their orders: the one place that lists them."""

from collections.abc import Callable, Mapping

from loyalty.platforms.shopify.mapping import read_order as read_shopify
from loyalty.platforms.shopline.mapping import read_order as read_shopline
from loyalty.platforms.shopline_global.mapping import read_order as read_shopline_global
from loyalty.platforms.snapshot import OrderSnapshot
from loyalty.platforms.woocommerce.mapping import read_order as read_woocommerce

ReadOrder = Callable[[Mapping[str, object]], OrderSnapshot]

MAPPINGS: Mapping[str, ReadOrder] = {
    "shopify": read_shopify,
    "woocommerce": read_woocommerce,
    "shopline": read_shopline,
    "shopline_global": read_shopline_global,
}


class _Labels(dict[str, str]):
    """Names for people; a platform that nobody knows any more is called what it was stored as (L8)."""

    def __missing__(self, platform: str) -> str:
        return platform


LABELS: Mapping[str, str] = _Labels(
    {
        "shopify": "Shopify",
        "woocommerce": "WooCommerce",
        "shopline": "SHOPLINE",
        "shopline_global": "SHOPLINE Global",
    }
)


def read_order(platform: str, document: Mapping[str, object], *, tags_meta_key: str = "") -> OrderSnapshot:
    """The order in a platform's document. Raises NotAnOrder as the mappings do, KeyError for an unknown platform.

    ``tags_meta_key`` is where a connection to WooCommerce keeps the tags.
    """
    if platform == "woocommerce":
        return read_woocommerce(document, tags_meta_key=tags_meta_key)
    return MAPPINGS[platform](document)
