"""The pages *Expiring soon* and *Statement* (L2, L5, T1)."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from loyalty.ledger import statement as statements
from loyalty.ledger.expire import expire_lots
from loyalty.stores.models import Customer, Role, Store
from orders.kinds import LEDGERS
from tests.addresses import reverse
from tests.factories import NOW, grant, make_customer, make_order, make_store
from tests.orders.admin.reverts.cases import staff, store_and_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]
PAGE = "admin:stores_customer_expiring"
# In Taipei it is the fifth of January.
TODAY = date(2026, 1, 5)


@pytest.fixture
def shop() -> tuple[Store, Client]:
    return store_and_staff(Role.VIEWER)


def show(client: Client, **parameters: str) -> Any:
    answer = client.get(reverse(PAGE), parameters)
    assert answer.status_code == 200
    return answer.context


def figures(context: Any) -> list[str]:
    return [total["figure"] for total in context["totals"]]


def test_l2_the_next_days_include_their_last_one(shop: tuple[Store, Client]) -> None:
    store, client = shop
    ana, ben = make_customer(store, name="Ana"), make_customer(store, name="Ben")
    grant("credits", ana, "5.00", until=TODAY)
    grant("credits", ben, "7.00", until=TODAY + timedelta(days=7))
    grant("credits", ana, "11.00", until=TODAY + timedelta(days=8))
    grant("credits", ana, "13.00")
    grant("credits", ana, "17.00", until=TODAY - timedelta(days=1))
    grant("points", ana, 40, until=TODAY + timedelta(days=60))
    week = show(client, days="7")
    assert figures(week) == ["12.00 USD", "0 points"]
    assert [(row["customer"], row["amount"], row["left"]) for row in week["rows"]] == [
        (ana, "5.00 USD", "today"),
        (ben, "7.00 USD", "in 7 days"),
    ]
    assert figures(show(client)) == ["23.00 USD", "0 points"]
    assert figures(show(client, days="90")) == ["23.00 USD", "40 points"]
    points = show(client, days="90", kind="points")
    assert [(row["amount"], row["until"]) for row in points["rows"]] == [("40 points", "Mar 6, 2026")]


def test_by_customer_the_largest_first(shop: tuple[Store, Client]) -> None:
    store, client = shop
    ana, ben = make_customer(store, name="Ana"), make_customer(store, name="Ben")
    for amount in ("5.00", "6.00"):
        grant("credits", ana, amount, until=TODAY + timedelta(days=2))
    grant("credits", ben, "20.00", until=TODAY + timedelta(days=3))
    grant("credits", ben, "900", currency="JPY", until=TODAY + timedelta(days=3))
    rows = show(client, view="customers")["rows"]
    assert [(row["customer"], row["amount"], row["lots"]) for row in rows] == [
        (ben, "900 JPY", 1),
        (ben, "20.00 USD", 1),
        (ana, "11.00 USD", 2),
    ]
    assert figures(show(client)) == ["900 JPY + 31.00 USD", "0 points"]


def test_l5_what_was_lost_counts_before_it_is_booked(shop: tuple[Store, Client]) -> None:
    store, client = shop
    ana = make_customer(store, name="Ana")
    grant("credits", ana, "5.00", until=TODAY - timedelta(days=1))
    grant("credits", ana, "6.00", until=TODAY + timedelta(days=1))
    before = show(client, view="lost")
    assert (figures(before), before["rows"]) == (["5.00 USD", "0 points"], [])
    expire_lots(LEDGERS["credits"], NOW)
    after = show(client, view="lost")
    assert figures(after) == ["5.00 USD", "0 points"]
    assert [(row["customer"], row["amount"], row["until"]) for row in after["rows"]] == [
        (ana, "5.00 USD", "Jan 4, 2026")
    ]


def test_other_days_and_wrong_ones(shop: tuple[Store, Client]) -> None:
    store, client = shop
    ana = make_customer(store)
    for days in (1, 40, 100):
        grant("points", ana, days, until=TODAY + timedelta(days=days))
    some = show(client, kind="points", first="2026-02-01", last="2026-02-28")
    assert [row["amount"] for row in some["rows"]] == ["40 points"]
    assert [row["amount"] for row in show(client, kind="points", first="2026-02-01")["rows"]] == [
        "40 points",
        "100 points",
    ]
    wrong = show(client, kind="points", first="2026-02-31", days="8")
    assert wrong["form"].errors.keys() == {"first", "days"}
    assert [row["amount"] for row in wrong["rows"]] == ["1 point"]


def test_nothing_expires_says_what_to_do(shop: tuple[Store, Client]) -> None:
    page = shop[1].get(reverse(PAGE)).content.decode()
    assert "Nothing expires in the next 30 days" in page
    assert reverse("admin:stores_settingsversion_notices") in page


def test_pages_keep_what_was_chosen(shop: tuple[Store, Client], monkeypatch: pytest.MonkeyPatch) -> None:
    store, client = shop
    monkeypatch.setattr("orders.admin.customers.expiring_page._PER_PAGE", 1)
    ana = make_customer(store)
    for points in (1, 2, 3):
        grant("points", ana, points, until=TODAY + timedelta(days=points))
    first = show(client, kind="points", days="7")
    assert first["next"] == "?kind=points&days=7&page=2"
    second = client.get(reverse(PAGE) + first["next"]).context
    assert [row["amount"] for row in second["rows"]] == ["2 points"]
    assert (second["previous"], second["next"]) == ("?kind=points&days=7&page=1", "?kind=points&days=7&page=3")
    assert show(client, kind="points", page="x")["rows"] == first["rows"]


def test_t1_another_stores_value_is_not_shown(shop: tuple[Store, Client]) -> None:
    other = make_customer(make_store(), name="Somebody Else")
    grant("credits", other, "5.00", until=TODAY)
    for view in ("lots", "customers", "lost"):
        context = show(shop[1], view=view)
        assert (figures(context), context["rows"]) == (["0.00 USD", "0 points"], [])


def statement_of(client: Client, customer: Customer, **days: str) -> Any:
    return client.get(reverse("admin:stores_customer_statement", args=[customer.pk]), days)


def test_a_statement_adds_up_and_prints(shop: tuple[Store, Client]) -> None:
    store, client = shop
    ana = make_customer(store, name="Ana")
    grant("credits", ana, "50.00", until=date(2026, 1, 3), now=NOW - timedelta(days=10))
    make_order(ana, credits="20.00", number="1001", now=NOW - timedelta(days=5))
    usual = statement_of(client, ana)
    credit, points = usual.context["accounts"]
    assert (credit["opening"], credit["closing"]) == ("30.00 USD", "0.00 USD")
    assert [(line["type"], line["amount"], line["balance"]) for line in credit["lines"]] == [
        ("Expired", "−30.00 USD", "0.00 USD")
    ]
    assert (points["opening"], points["lines"], points["closing"]) == ("0 points", [], "0 points")
    december = statement_of(client, ana, first="2025-12-01", last="2025-12-31").context["accounts"][0]
    assert [(line["amount"], str(line["order"])) for line in december["lines"]] == [
        ("+50.00 USD", "None"),
        ("−20.00 USD", "1001"),
    ]
    assert 'media="print"' in usual.content.decode()
    page = client.get(reverse("admin:stores_customer_change", args=[ana.pk])).content.decode()
    assert reverse("admin:stores_customer_statement", args=[ana.pk]) in page


@pytest.mark.parametrize(
    ("days", "field"),
    [
        ({"first": "2026-01-31", "last": "2026-01-01"}, "last"),
        ({"first": "2026-01-32", "last": "2026-02-01"}, "first"),
        ({"first": "0001-01-01", "last": "2026-02-01"}, "first"),
        ({"first": "2026-01-01", "last": "9999-12-31"}, "last"),
        ({"first": "2026-01-01"}, "last"),
    ],
)
def test_wrong_days_are_named(shop: tuple[Store, Client], days: dict[str, str], field: str) -> None:
    answer = statement_of(shop[1], make_customer(shop[0]), **days)
    assert answer.context["form"].errors.keys() == {field}
    assert answer.context["accounts"] == []


def test_a_period_that_is_too_long_says_so(shop: tuple[Store, Client], monkeypatch: pytest.MonkeyPatch) -> None:
    ana = make_customer(shop[0])
    for _ in range(2):
        grant("points", ana, 1, now=NOW)
    monkeypatch.setattr(statements, "MOST_LINES", 1)
    assert "too long for one statement" in statement_of(shop[1], ana).content.decode()


def test_t1_an_outsiders_customer_has_no_statement(shop: tuple[Store, Client]) -> None:
    outsider, _ = staff(make_store(), Role.OWNER)
    assert statement_of(outsider, make_customer(shop[0])).status_code == 404
