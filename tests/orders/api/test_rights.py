"""What each scope can do to a balance, proved by the ledger: every scope against every command (T3, T7)."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Q

from credits.models import CreditMovement
from loyalty.ledger.models import MovementType
from loyalty.stores.keys import Scope
from points.models import PointMovement
from tests.examples import Shop, with_key
from tests.orders.services.redemptions.test_reverse import order_with
from tests.pictures import picture
from tests.published import published

# What each command is tried with: the bodies that would make the most of it.
COMMANDS: dict[str, Any] = {
    "POST /customers/": {"name": "Bo", "email": "bo@example.org"},
    "PATCH /customers/{customer_id}/": {"name": "Ana"},
    "POST /customers/{customer_id}/merge/": {"customer": "{double}"},
    "POST /customers/{customer_id}/credits/": {"amount": "900.00", "reason": "gift"},
    "POST /customers/{customer_id}/points/": {"amount": 900, "reason": "gift"},
    "POST /orders/": {
        "number": "N1",
        "customer": "{customer}",
        "total": "900.00",
        "status": "completed",
        "payment_status": "paid",
    },
    "PATCH /orders/{order_id}/": {"status": "completed", "payment_status": "paid"},
    "POST /orders/bulk-cancel/": {"ids": ["{order}"]},
    "POST /orders/{order_id}/cancel/preview/": {"revert_credits": True, "revert_points": True},
    "POST /orders/{order_id}/cancel/": {"revert_credits": True, "revert_points": True},
    "POST /orders/{order_id}/return/": {"revert_credits": True, "revert_points": True},
    "POST /orders/{order_id}/hold/": {},
    "DELETE /orders/{order_id}/hold/": None,
    "POST /orders/{order_id}/reinstate/": {"status": "completed", "deduct": "none"},
    "POST /orders/{order_id}/dismiss-revert/": {"reason": "x"},
    "DELETE /orders/{order_id}/dismiss-revert/": None,
    "POST /reverts/{revert_id}/undo/": {},
    "POST /rewards/": {"name": "Gold", "points": 1, "type": "credits", "value": "100000.00"},
    "PATCH /rewards/{reward_id}/": {"value": "100000.00", "points": 1},
    "POST /redemptions/": {"customer": "{customer}", "reward": "{reward}"},
    "POST /redemptions/{redemption_id}/reverse/preview/": {},
    "POST /redemptions/{redemption_id}/reverse/": {"force": True, "reason": "x"},
    "POST /redemptions/{redemption_id}/request-reversal/": {"reason": "x"},
    "PATCH /settings/": {"earning": {"points_per_unit": "1000", "on_status": "completed"}},
    "PATCH /settings/logo/": {"picture": b64encode(picture()).decode()},
    "POST /settings/auto-cancel/backtest/": {"days": 30},
    "POST /settings/spent-revert/backtest/": {"days": 30},
    "POST /balance-imports/": {"file_name": "x.csv", "size": 5},
    "DELETE /balance-imports/{import_id}/": None,
    "POST /balance-imports/{import_id}/parts/": {"number": 1, "content": "ZW1haWw="},
    "POST /balance-imports/{import_id}/rehearsal/": {},
    "POST /balance-imports/{import_id}/start/": {"reason": "x"},
    "POST /balance-imports/{import_id}/take-back/": {},
    "POST /webhook-endpoints/": {"url": "https://192.88.100.1/x", "events": ["order.cancelled"]},
    "PATCH /webhook-endpoints/{endpoint_id}/": {"enabled": False},
    "DELETE /webhook-endpoints/{endpoint_id}/": None,
    "POST /webhook-endpoints/{endpoint_id}/rotate-secret/": {},
    "POST /webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/replay/": None,
    "POST /deliveries/{delivery_id}/replay/": None,
}
# Which scopes may make value, and by which command. Returning what was spent makes none; neither does what is given
# for points by a reward that the store has.
MAKES: dict[str, set[str]] = {
    "POST /customers/{customer_id}/credits/": {Scope.CREDITS_WRITE},
    "POST /customers/{customer_id}/points/": {Scope.POINTS_WRITE},
}


def _operations() -> Iterator[tuple[str, str]]:
    for address, operations in published()["paths"].items():
        for method in operations:
            if method != "get":
                yield method.upper(), address.removeprefix("/api/v1")


@pytest.fixture
def there(shop: Shop) -> dict[str, str]:
    """Something of everything that commands act on; the store has orders earn points."""
    shop.send("PATCH", "/settings/", {"earning": {"points_per_unit": "10", "on_status": "completed"}})
    customer = shop.customer()
    shop.give_credits(customer, "100.00")
    shop.give_points(customer, 1000)
    double = shop.customer("Ana L.", "ana.l@example.org")
    shop.give_points(double, 5)
    order = shop.order(customer, apply_credits="10.00", apply_points=10, status="confirmed")["id"]
    code = shop.command("/rewards/", {"name": "Five", "points": 50, "type": "fixed", "value": "5.00"}).json()["id"]
    reward = shop.command("/rewards/", {"name": "Cash", "points": 50, "type": "credits", "value": "1.00"}).json()["id"]
    redemption = shop.command("/redemptions/", {"customer": customer, "reward": code}).json()
    order_with(shop.store, redemption["code"])
    back = shop.order(customer, "1002", apply_credits="10.00", apply_points=10)["id"]
    revert = shop.cancel(back, revert_credits=True, revert_points=True).json()["reverts"][0]["id"]
    owed = shop.order(customer, "1003", apply_points=10)["id"]
    shop.cancel(owed)
    hook = {"url": "https://192.88.100.1/y", "events": ["order.cancelled"]}
    endpoint = shop.command("/webhook-endpoints/", hook).json()["id"]
    return {
        "customer": customer,
        "double": double,
        "order": order,
        "cancelled": back,
        "owed": owed,
        "reward": reward,
        "redemption": redemption["id"],
        "revert": revert,
        "endpoint": endpoint,
        "delivery": "1",
        "import": shop.command("/balance-imports/", {"file_name": "x.csv", "size": 5}).json()["id"],
    }


def test_t7_every_command_is_tried() -> None:
    assert {f"{method} {address}" for method, address in _operations()} == set(COMMANDS)


def test_t7_only_credits_write_and_points_write_make_value(shop: Shop, there: dict[str, str]) -> None:
    keys = {scope: with_key(shop.store, (scope,)) for scope in Scope}
    made: dict[str, set[str]] = {}
    carried_out: dict[str, set[str]] = {}
    before = _made()
    for name, body in COMMANDS.items():
        for scope, key in keys.items():
            for path in _paths(name, there):
                with transaction.atomic():
                    status = _send(key, name.partition(" ")[0], path, _filled(body, there))
                    assert status < 500, (name, scope, status)
                    if status < 300:
                        carried_out.setdefault(name, set()).add(scope)
                    after = _made()
                    if status == 403:
                        assert after == before
                    if after > before:
                        made.setdefault(name, set()).add(scope)
                    transaction.set_rollback(True)

    assert made == MAKES
    # Each command is one scope's alone, and each was seen to work, or nothing would be proved.
    assert {name: len(scopes) for name, scopes in carried_out.items()} == dict.fromkeys(carried_out, 1)
    never = set(COMMANDS) - set(carried_out)
    # Merging moves value of both kinds, and an import gives it, so both take three scopes at once.
    several = ("{delivery_id}", "/merge/", "/balance-imports/")
    assert never == {name for name in COMMANDS if any(part in name for part in several)}


@pytest.mark.parametrize("scopes", [("orders:write",), ("orders:write", "settings:write", "orders:cancel")])
def test_t7_orders_written_by_a_small_key_earn_nothing_and_say_why(shop: Shop, scopes: tuple[str, ...]) -> None:
    shop.send("PATCH", "/settings/", {"earning": {"points_per_unit": "1", "on_status": "completed"}})
    ana = shop.customer()
    small = with_key(shop.store, scopes)
    made = small.command("/orders/", {"number": "1", "customer": ana, "total": "900.00", "status": "completed"}).json()
    small.send("PATCH", f"/orders/{made['id']}/", {"tags": ["x"]})
    assert shop.get(f"/customers/{ana}/balance/").json()["points"]["available"] == 0
    events = [row["event"] for row in shop.get(f"/orders/{made['id']}/timeline/").json()["results"]]
    assert "order.points_not_earned" in events

    able = with_key(shop.store, ("orders:write", "points:write"))
    able.command("/orders/", {"number": "2", "customer": ana, "total": "9.00", "status": "completed"})
    assert shop.get(f"/customers/{ana}/balance/").json()["points"]["available"] == 9


def test_t7_rewards_are_the_business_of_who_may_change_settings(shop: Shop) -> None:
    gold = {"name": "Gold", "points": 1, "type": "credits", "value": "100000.00"}
    refused = with_key(shop.store, ("redemptions:write",)).command("/rewards/", gold)
    assert (refused.status_code, refused.json()["scope"]) == (403, "settings:write")
    assert with_key(shop.store, ("settings:write",)).command("/rewards/", gold).status_code == 201


def _paths(name: str, there: dict[str, str]) -> list[str]:
    """The command's address; what works on a cancelled order only is tried on such, too."""
    path = name.partition(" ")[2]
    orders = ("order", "cancelled", "owed") if "{order_id}" in path else ("order",)
    return [
        path.format(order_id=there[order], **{f"{what}_id": there[what] for what in there if what != "order"})
        for order in orders
    ]


def _filled(body: Any, there: dict[str, str]) -> Any:
    if isinstance(body, dict):
        return {name: _filled(value, there) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, there) for value in body]
    return body.format(**there) if isinstance(body, str) else body


def _send(key: Shop, method: str, path: str, body: Any) -> int:
    answer = key.command(path, body) if method == "POST" else key.send(method, path, body)
    return int(answer.status_code)


def _made() -> int:
    """How many movements raised a balance without bringing back what had been spent or paying for points."""
    made = Q(amount__gt=0, redemption__isnull=True, type__in=(MovementType.GRANT, MovementType.ADJUST))
    return CreditMovement.unscoped.filter(made).count() + PointMovement.unscoped.filter(made).count()
