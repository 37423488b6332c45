"""The worked examples of the domain, built through the REST API as a client would build them.

A :class:`Shop` is one store and a client with a key for it. ``x1`` and its sisters each build one example, in the
past, and answer with what is needed to act on it at :attr:`Example.now`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import time_machine
from django.test import Client

from loyalty.stores.keys import create_api_key
from loyalty.stores.models import Store

_KEYS = count(1)


@dataclass(frozen=True)
class Shop:
    """A store, and a REST client that acts for it."""

    store: Store
    key: str
    client: Client = field(default_factory=Client)

    def at(self, year: int, month: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
        """An instant by the store's clock."""
        return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(self.store.time_zone))

    def get(self, path: str, **parameters: str) -> Any:
        """Read; ``path`` begins behind ``/api/v1``."""
        return self.client.get(f"/api/v1{path}", parameters, headers=self._headers({}))

    def send(self, method: str, path: str, body: object, **headers: str) -> Any:
        """Write without an idempotency key."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        data = json.dumps(body)
        return self.client.generic(method, f"/api/v1{path}", data, "application/json", headers=self._headers(sent))

    def command(self, path: str, body: object, *, key: str = "", **headers: str) -> Any:
        """Carry out a command, under a key of its own unless one is given."""
        return self.send("POST", path, body, idempotency_key=key or f"key-{next(_KEYS)}", **headers)

    def customer(self, name: str = "Ana Lee", email: str = "ana@example.org", **more: str) -> str:
        """A new customer's id."""
        return str(_made(self.send("POST", "/customers/", {"name": name, "email": email} | more))["id"])

    def give_credits(self, customer: str, amount: str, expires_on: str | None = None) -> str:
        """Give store credits; the new lot's id."""
        body = {"amount": amount, "expires_on": expires_on, "reason": "gift"}
        return str(_made(self.command(f"/customers/{customer}/credits/", body))["id"])

    def give_points(self, customer: str, amount: int, expires_on: str | None = None) -> str:
        """Give member points; the new lot's id."""
        body = {"amount": amount, "expires_on": expires_on, "reason": "gift"}
        return str(_made(self.command(f"/customers/{customer}/points/", body))["id"])

    def order(self, customer: str | Mapping[str, Any] | None, number: str = "1001", **more: Any) -> dict[str, Any]:
        """A new order of 100.00 unless ``more`` says otherwise."""
        return _made(self.command("/orders/", {"number": number, "customer": customer, "total": "100.00"} | more))

    def order_again(self, order: Mapping[str, Any], customer: str, **more: Any) -> Any:
        """The same order once more."""
        return self.command("/orders/", {"number": order["number"], "customer": customer, "total": "100.00"} | more)

    def preview(self, order: str, **body: Any) -> Any:
        """What a cancel would do."""
        return self.send("POST", f"/orders/{order}/cancel/preview/", body)

    def cancel(self, order: str, *, key: str = "", **body: Any) -> Any:
        """Cancel, or return what is left."""
        return self.command(f"/orders/{order}/cancel/", body, key=key)

    def reinstate(self, order: str, deduct: str = "none", *, status: str = "confirmed", key: str = "") -> Any:
        """Bring back, and deduct again."""
        return self.command(f"/orders/{order}/reinstate/", {"status": status, "deduct": deduct}, key=key)

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", **more}


@dataclass(frozen=True)
class Example:
    """An order to act on at ``now``; ``lots`` are those it drew on, in the order of spending."""

    order: str
    customer: str
    lots: tuple[str, ...]
    now: datetime


def open_shop(
    slug: str = "tea",
    *,
    time_zone: str = "Asia/Taipei",
    currency: str = "USD",
    scopes: Sequence[str] = ("*",),
) -> Shop:
    """A new store with a key for it."""
    opened = datetime(2020, 1, 1, tzinfo=ZoneInfo("UTC"))
    store = Store.objects.create(
        slug=slug, name=slug.title(), currency=currency, time_zone=time_zone, created_at=opened
    )
    return with_key(store, scopes)


def with_key(store: Store, scopes: Sequence[str] = ("*",)) -> Shop:
    """A client for an existing store, that may do what ``scopes`` say."""
    opened = datetime(2020, 1, 1, tzinfo=ZoneInfo("UTC"))
    return Shop(store, create_api_key(store=store, name="shop", scopes=scopes, now=opened)[1])


def x1(shop: Shop, number: str = "1001") -> Example:
    """X1 and X2: 10.00 of a lot that expires on 1 January and 5.00 of one valid to 20 March; it is 5 January."""
    return _fifteen(shop, number, "2026-03-20")


def x3(shop: Shop, number: str = "1003") -> Example:
    """X3: as X1, but both lots have expired."""
    return _fifteen(shop, number, "2026-01-02")


def x11(shop: Shop, last_day: datetime) -> Example:
    """X11: 20.00 of a lot that expires on ``last_day`` in the shop's time zone, spent ten days before; then it is."""
    with time_machine.travel(shop.at(2026, 1, 10), tick=False):
        customer = shop.customer(f"Day {last_day:%d %m}", f"{last_day:%d.%m}@example.org")
        lot = shop.give_credits(customer, "20.00", f"{last_day:%Y-%m-%d}")
        order = shop.order(customer, f"11-{last_day:%m}", apply_credits="20.00")
    return Example(order["id"], customer, (lot,), last_day)


def x13(shop: Shop, number: str = "1013") -> Example:
    """X13: 60.00 of a lot of 100.00 were spent on the order, 40.00 lapsed on 1 January; it is 5 January."""
    with time_machine.travel(shop.at(2025, 12, 20), tick=False):
        customer = shop.customer("Bo Wu", f"bo-{number}@example.org")
        lot = shop.give_credits(customer, "100.00", "2026-01-01")
        order = shop.order(customer, number, apply_credits="60.00")
    return Example(order["id"], customer, (lot,), shop.at(2026, 1, 5))


def x4(shop: Shop, number: str = "1004") -> Example:
    """X4: 50.00 expiring on 1 January 2021, 50.00 never, and 100 points; the payment may take a day. It is 3 January.

    The store cancels and returns when a payment expires.
    """
    with time_machine.travel(shop.at(2021, 1, 1, 23, 59), tick=False):
        settings = {"auto_cancel": {"expired": "cancel_and_revert", "payment_window_hours": 24}}
        _made(shop.send("PATCH", "/settings/", settings))
        customer = shop.customer("Cy Ng", f"cy-{number}@example.org")
        lots = (
            shop.give_credits(customer, "50.00", "2021-01-01"),
            shop.give_credits(customer, "50.00"),
            shop.give_points(customer, 100, "2022-01-01"),
        )
        order = shop.order(customer, number, apply_credits="100.00", apply_points=100)
    return Example(order["id"], customer, lots, shop.at(2021, 1, 3, 8))


def x5(shop: Shop, number: str = "1005", until: str = "2021-09-15") -> Example:
    """X5 and X6: 50.00 expiring on 15 September and 50.00 never; the payment has not failed yet. It is 16 September."""
    with time_machine.travel(shop.at(2021, 9, 1), tick=False):
        customer = shop.customer("Di Wu", f"di-{number}@example.org")
        lots = (shop.give_credits(customer, "50.00", until), shop.give_credits(customer, "50.00"))
        order = shop.order(customer, number, apply_credits="100.00")
    return Example(order["id"], customer, lots, shop.at(2021, 9, 16))


def _fifteen(shop: Shop, number: str, second_last_day: str) -> Example:
    with time_machine.travel(shop.at(2025, 12, 20), tick=False):
        customer = shop.customer("Ana Lee", f"ana-{number}@example.org")
        lots = (
            shop.give_credits(customer, "10.00", "2026-01-01"),
            shop.give_credits(customer, "5.00", second_last_day),
        )
        order = shop.order(customer, number, total="40.00", apply_credits="15.00")
    return Example(order["id"], customer, lots, shop.at(2026, 1, 5))


def _made(response: Any) -> dict[str, Any]:
    assert response.status_code in (200, 201), response.content
    made: dict[str, Any] = response.json()
    return made
