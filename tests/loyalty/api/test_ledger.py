"""Balances, lots, movements, giving and removing over REST."""

from datetime import timedelta
from typing import Any

import pytest

from credits.models import CreditMovement
from loyalty.notices.models import Notice
from loyalty.stores.models import Customer, SettingsVersion, Store
from points.models import PointLot
from tests.loyalty.api.support import NOW, ApiClient


def give(api: ApiClient, customer: Customer, kind: str = "credits", **body: Any) -> Any:
    """Give value; answers the response."""
    return api.command(f"/customers/{customer.pk}/{kind}/", {"reason": "gift"} | body)


def balance(api: ApiClient, customer: Customer, **parameters: str) -> Any:
    """The balance as JSON."""
    return api.read(f"/customers/{customer.pk}/balance/", **parameters).json()


def test_l6_credits_given_are_a_lot(api: ApiClient, customer: Customer) -> None:
    response = give(api, customer, amount="50", expires_on="2026-03-20", note="called in")
    assert response.status_code == 201
    lot = response.json()
    assert lot == {
        "id": lot["id"], "granted": "50.00", "remaining": "50.00", "currency": "USD",
        "granted_at": "2026-01-05T03:00:00Z",
        "expires_on": "2026-03-20", "expires_at": "2026-03-20T16:00:00Z", "origin": "grant", "expired": False,
        "extended_from": None,
    }  # fmt: skip
    assert api.read(f"/customers/{customer.pk}/credit-lots/").json()["results"] == [lot]


def test_l6_credits_removed_are_movements(api: ApiClient, customer: Customer) -> None:
    give(api, customer, amount="5.00", expires_on="2026-02-01")
    give(api, customer, amount=10)
    response = give(api, customer, amount="-7.50", reason="mistake")
    assert response.status_code == 201
    first, second = response.json()
    assert (first["amount"], first["balance_after"], first["expires_on"]) == ("-5.00", "10.00", "2026-02-01")
    assert (second["amount"], second["balance_after"], second["expires_on"]) == ("-2.50", "7.50", None)
    assert second["type"] == "adjust"
    assert second["reason"] == "mistake"
    assert second["actor"]["type"] == "api_key"
    history = api.read(f"/customers/{customer.pk}/credit-movements/").json()["results"]
    assert history[:2] == [second, first]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"amount": "0"}, "/amount", "zero"),
        ({"amount": "0.001"}, "/amount", "too-fine"),
        ({"amount": 10.005}, "/amount", "too-fine"),
        ({"amount": "1000000000000"}, "/amount", "too-many-digits"),
        ({"amount": "1" * 60}, "/amount", "invalid"),
        ({"amount": "1e5"}, "/amount", "invalid"),
        ({"amount": "NaN"}, "/amount", "invalid"),
        ({"amount": True}, "/amount", "invalid"),
        ({"amount": None}, "/amount", "null"),
        ({}, "/amount", "required"),
        ({"amount": "1", "reason": ""}, "/reason", "blank"),
        ({"amount": "1", "reason": "x" * 201}, "/reason", "too-long"),
        ({"amount": "1", "currency": "usd"}, "/currency", "unknown-currency"),
        ({"amount": "1", "expires_on": "2026-01-04"}, "/expires_on", "in-the-past"),
        ({"amount": "1", "expires_on": "2026-02-30"}, "/expires_on", "invalid"),
        ({"amount": "1", "expires_on": "9999-12-31"}, "/expires_on", "too-far"),
        ({"amount": "1", "expires": "2026-02-01"}, "/expires", "unknown-field"),
        ({"amount": "-1"}, "/amount", "insufficient-balance"),
    ],
)
def test_bad_amounts_and_days_are_422_at_their_pointer(
    api: ApiClient, customer: Customer, body: Any, pointer: str, code: str
) -> None:
    response = give(api, customer, **body)
    assert response.status_code == 422
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [(pointer, code)]
    assert not CreditMovement.objects.for_store(customer.store).exists()


def test_h3_the_customer_is_told_where_the_body_says_so(api: ApiClient, customer: Customer) -> None:
    Customer.unscoped.filter(pk=customer.pk).update(email="ana@example.org")
    give(api, customer, amount="5")
    assert not Notice.unscoped.exists()
    assert give(api, customer, amount="5.50", notify_customer=True, note="mine").status_code == 201
    assert give(api, customer, amount="-99", notify_customer=True).status_code == 422
    notice = Notice.objects.for_store(customer.store).get()
    assert "- Given to you: 5.50 USD, valid without end\n\nYou now have 10.50 USD." in notice.text
    assert "mine" not in notice.text


def test_amounts_have_the_currencys_decimals(api: ApiClient, customer: Customer) -> None:
    assert give(api, customer, amount="5", currency="JPY").json()["granted"] == "5"
    assert give(api, customer, amount="5.5", currency="KWD").json()["granted"] == "5.500"
    assert give(api, customer, amount="5.5", currency="JPY").status_code == 422
    shown = balance(api, customer)["credits"]
    assert [(row["currency"], row["available"]) for row in shown] == [("USD", "0.00"), ("JPY", "5"), ("KWD", "5.500")]


@pytest.mark.parametrize("amount", ["100", 1.5, True, 0, None, 10**12])
def test_points_are_whole_numbers(api: ApiClient, customer: Customer, amount: Any) -> None:
    response = give(api, customer, "points", amount=amount)
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/amount")


def test_l7_points_follow_the_scheme_unless_null_is_said(api: ApiClient, customer: Customer, store: Store) -> None:
    data = {"points_expiry": {"scheme": "yearly", "month": 12, "day": 31}}
    SettingsVersion.unscoped.create(store=store, version=1, data=data, actor="", created_at=NOW)
    assert give(api, customer, "points", amount=100).json()["expires_on"] == "2027-12-31"
    assert give(api, customer, "points", amount=100, expires_on=None).json()["expires_on"] is None
    assert give(api, customer, "points", amount=100, expires_on="2026-01-05").json()["expires_on"] == "2026-01-05"
    assert "currency" not in give(api, customer, "points", amount=1).json()


def test_balance_says_what_expires_next_and_what_there_was(api: ApiClient, customer: Customer, clock: Any) -> None:
    assert balance(api, customer) == {
        "credits": [{"currency": "USD", "available": "0.00", "expiring_next": None}],
        "points": {"available": 0, "expiring_next": None},
    }
    give(api, customer, amount="10.00", expires_on="2026-01-06")
    give(api, customer, amount="5.00", expires_on="2026-01-06")
    give(api, customer, amount="1.00")
    give(api, customer, "points", amount=7)
    (credit,) = balance(api, customer)["credits"]
    assert credit["available"] == "16.00"
    assert credit["expiring_next"] == {"amount": "15.00", "expires_on": "2026-01-06"}
    clock.shift(timedelta(days=2))
    assert balance(api, customer)["credits"][0] == {"currency": "USD", "available": "1.00", "expiring_next": None}
    give(api, customer, amount="-1.00")
    before = balance(api, customer, as_of="2026-01-06T12:00:00+08:00")
    assert before["credits"][0]["available"] == "16.00"
    assert before["points"]["available"] == 7
    assert balance(api, customer, as_of="2026-01-05T02:59:59Z")["credits"][0]["available"] == "0.00"
    assert balance(api, customer, as_of="2026-01-07T00:00:00+08:00")["credits"][0]["available"] == "1.00"
    assert api.read(f"/customers/{customer.pk}/balance/", as_of="2026-01-06T12:00:00").status_code == 400


def test_l2_lots_by_state(api: ApiClient, customer: Customer, clock: Any) -> None:
    ends = give(api, customer, "points", amount=1, expires_on="2026-01-05").json()["id"]
    spent = give(api, customer, "points", amount=2, expires_on="2026-02-05").json()["id"]
    kept = give(api, customer, "points", amount=3).json()["id"]
    clock.shift(timedelta(days=1))
    give(api, customer, "points", amount=-2)

    def found(state: str) -> list[str]:
        return [row["id"] for row in api.read(f"/customers/{customer.pk}/point-lots/", state=state).json()["results"]]

    assert (found("open"), found("expired"), found("spent")) == ([kept], [ends], [spent])
    assert found("expired,open") == [kept, ends]
    response = api.read(f"/customers/{customer.pk}/point-lots/", state="closed")
    assert (response.status_code, response.json()["parameter"]) == (400, "state")


def test_movement_filters(api: ApiClient, customer: Customer, clock: Any) -> None:
    give(api, customer, amount="5")
    clock.shift(timedelta(hours=1))
    give(api, customer, amount="-1")

    def types(**parameters: str) -> list[str]:
        path = f"/customers/{customer.pk}/credit-movements/"
        return [row["type"] for row in api.read(path, **parameters).json()["results"]]

    assert types() == ["adjust", "grant"]
    assert types(type="grant,spend") == ["grant"]
    assert types(created_after="2026-01-05T04:00:00Z") == ["adjust"]
    assert types(created_before="2026-01-05T12:00:00+08:00") == ["grant"]
    assert types(order="4711") == types(order="x") == []
    path = f"/api/v1/customers/{customer.pk}/credit-movements/"
    assert len(api.get(f"{path}?created_before=2026-01-05T12:00:00+08:00").json()["results"]) == 1
    for parameter, value in (
        ("type", "gift"),
        ("created_after", "2026-01-05"),
        ("created_after", "2026-01-05T00:00:00"),
    ):
        response = api.get(f"{path}?{parameter}={value}")
        assert (response.status_code, response.json()["parameter"]) == (400, parameter)


@pytest.mark.parametrize(("kind", "path"), [("credits", "credit"), ("points", "point")])
def test_lists_take_the_same_statements_for_1_and_3(
    api: ApiClient, customer: Customer, kind: str, path: str, django_assert_num_queries: Any
) -> None:
    give(api, customer, kind, amount=5)
    for _ in range(2):
        with django_assert_num_queries(3):
            api.read(f"/customers/{customer.pk}/{path}-lots/")
        with django_assert_num_queries(5):
            api.read(f"/customers/{customer.pk}/{path}-movements/")
        with django_assert_num_queries(5):
            api.read(f"/customers/{customer.pk}/balance/")
        give(api, customer, kind, amount=5)
        give(api, customer, kind, amount=5)


def test_t1_the_outsider_sees_nothing(foreign_api: ApiClient, api: ApiClient, customer: Customer) -> None:
    give(api, customer, "points", amount=5)
    assert foreign_api.read("/customers/").json()["results"] == []
    assert give(foreign_api, customer, "points", amount=5).status_code == 404
    assert PointLot.unscoped.count() == 1
