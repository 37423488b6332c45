"""Fixtures that serve imitated platforms; a conftest imports what it needs."""

from collections.abc import Iterator

import pytest

from tests.platforms_imitated.imitation import serving
from tests.platforms_imitated.shopify import ImitatedShopify
from tests.platforms_imitated.shopline import ImitatedShopline
from tests.platforms_imitated.shopline_global import ImitatedShoplineGlobal
from tests.platforms_imitated.woocommerce import ImitatedWooCommerce


@pytest.fixture
def imitated_shopify() -> Iterator[ImitatedShopify]:
    """A shop on Shopify."""
    with serving(ImitatedShopify()) as shop:
        yield shop


@pytest.fixture
def imitated_woocommerce() -> Iterator[ImitatedWooCommerce]:
    """A shop on WooCommerce."""
    with serving(ImitatedWooCommerce()) as shop:
        yield shop


@pytest.fixture
def imitated_shopline() -> Iterator[ImitatedShopline]:
    """A merchant of SHOPLINE in Asia."""
    with serving(ImitatedShopline()) as shop:
        yield shop


@pytest.fixture
def imitated_shopline_global() -> Iterator[ImitatedShoplineGlobal]:
    """A store of SHOPLINE Global."""
    with serving(ImitatedShoplineGlobal()) as shop:
        yield shop
