"""Customers over REST."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction

from loyalty.customers.identify import CustomerFacts, identify
from loyalty.stores.models import Customer, Store
from tests.factories import NOW
from tests.loyalty.api.support import ApiClient, make_customer


def test_a_customer_is_added_read_and_changed(api: ApiClient) -> None:
    body = {"external_id": "c1", "email": "a@example.org", "name": "Ana", "phone": "1", "locale": "en"}
    added = api.send("POST", "/customers/", body)
    assert added.status_code == 201
    customer = added.json()
    assert added["Location"].endswith(f"/api/v1/customers/{customer['id']}/")
    assert isinstance(customer["id"], str)
    assert customer.items() >= body.items()
    assert api.read(f"/customers/{customer['id']}/").json() == customer
    changed = api.send("PATCH", f"/customers/{customer['id']}/", {"name": "Anna", "external_id": None})
    assert changed.json() == customer | {"name": "Anna", "external_id": None}


def test_o7_somebody_whom_a_platform_told_of_is_not_added_again(api: ApiClient, store: Store) -> None:
    with transaction.atomic():
        ana = identify(store, CustomerFacts("7001", "ana@example.com", "Ana Lee", platform="shopify"), now=NOW)
    assert ana is not None
    body = {"external_id": "crm-9", "email": " ANA@Example.com", "name": "Ana Maria", "phone": "0912"}
    answered = api.send("POST", "/customers/", body)
    assert answered.status_code == 200
    known = answered.json()
    assert (known["id"], known["external_id"], known["platform_ids"]) == (str(ana.pk), "crm-9", {"shopify": "7001"})
    assert (known["name"], known["phone"]) == ("Ana Lee", "0912")
    # A second number of the store's own is somebody else, and so is whoever comes without a number.
    assert api.send("POST", "/customers/", body | {"external_id": "crm-10"}).status_code == 201
    assert api.send("POST", "/customers/", {"email": "ana@example.com", "name": "Ana"}).status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/email", "required"),
        ({"email": "x"}, "/email", "invalid"),
        ({"name": "A", "colour": 1}, "/colour", "unknown-field"),
        ({"name": "x" * 201}, "/name", "too-long"),
        ({"name": None}, "/name", "null"),
        ({"external_id": ""}, "/external_id", "blank"),
        ({"external_id": "taken"}, "/external_id", "not-unique"),
        ({"name": "a\u0000b"}, "/name", "invalid"),
        ({"name": ["A"]}, "/name", "invalid"),
    ],
)
def test_bad_bodies_name_the_field(api: ApiClient, store: Store, body: Any, pointer: str, code: str) -> None:
    make_customer(store, external_id="taken")
    response = api.send("POST", "/customers/", body)
    assert response.status_code == 422
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [(pointer, code)]
    assert Customer.objects.for_store(store).count() == 1


def test_filters(api: ApiClient, store: Store, foreign_customer: Customer) -> None:
    ana = make_customer(store, external_id="A", email="Ana@Example.org", name="Ana Lee", phone="0912")
    bob = make_customer(store, external_id="B", email="bob@example.org", name="Bob")

    def found(**parameters: str) -> list[str]:
        return [row["id"] for row in api.read("/customers/", **parameters).json()["results"]]

    assert found() == [str(bob.pk), str(ana.pk)]
    assert found(email="ana@example.ORG") == [str(ana.pk)]
    assert found(external_id="B") == [str(bob.pk)]
    assert found(search="lee") == found(search="0912") == [str(ana.pk)]
    assert found(search="nobody") == []
    assert api.read("/customers/", email="").status_code == 400


def test_o7_platform_ids_are_shown_found_and_not_written(api: ApiClient, store: Store) -> None:
    facts = CustomerFacts("7001", "ana@example.org", "Ana", platform="shopify")
    with transaction.atomic():
        ana = identify(store, facts, now=NOW)
        identify(store, replace(facts, platform="woocommerce", external_id="26"), now=NOW)
    assert ana is not None
    make_customer(store, external_id="26")

    def found(**parameters: str) -> list[str]:
        return [row["id"] for row in api.read("/customers/", **parameters).json()["results"]]

    shown = api.read(f"/customers/{ana.pk}/").json()
    assert (shown["external_id"], shown["platform_ids"]) == (None, {"shopify": "7001", "woocommerce": "26"})
    assert found(platform_id="shopify:7001") == found(search="7001") == [str(ana.pk)]
    assert found(platform_id="shopify:26") == found(external_id="7001") == []
    assert api.read("/customers/", platform_id="7001").status_code == 400
    refused = api.send("PATCH", f"/customers/{ana.pk}/", {"platform_ids": {"shopify": "1"}})
    assert refused.json()["errors"][0]["pointer"] == "/platform_ids"
    assert api.send("PATCH", f"/customers/{ana.pk}/", {"name": "A"}).json()["platform_ids"] == shown["platform_ids"]


@pytest.mark.parametrize(
    "path", ["", "balance/", "credit-lots/", "point-lots/", "credit-movements/", "point-movements/"]
)
def test_t1_another_stores_customer_is_an_unknown_one(api: ApiClient, foreign_customer: Customer, path: str) -> None:
    answers = [api.read(f"/customers/{key}/{path}") for key in (foreign_customer.pk, 999999999, "x", "٣", "0", 2**70)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.json()["code"] for answer in answers}) == 1


def test_t1_another_stores_customer_is_not_changed(api: ApiClient, foreign_customer: Customer) -> None:
    path = f"/customers/{foreign_customer.pk}/"
    assert api.send("PATCH", path, {"name": "Mine"}).status_code == 404
    assert api.command(f"{path}credits/", {"amount": "1", "reason": "x"}).status_code == 404
    assert api.command(f"{path}points/", {"amount": 1, "reason": "x"}).status_code == 404
    foreign_customer.refresh_from_db()
    assert foreign_customer.name == "Ana"


def test_pages_go_forth_and_back(api: ApiClient, store: Store) -> None:
    keys = [str(make_customer(store, name=f"C{number}").pk) for number in range(7)][::-1]
    seen: list[str] = []
    address: str | None = "/api/v1/customers/?limit=3"
    pages = []
    while address:
        page = api.get(address).json()
        pages.append(page)
        seen += [row["id"] for row in page["results"]]
        address = page["next"]
    assert seen == keys
    assert pages[0]["previous"] is None
    back = api.get(pages[2]["previous"]).json()
    assert back["results"] == pages[1]["results"]
    first = api.get(back["previous"]).json()
    assert first["results"] == pages[0]["results"]
    assert first["previous"] is None


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("limit", "0"), ("limit", "201"), ("limit", "x"), ("limit", "٣"), ("cursor", "x"), ("cursor", ""), ("page", "2")],
)
def test_bad_page_parameters_are_400(api: ApiClient, parameter: str, value: str) -> None:
    response = api.read("/customers/", **{parameter: value})
    assert (response.status_code, response.json()["parameter"]) == (400, parameter)


def test_a_list_takes_the_same_statements_for_1_and_3(
    api: ApiClient, store: Store, django_assert_num_queries: Any
) -> None:
    make_customer(store)
    api.read("/customers/")
    for _ in range(2):
        with django_assert_num_queries(3):
            api.read("/customers/")
        make_customer(store)
        make_customer(store)
