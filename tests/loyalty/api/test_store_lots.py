"""Lots of all customers, and what expires before when."""

from typing import Any

import pytest

from loyalty.stores.models import Customer, Store
from tests.loyalty.api.support import ApiClient, ClientFor, make_customer
from tests.loyalty.api.test_ledger import give

KINDS = {"credits": "credit-lots", "points": "point-lots"}


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


@pytest.mark.parametrize("kind", KINDS)
def test_lots_of_all_customers_newest_first(api: ApiClient, store: Store, customer: Customer, kind: str) -> None:
    other = make_customer(store, email="ben@example.org", name="Ben")
    lots = [give(api, who, kind, amount=5, expires_on=None).json() for who in (customer, other, customer)]
    answer = api.read(f"/{KINDS[kind]}/", limit=2)
    assert ids(answer) == [lots[2]["id"], lots[1]["id"]]
    assert answer.json()["results"][1] == lots[1] | {"customer": str(other.pk)}
    assert ids(api.get(answer.json()["next"])) == [lots[0]["id"]]
    assert ids(api.read(f"/{KINDS[kind]}/", customer=other.pk)) == [lots[1]["id"]]
    assert ids(api.read(f"/{KINDS[kind]}/", customer="987654321")) == []


@pytest.mark.parametrize("kind", KINDS)
def test_l2_expires_before_is_an_instant_or_a_day_of_the_store(api: ApiClient, customer: Customer, kind: str) -> None:
    soon = give(api, customer, kind, amount=5, expires_on="2026-01-31").json()["id"]
    later = give(api, customer, kind, amount=5, expires_on="2026-02-01").json()["id"]
    give(api, customer, kind, amount=5, expires_on=None)
    for address in (f"/{KINDS[kind]}/", f"/customers/{customer.pk}/{KINDS[kind]}/"):
        assert ids(api.read(address, expires_before="2026-02-01")) == [soon]
        assert ids(api.read(address, expires_before="2026-01-31")) == []
        assert ids(api.read(address, expires_before="2026-02-01T00:00:00+08:00")) == [soon]
        assert ids(api.read(address, expires_before="2026-01-31T23:59:59+08:00")) == []
        assert ids(api.read(address, expires_before="2026-02-02")) == [later, soon]


def test_l2_state_and_expiry_together(api: ApiClient, customer: Customer, clock: Any) -> None:
    lapsed = give(api, customer, amount=5, expires_on="2026-01-05").json()["id"]
    spent = give(api, customer, amount=5, expires_on="2026-01-08").json()["id"]
    left = give(api, customer, amount=5, expires_on="2026-01-09").json()["id"]
    clock.move_to("2026-01-06T03:00:00Z")
    give(api, customer, amount="-5.00")
    soon = {"expires_before": "2026-02-01"}
    assert ids(api.read("/credit-lots/", state="open", **soon)) == [left]
    assert ids(api.read("/credit-lots/", state="expired", **soon)) == [lapsed]
    assert ids(api.read("/credit-lots/", state="spent", **soon)) == [spent]
    assert ids(api.read("/credit-lots/", state="open,expired", **soon)) == [left, lapsed]


@pytest.mark.parametrize("value", ["tomorrow", "2026-02-30", "2026-02-01T00:00:00", ""])
def test_a_wrong_moment_is_named(api: ApiClient, value: str) -> None:
    answer = api.read("/point-lots/", expires_before=value)
    assert (answer.status_code, answer.json()["parameter"]) == (400, "expires_before")


@pytest.mark.parametrize("address", KINDS.values())
def test_t3_the_scope_is_ledger_read(store: Store, client_for: ClientFor, address: str) -> None:
    assert client_for(store, ["customers:read"]).read(f"/{address}/").status_code == 403
    assert client_for(store, ["ledger:read"]).read(f"/{address}/").status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_t1_the_outsider_sees_nothing(api: ApiClient, foreign_api: ApiClient, customer: Customer, kind: str) -> None:
    give(api, customer, kind, amount=5, expires_on="2026-01-31")
    assert ids(foreign_api.read(f"/{KINDS[kind]}/")) == []
    assert ids(foreign_api.read(f"/{KINDS[kind]}/", customer=customer.pk)) == []
    assert ids(foreign_api.read(f"/{KINDS[kind]}/", expires_before="2030-01-01")) == []


def test_at_most_eight_statements_whatever_the_page(
    api: ApiClient, customer: Customer, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        give(api, customer, "points", amount=5)
    with django_assert_max_num_queries(8):
        api.read("/point-lots/")
