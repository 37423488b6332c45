"""Imitated platforms by name, and a store's connection to one."""

from datetime import datetime
from typing import Any

from loyalty.core.encryption import Secret
from loyalty.platforms.models import PlatformConnection
from loyalty.stores.models import Store
from tests.platforms_imitated import shopify, shopline, shopline_global, woocommerce
from tests.platforms_imitated.imitation import Imitation
from tests.platforms_imitated.shopify import ImitatedShopify
from tests.platforms_imitated.shopline import ImitatedShopline
from tests.platforms_imitated.shopline_global import ImitatedShoplineGlobal
from tests.platforms_imitated.woocommerce import ImitatedWooCommerce

IMITATIONS: dict[str, type[Imitation]] = {
    one.platform: one for one in (ImitatedShopify, ImitatedWooCommerce, ImitatedShopline, ImitatedShoplineGlobal)
}
CREDENTIALS: dict[str, dict[str, str]] = {
    "shopify": {"access_token": shopify.TOKEN},
    "woocommerce": {"consumer_key": woocommerce.KEY, "consumer_secret": woocommerce.SECRET},
    "shopline": {"access_token": shopline.TOKEN},
    "shopline_global": {"access_token": shopline_global.TOKEN},
}


def connection_to(imitation: Imitation, store: Store, *, now: datetime, **fields: Any) -> PlatformConnection:
    """The store's connection to an imitated platform that is being served; not saved."""
    base = f"{imitation.url}/v1" if imitation.platform == "shopline" else imitation.url
    secrets = {name: Secret.of(text) for name, text in CREDENTIALS[imitation.platform].items()}
    values = {"base_url": base, "created_at": now, "updated_at": now} | secrets | fields
    return PlatformConnection(store=store, platform=imitation.platform, **values)


def connect(imitation: Imitation, store: Store, *, now: datetime, **fields: Any) -> PlatformConnection:
    """As :func:`connection_to`, saved."""
    connection = connection_to(imitation, store, now=now, **fields)
    connection.save()
    return connection
