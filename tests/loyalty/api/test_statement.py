"""A customer's statement over REST."""

from typing import Any

import pytest

from loyalty.ledger import statement as statements
from loyalty.stores.models import Customer, Store
from tests.loyalty.api.support import ApiClient, ClientFor
from tests.loyalty.api.test_ledger import give


def read(api: ApiClient, customer: Customer, first: str = "2026-01-01", last: str = "2026-01-31") -> Any:
    return api.read(f"/customers/{customer.pk}/statement/", **{"from": first, "to": last})


def test_opening_movements_and_closing_of_each_kind(api: ApiClient, customer: Customer, clock: Any) -> None:
    give(api, customer, amount="50.00", expires_on="2026-01-10")
    give(api, customer, "points", amount=30)
    clock.move_to("2026-01-08T03:00:00Z")
    give(api, customer, amount="-20.00", reason="mistake")
    clock.move_to("2026-02-02T03:00:00Z")
    body = read(api, customer).json()
    assert (body["customer"], body["from"], body["to"]) == (str(customer.pk), "2026-01-01", "2026-01-31")
    (usd,) = body["credits"]
    assert (usd["currency"], usd["opening"], usd["closing"]) == ("USD", "0.00", "0.00")
    assert [(line["type"], line["amount"], line["balance_after"]) for line in usd["movements"]] == [
        ("grant", "50.00", "50.00"),
        ("adjust", "-20.00", "30.00"),
        ("expire", "-30.00", "0.00"),
    ]
    lapsed = usd["movements"][2]
    assert (lapsed["id"], lapsed["created_at"], lapsed["effective_at"]) == (None, None, "2026-01-10T16:00:00Z")
    assert lapsed["actor"] == {"type": "job", "id": "credits.expire_lots", "name": "Job credits.expire_lots"}
    assert usd["movements"][1]["reason"] == "mistake"
    assert body["points"]["opening"] == 0
    assert (body["points"]["movements"][0]["amount"], body["points"]["closing"]) == (30, 30)
    later = read(api, customer, "2026-01-10", "2026-01-10").json()
    assert (later["credits"][0]["opening"], later["credits"][0]["closing"]) == ("30.00", "30.00")
    as_of = api.read(f"/customers/{customer.pk}/balance/", as_of="2026-01-10T23:59:59+08:00").json()
    assert as_of["credits"][0]["available"] == "30.00"


def test_nobody_with_nothing_has_a_statement_of_nothing(api: ApiClient, customer: Customer) -> None:
    body = read(api, customer).json()
    assert body["credits"] == [{"currency": "USD", "opening": "0.00", "movements": [], "closing": "0.00"}]
    assert body["points"] == {"opening": 0, "movements": [], "closing": 0}


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({}, "from"),
        ({"from": "2026-01-01"}, "to"),
        ({"from": "2026-02-30", "to": "2026-03-01"}, "from"),
        ({"from": "2026-01-02", "to": "2026-01-01"}, "to"),
        ({"from": "0001-01-01", "to": "2026-01-01"}, "from"),
        ({"from": "2026-01-01", "to": "9999-12-31"}, "to"),
        ({"from": "2026-01-01", "to": "2026-01-02", "kind": "points"}, "kind"),
    ],
)
def test_a_wrong_period_is_named(api: ApiClient, customer: Customer, parameters: dict[str, str], named: str) -> None:
    answer = api.read(f"/customers/{customer.pk}/statement/", **parameters)
    assert (answer.status_code, answer.json()["parameter"]) == (400, named)


def test_too_many_movements_ask_for_a_shorter_period(
    api: ApiClient, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        give(api, customer, "points", amount=1)
    monkeypatch.setattr(statements, "MOST_LINES", 1)
    answer = read(api, customer)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-parameter")


def test_t3_the_scope_is_ledger_read(store: Store, customer: Customer, client_for: ClientFor) -> None:
    assert read(client_for(store, ["customers:read"]), customer).status_code == 403
    assert read(client_for(store, ["ledger:read"]), customer).status_code == 200


def test_t1_an_outsiders_customer_is_unknown(foreign_api: ApiClient, customer: Customer) -> None:
    assert read(foreign_api, customer).status_code == 404
