"""A shop for tests of what becomes of orders: what they begin with is made without HTTP."""

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from rest_framework.renderers import JSONRenderer

from credits.api import AdjustCreditsView
from loyalty.api.resources.customers import CustomersView
from loyalty.api.views import ApiView
from loyalty.stores.models import ApiKey
from orders.api.earned_points.awards import PointsView
from orders.api.orders.orders import OrderListView
from tests.examples import Shop, open_shop

_BY_ADDRESS: dict[str, type[ApiView]] = {
    "customers": CustomersView,
    "credits": AdjustCreditsView,
    "points": PointsView,
    "orders": OrderListView,
}


@dataclass(frozen=True)
class QuickShop(Shop):
    """Hands its new customers, gifts and orders to the views themselves, which read and answer as they do over HTTP.

    What is left out, and takes as long again, is the request around them: middleware, key and stored answer.
    """

    def customer(self, name: str = "Ana Lee", email: str = "ana@example.org", **more: str) -> str:
        return str(self._make("customers", {"name": name, "email": email} | more)["id"])

    def give_credits(self, customer: str, amount: str, expires_on: str | None = None) -> str:
        body = {"amount": amount, "expires_on": expires_on, "reason": "gift"}
        return str(self._make("credits", body, customer_id=customer)["id"])

    def give_points(self, customer: str, amount: int, expires_on: str | None = None) -> str:
        body = {"amount": amount, "expires_on": expires_on, "reason": "gift"}
        return str(self._make("points", body, customer_id=customer)["id"])

    def order(self, customer: str | Mapping[str, Any] | None, number: str = "1001", **more: Any) -> dict[str, Any]:
        return self._make("orders", {"number": number, "customer": customer, "total": "100.00"} | more)

    def _make(self, what: str, body: object, **of: str) -> dict[str, Any]:
        view: Any = _BY_ADDRESS[what]()
        key = ApiKey.objects.for_store(self.store).select_related("store").get()
        view.request = SimpleNamespace(data=json.loads(json.dumps(body)), auth=key, GET={}, build_absolute_uri=str)
        answer = inspect.unwrap(type(view).post)(view, view.request, **of)
        made: dict[str, Any] = json.loads(JSONRenderer().render(answer.data))
        return made


def open_quick_shop() -> QuickShop:
    """A new store with a key for it, to begin with."""
    shop = open_shop()
    return QuickShop(shop.store, shop.key)
