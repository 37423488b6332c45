"""Playing a case: a store as `given` says, signed messages through the real receipt, and the jobs after each."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import time_machine

from loyalty.core.encryption import Secret
from loyalty.jobs.periodic import run_job
from loyalty.platforms.models import InboundDelivery
from tests.books import find_faults
from tests.deliveries import Delivery, connect_store, shopify, shopline, shopline_global, woocommerce
from tests.examples import Shop, open_shop
from tests.factories import make_reward

OPENED: Final = datetime.fromisoformat("2026-04-01T08:00:00Z")
# What runs after each message, in the order in which a message's consequences follow from one another.
JOBS: Final = (
    "orders.process_deliveries",
    "orders.expire_overdue_payments",
    "orders.auto_cancel",
    "orders.evaluate_rules",
)
_CURRENCIES: Final = {"shopify": "EUR", "woocommerce": "EUR", "shopline": "TWD", "shopline_global": "USD"}
_TIMES: Final = ("updated_at", "date_modified_gmt", "created_at")
_ITS_CODE: Final = "<its code>"


@dataclass(frozen=True)
class Spend:
    """What REST records after message number ``after``, on that message's order unless ``order`` names another.

    ``customer`` is the e-mail of a new customer whom the body names; nobody: the one that the order has. Without a
    ``total`` it is the order's own.
    """

    after: int = 1
    credits: str = "0"
    points: int = 0
    order: str = ""
    total: str = ""
    customer: str = ""


@dataclass
class Played:
    """A case in the middle of being played: the shop, what was said, and the moment that it is."""

    shop: Shop
    platform: str
    messages: Sequence[Mapping[str, Any]]
    now: datetime = OPENED
    code: str = ""
    lots: dict[str, str] = field(default_factory=dict)

    def order(self, external_id: str = "") -> dict[str, Any]:
        """The order as REST shows it: the one with this id on the platform, or the only one."""
        found = self.orders(**({"external_id": external_id} if external_id else {}))
        assert len(found) == 1, [delivery.last_error for delivery in InboundDelivery.objects.for_store(self.shop.store)]
        return found[0]

    def orders(self, **filters: str) -> list[dict[str, Any]]:
        """The orders that REST lists."""
        return self._results("/orders/", **filters)

    def timeline(self) -> list[dict[str, Any]]:
        """What happened to the only order, newest first."""
        return self._results(f"/orders/{self.order()['id']}/timeline/")

    def decisions(self) -> list[dict[str, Any]]:
        """What was decided about the only order's value, newest first."""
        return self._results(f"/orders/{self.order()['id']}/decisions/")

    def customer(self, email: str) -> dict[str, Any]:
        """The one customer with this e-mail address."""
        (found,) = self._results("/customers/", email=email)
        return found

    def balance(self, email: str) -> dict[str, Any]:
        """What the customer with this address has: points, and credits by currency."""
        with self.at_its_time():
            held = self.shop.get(f"/customers/{self.customer(email)['id']}/balance/").json()
        return {"points": held["points"]["available"]} | {of["currency"]: of["available"] for of in held["credits"]}

    def wait(self, **time: float) -> None:
        """Let time pass, and the jobs run."""
        self.now += timedelta(**time)
        with self.at_its_time():
            _run_jobs(self.now)

    def say(self, number: int) -> None:
        """Have message ``number``, from 1, arrive; the jobs run."""
        message = self.messages[number - 1]
        said = next((message["body"][name] for name in _TIMES if message["body"].get(name)), None)
        at = OPENED if said is None else datetime.fromisoformat(said if said.endswith("Z") else f"{said}Z")
        self.now = max(self.now + timedelta(minutes=1), at + timedelta(minutes=5))
        body = json.loads(json.dumps(message["body"]).replace(_ITS_CODE, self.code or _ITS_CODE))
        with self.at_its_time():
            assert _delivery(self.platform, message["topic"], body, self.now).send(self.shop.store).status_code == 200
            _run_jobs(self.now)

    def spend(self, spend: Spend) -> None:
        """Record through REST what an order used; whoever it is about is given that much before."""
        order = self.order(spend.order or str(self.messages[spend.after - 1]["body"]["id"]))
        with self.at_its_time():
            customer = self.shop.customer("Ana Lee", spend.customer) if spend.customer else order["customer"]["id"]
            if spend.credits != "0":
                self.shop.give_credits(customer, spend.credits)
            body = {name: order[name] for name in ("number", "external_id", "platform", "currency")}
            body |= {"customer": customer, "total": spend.total or order["total"]}
            body |= {"apply_credits": spend.credits, "apply_points": spend.points}
            answer = self.shop.command("/orders/", body)
        assert answer.status_code == 200, answer.content

    def at_its_time(self) -> time_machine.travel:
        """The clock at the case's moment."""
        return time_machine.travel(self.now, tick=False)

    def _results(self, path: str, **filters: str) -> list[dict[str, Any]]:
        with self.at_its_time():
            answer = self.shop.get(path, **filters)
        assert answer.status_code == 200, answer.content
        results: list[dict[str, Any]] = answer.json()["results"]
        return results


def play(case: Path | Mapping[str, Any], spends: Sequence[Spend], settings: Mapping[str, Any]) -> Played:
    """Play a case, or the one in a file, under `given`'s settings and these; the books are proved at its end."""
    case = json.loads(case.read_text()) if isinstance(case, Path) else case
    with time_machine.travel(OPENED, tick=False):
        played = _open(case, settings)
    for number in range(1, len(played.messages) + 1):
        played.say(number)
        for spend in spends:
            if spend.after == number:
                played.spend(spend)
    assert find_faults(played.shop.store) == []
    return played


def _open(case: Mapping[str, Any], settings: Mapping[str, Any]) -> Played:
    platform, given = case["platform"], case["given"]
    currency = given.get("store_currency", _CURRENCIES[platform])
    shop = open_shop(currency=currency, time_zone="Europe/Berlin")
    # A code is told to a platform that can be called; nothing is asked of it here, for the outbox stays closed.
    connection: dict[str, Any] = given.get("connection", {})
    if "redemption" in given:
        connection |= {"base_url": "https://shop.example.com", "access_token": Secret.of("token")}
    connect_store(shop.store, platform, **connection)
    played = Played(shop, platform, case["messages"])
    answer = shop.send("PATCH", "/settings/", {**given.get("settings", {}), **settings})
    assert answer.status_code == 200, answer.content
    if "customer" in given:
        shop.customer(**{"name": "Ana Lee"} | given["customer"])
    emails = _emails(case["messages"])
    for external_id, points in given.get("points", {}).items():
        shop.give_points(shop.customer(external_id, emails[external_id]), points)
    if "redemption" in given:
        _redeem(played, given["redemption"], emails)
    return played


def _emails(messages: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The addresses of the customers that the messages name, by the platform's ids."""
    customers = [message["body"].get("customer") or {} for message in messages]
    return {str(customer["id"]): customer["email"] for customer in reversed(customers) if "id" in customer}


def _redeem(played: Played, wanted: Mapping[str, Any], emails: Mapping[str, str]) -> None:
    customer = played.shop.customer("Ana Lee", emails[wanted["customer"]])
    played.lots = {
        played.shop.give_points(customer, 200, "2026-12-31"): "200",
        played.shop.give_points(customer, wanted["points"] - 200, "2027-12-31"): "300",
    }
    reward = make_reward(played.shop.store, points=wanted["points"])
    body = {"customer": customer, "reward": str(reward.pk)}
    answer = played.shop.command("/redemptions/", body)
    assert answer.status_code == 201, answer.content
    played.code = answer.json()["code"]


def _run_jobs(now: datetime) -> None:
    for job in JOBS:
        run_job(job, now)


def _delivery(platform: str, topic: str, body: Any, now: datetime) -> Delivery:
    if platform == "shopline":
        return shopline(body, topic, now=now)
    makers: Mapping[str, Callable[..., Delivery]] = {
        "shopify": shopify,
        "woocommerce": woocommerce,
        "shopline_global": shopline_global,
    }
    return makers[platform](body, topic)
