"""The worked example's order, the form as a browser sends it, and what stands in the database afterwards."""

from datetime import date
from html.parser import HTMLParser
from typing import Any

from django.test import Client

from credits.models import CreditLot
from loyalty.stores.models import Role, Store, User
from orders.models import Order
from tests.addresses import reverse
from tests.factories import grant, make_customer, make_order, make_store, make_user

EXPIRED = date(2026, 1, 1)
VALID = date(2026, 3, 20)


def x1_order(store: Store, *, both_expired: bool = False, points: int = 0, number: str = "1001") -> Order:
    """Ana Lee's order: 10.00 of a lot that expired on 1 January, 5.00 of one valid to 20 March (X1, X3)."""
    ana = make_customer(store, name="Ana Lee", email=f"ana-{number}@example.org")
    grant("credits", ana, "10.00", until=EXPIRED)
    grant("credits", ana, "5.00", until=date(2026, 1, 2) if both_expired else VALID)
    if points:
        grant("points", ana, points)
    return make_order(ana, credits="15.00", points=points, number=number)


def staff(store: Store, role: Role = Role.SUPPORT) -> tuple[Client, User]:
    """Somebody signed in, with CSRF checks left to the tests that ask for them."""
    user = make_user((store, role))
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client, user


def store_and_staff(role: Role = Role.SUPPORT) -> tuple[Store, Client]:
    """A store and somebody who works there."""
    store = make_store()
    return store, staff(store, role)[0]


def address(order: Order) -> str:
    """The form's address."""
    return reverse("admin:orders_order_cancel", args=[order.pk])


class FormReader(HTMLParser):
    """Reads the one form with a token out of a page, as a browser would send it."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.inside = False
        self.select = self.area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        name, value = named.get("name") or "", named.get("value") or ""
        if tag == "section" and "data-cancel-form" in named:
            self.inside = True
        if not self.inside:
            return
        if tag == "input" and (named.get("type") != "checkbox" or "checked" in named):
            self.fields[name] = value or ("on" if named.get("type") == "checkbox" else "")
        elif tag == "select":
            self.select = name
            self.fields[name] = ""
        elif tag == "option" and "selected" in named:
            self.fields[self.select] = value
        elif tag == "textarea":
            self.area = name
            self.fields[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.area = ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.fields[self.area] += data.strip()


def fields_of(response: Any) -> dict[str, str]:
    """What the shown form would send, but its buttons."""
    reader = FormReader()
    reader.feed(response.content.decode())
    return reader.fields


def send(client: Client, order: Order, fields: dict[str, str], *, button: str = "_confirm", **headers: Any) -> Any:
    """Press a button of the form."""
    return client.post(address(order), fields | {button: "1"}, headers=headers or None)


def expired_ref(client: Client, order: Order) -> str:
    """The reference of the expired lot's allocation."""
    names = fields_of(client.get(address(order)))
    return next(name.removeprefix("days_") for name in names if name.startswith("days_"))


def credit_lots(order: Order) -> list[tuple[Any, Any]]:
    """The customer's credit lots in order of their making: granted and remaining."""
    lots = CreditLot.objects.for_store(order.store).filter(customer=order.customer_id).order_by("pk")
    return [(lot.granted, lot.remaining) for lot in lots]
