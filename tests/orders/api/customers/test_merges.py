"""Merging customers over REST (O7, T7)."""

from typing import Any

import pytest

from loyalty.stores.models import Customer
from points.models import PointMovement
from tests.books import find_faults
from tests.examples import Shop, open_shop, with_key


@pytest.fixture
def people(shop: Shop) -> tuple[str, str]:
    """Ana, who has 100 points and has spent 40 of them, and who she is kept as, with 5.00."""
    ana = shop.customer("Ana", "ana@example.com", external_id="crm-1")
    kept = shop.customer("Ana Lee", "ana.lee@example.com")
    shop.give_points(ana, 100)
    shop.give_credits(kept, "5.00")
    shop.order(ana, apply_points=40)
    return ana, kept


def points(shop: Shop, customer: str) -> int:
    return int(shop.get(f"/customers/{customer}/balance/").json()["points"]["available"])


def test_o7_the_merged_ones_ids_lead_to_the_kept_one(shop: Shop, people: tuple[str, str]) -> None:
    ana, kept = people
    merged = shop.command(f"/customers/{kept}/merge/", {"customer": ana, "reason": "Ana called in"})

    assert (merged.status_code, merged.json()["id"], merged.json()["external_id"]) == (200, kept, "crm-1")
    for name in (ana, kept):
        assert shop.get(f"/customers/{name}/").json()["id"] == kept
        assert points(shop, name) == 60
        assert [row["customer"]["id"] for row in shop.get("/orders/", customer=name).json()["results"]] == [kept]
        history = shop.get(f"/customers/{name}/point-movements/").json()["results"]
        assert [(row["type"], row["amount"], row["balance_after"]) for row in history] == [
            ("spend", -40, 60), ("grant", 100, 100),
        ]  # fmt: skip
        assert [row["remaining"] for row in shop.get(f"/customers/{name}/point-lots/").json()["results"]] == [60]
    for filters in ({"email": "ANA@example.com"}, {"external_id": "crm-1"}, {"search": "ana@"}, {}):
        assert [row["id"] for row in shop.get("/customers/", **filters).json()["results"]] == [kept]
    shop.give_points(ana, 1)
    assert points(shop, kept) == 61
    assert shop.order(ana, "1002", apply_points=61)["customer"]["id"] == kept
    assert find_faults(shop.store) == []


def test_o7_a_return_from_before_is_found_by_either_id(shop: Shop, people: tuple[str, str]) -> None:
    ana, kept = people
    order = shop.get("/orders/", customer=ana).json()["results"][0]["id"]
    shop.cancel(order, revert_points=True)
    shop.command(f"/customers/{kept}/merge/", {"customer": ana})
    for name in (ana, kept):
        assert [row["amount"] for row in shop.get("/reverts/", customer=name).json()["results"]] == [40]


def test_o7_merging_again_changes_nothing(shop: Shop, people: tuple[str, str]) -> None:
    ana, kept = people
    first = shop.command(f"/customers/{kept}/merge/", {"customer": ana}, key="once")
    written = PointMovement.unscoped.count()
    same_key = shop.command(f"/customers/{kept}/merge/", {"customer": ana}, key="once")
    another = shop.command(f"/customers/{kept}/merge/", {"customer": ana})
    backwards = shop.command(f"/customers/{ana}/merge/", {"customer": kept})
    assert first.json() == same_key.json() == another.json()
    assert backwards.status_code == 422
    assert PointMovement.unscoped.count() == written


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"customer": "999999"}, "/customer", "not-found"),
        ({"customer": "x"}, "/customer", "not-found"),
        ({"customer": None}, "/customer", "null"),
        ({}, "/customer", "required"),
        ({"customer": "1", "reason": ""}, "/reason", "blank"),
        ({"customer": "1", "into": "2"}, "/into", "unknown-field"),
    ],
)
def test_o7_bad_bodies_name_the_field(shop: Shop, body: Any, pointer: str, code: str) -> None:
    refused = shop.command(f"/customers/{shop.customer()}/merge/", body)
    assert refused.status_code == 422
    assert [(error["pointer"], error["code"]) for error in refused.json()["errors"]] == [(pointer, code)]


def test_o7_nobody_is_merged_with_himself(shop: Shop) -> None:
    customer = shop.customer()
    refused = shop.command(f"/customers/{customer}/merge/", {"customer": customer})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "same")


def test_t1_another_stores_customer_is_an_unknown_one(shop: Shop, people: tuple[str, str]) -> None:
    ana, kept = people
    other = open_shop(slug="other")
    stranger = other.customer()
    assert shop.command(f"/customers/{kept}/merge/", {"customer": stranger}).json()["errors"][0]["code"] == "not-found"
    assert shop.command(f"/customers/{stranger}/merge/", {"customer": ana}).status_code == 404
    assert not Customer.unscoped.filter(merged_into__isnull=False).exists()


@pytest.mark.parametrize("missing", ["customers:write", "credits:write", "points:write"])
def test_t7_a_merge_needs_the_scopes_of_what_it_moves(people: tuple[str, str], shop: Shop, missing: str) -> None:
    ana, kept = people
    scopes = {"customers:write", "credits:write", "points:write"} - {missing}
    refused = with_key(shop.store, sorted(scopes)).command(f"/customers/{kept}/merge/", {"customer": ana})
    assert (refused.status_code, refused.json()["scope"]) == (403, missing)
