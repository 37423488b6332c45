"""Everything that shows what is stored: every page, every list, every file, every answer about one shop."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final

from django.contrib import admin
from django.test import Client

from loyalty.backoffice.lists.export import FORMATS
from loyalty.stores.keys import create_api_key
from loyalty.stores.models import Role
from loyalty.web.addresses import page_of
from orders.admin.customers.tabs import TABS as CUSTOMER_TABS
from orders.admin.orders.tabs import TABS as ORDER_TABS
from orders.models import Order
from tests import factories
from tests.loyalty.api.addresses import OPERATIONS, filled
from tests.loyalty.api.support import ApiClient
from tests.loyalty.backoffice.test_every_address import GET_PAGES, Shop
from tests.loyalty.languages.bidi import loose_text

# Pages of orders that are opened; the lists show all of them.
MOST_ORDERS: Final = 8


def look_at_everything(shop: Shop) -> tuple[int, Mapping[str, Any]]:
    """How much there is to see of the shop, and what of it cannot be seen: its address, and what was answered."""
    seen = [*_pages(shop), *_answers(shop)]
    return len(seen), {address: answer for address, answer in seen if answer != 200}


def owner_of(shop: Shop) -> Client:
    """An owner of the shop, to whom failures are pages."""
    client = Client(raise_request_exception=False)
    client.force_login(
        factories.make_user((shop.store, Role.OWNER)), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


def _pages(shop: Shop) -> Iterator[tuple[str, Any]]:
    client = owner_of(shop)
    addresses = [shop.address(name) for name in GET_PAGES]
    for model, shown in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_export"
        exports = getattr(shown, "exports", ())
        addresses += [
            page_of(shop.store, name, export.key, suffix) for export, (suffix, _) in product(exports, FORMATS)
        ]
    addresses += [f"{shop.address('stores_customer_change')}?tab={tab}" for tab in CUSTOMER_TABS]
    for order in _some_orders(shop):
        page = page_of(shop.store, "admin:orders_order_change", order.pk)
        addresses += [f"{page}?tab={tab}" for tab in ORDER_TABS]
    for address in addresses:
        yield address, _whole(client.get(address))


def _some_orders(shop: Shop) -> list[Order]:
    """The shop's own, and some of those that came in."""
    orders = list(Order.objects.for_store(shop.store).order_by("pk"))
    return [shop.order, *orders[1 :: max(len(orders) // MOST_ORDERS, 1)]]


def _whole(answer: Any) -> Any:
    """The status, once all of the answer has been made: a file that breaks off is none, nor a page with loose text."""
    try:
        _ = b"".join(answer.streaming_content) if answer.streaming else answer.content
    except Exception as error:  # noqa: BLE001 - the walk goes on, and tells of all that failed
        return repr(error)
    is_page = answer.headers["Content-Type"].startswith("text/html")
    return (loose_text(answer.content.decode()) if is_page else "") or answer.status_code


def _answers(shop: Shop) -> Iterator[tuple[str, Any]]:
    client = ApiClient(create_api_key(store=shop.store, name="all", scopes=["*"], now=factories.NOW)[1])
    client.raise_request_exception = False
    parts = {
        "customer_id": shop.customer.pk,
        "import_id": shop.moved_in.pk,
        "order_id": shop.order.pk,
        "revert_id": shop.revert.pk,
        "reward_id": shop.reward.pk,
        "redemption_id": shop.redemption.pk,
        "endpoint_id": shop.endpoint.pk,
        "delivery_id": shop.delivery.pk,
        "code": type(shop.redemption).unscoped.get(pk=shop.redemption.pk).code,
    }
    for method, address in OPERATIONS:
        path = filled(address, **parts)
        if method == "GET":
            query = {"from": "2025-12-01", "to": "2026-01-31"} if "statement" in path else {}
            yield path, client.read(path, **query).status_code
        elif path.endswith("/preview/"):
            yield path, client.send(method, path, {}).status_code
