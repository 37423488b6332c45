"""Worked examples carried out through the REST API against a running server, and told step by step."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from loyalty.quickstart.rest import RestClient, RestError

# The demonstration's order of example X2: one lot expired since it was spent, one still valid.
EXTENDED_RETURN = "X2"
VISITOR = {"external_id": "quickstart", "email": "quickstart@example.com", "name": "Quick Start"}


@dataclass(frozen=True, kw_only=True)
class Example:
    """One telling of the examples. ``tell`` is called with each line."""

    client: RestClient
    tell: Callable[[str], None]
    today: date

    def run(self) -> None:
        """Carry out both examples. Raises RestError when the server refuses a step."""
        self.tell("")
        self.tell("1. A customer spends two lots of credits on an order, and the order is cancelled.")
        self._spend_and_cancel()
        self.tell("")
        self.tell(f"2. Order {EXTENDED_RETURN}: one of its lots has expired since, and comes back under a new date.")
        self._extend()

    def _spend_and_cancel(self) -> None:
        customer = self._visitor()
        for amount, expires_on in (("10.00", str(self.today + timedelta(days=30))), ("5.00", None)):
            body = {"amount": amount, "expires_on": expires_on, "reason": "quickstart"}
            lot = self.client.post(f"/customers/{customer}/credits/", body)
            self.tell(f"   granted {_lot(lot)}")
        before = self._available(customer)
        number = f"QS-{len(self._orders(customer=customer)) + 1}"
        order = self.client.post(
            "/orders/", {"number": number, "customer": customer, "total": "40.00", "apply_credits": "15.00"}
        )
        self.tell(
            f"   order {number} of {order['total']} took {order['credits_applied']}: available {before}"
            f" -> {self._available(customer)}"
        )
        answer = self.client.post(f"/orders/{order['id']}/cancel/", {"reason": "customer", "revert_credits": True})
        self._tell_cancel(answer)
        self.tell(f"   available {self._available(customer)}")

    def _visitor(self) -> str:
        known = self.client.get("/customers/", external_id=VISITOR["external_id"])["results"]
        customer = known[0] if known else self.client.post("/customers/", VISITOR)
        return str(customer["id"])

    def _extend(self) -> None:
        order = self._orders(number=EXTENDED_RETURN)[0]
        customer = order["customer"]["id"]
        if order["status"] == "cancelled":
            self.tell(f"   it was cancelled before, at {order['cancelled_at']}; this is how it stands:")
            self._tell_order(order)
        else:
            self._cancel_with_extension(order)
        self._tell_ledger(customer, order["id"])

    def _cancel_with_extension(self, order: dict[str, Any]) -> None:
        choice = {"reason": "customer", "revert_credits": True, "extend": {"credits": {"days": 30}}}
        plan = self.client.post(f"/orders/{order['id']}/cancel/preview/", choice)
        self.tell(f"   used {order['credits_applied']}; available before {self._available(order['customer']['id'])}")
        answer = self.client.post(f"/orders/{order['id']}/cancel/", choice | {"preview_token": plan["preview_token"]})
        self._tell_cancel(answer)

    def _orders(self, **filters: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.get("/orders/", limit="200", **filters)["results"]
        return found

    def _available(self, customer: str) -> str:
        """What the customer can spend now; "0.00" where there never was a lot."""
        credits = self.client.get(f"/customers/{customer}/balance/")["credits"]
        return ", ".join(f"{one['available']} {one['currency']}" for one in credits) or "0.00"

    def _tell_cancel(self, answer: dict[str, Any]) -> None:
        for revert in answer["reverts"]:
            self.tell(f"   cancelled: {revert['amount']} of {revert['applied']} {revert['kind']} are back")
            for lot in revert["lots"]:
                self.tell(f"     {lot['amount']} {lot['outcome']}, valid to {lot['expires_on'] or 'no end'}")
        self._tell_order(answer["order"])

    def _tell_order(self, order: dict[str, Any]) -> None:
        self.tell(
            f"   order {order['number']}: {order['status']}, Credit Revert Status {order['credit_revert_status']}"
            f" ({order['credits_reverted']} of {order['credits_applied']}), {order['completeness']}"
        )

    def _tell_ledger(self, customer: str, order: str) -> None:
        self.tell(f"   available {self._available(customer)}")
        for lot in self.client.get(f"/customers/{customer}/credit-lots/")["results"]:
            self.tell(f"     lot {_lot(lot)}, remaining {lot['remaining']}{', expired' if lot['expired'] else ''}")
        for movement in self.client.get(f"/customers/{customer}/credit-movements/", order=order)["results"]:
            self.tell(f"     {movement['created_at']}  {movement['type']:<8} {movement['amount']:>10}")


def client_of_examples(address: str, keys: Iterable[str]) -> RestClient:
    """The client whose store holds the examples."""
    for key in keys:
        client = RestClient(address=address, key=key)
        if client.get("/orders/", number=EXTENDED_RETURN)["results"]:
            return client
    message = f"No store of the demonstration has an order {EXTENDED_RETURN}."
    raise RestError(message)


def _lot(lot: dict[str, Any]) -> str:
    return f"{lot['granted']} {lot['currency']}, valid to {lot['expires_on'] or 'no end'}"
