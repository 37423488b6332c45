"""Customers merged on Shopify, by signed messages, doubled, late and in any order (O7)."""

from itertools import permutations
from typing import Any

import pytest

from loyalty.customers.identify import platform_ids
from loyalty.platforms.meaning import MergedCustomers, Nothing
from loyalty.platforms.models import DeliveryState, InboundDelivery
from loyalty.platforms.read import meaning_of
from loyalty.platforms.snapshot import NotAnOrder
from loyalty.stores.models import Customer, Store
from orders.models import Order
from orders.services.intake.process_webhooks import process_deliveries
from points.ledger import POINTS
from tests import factories
from tests.books import find_faults
from tests.deliveries import Delivery, connect_store, shopify
from tests.factories import NOW
from tests.loyalty.platforms.samples import order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


@pytest.fixture
def store() -> Store:
    store = factories.make_store()
    connect_store(store)
    return store


def said(kept: int = 7002, merged: int = 7001, status: str = "completed") -> dict[str, Any]:
    return {
        "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{kept}",
        "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{merged}",
        "admin_graphql_api_job_id": None,
        "status": status,
        "errors": [],
    }


def bought(number: int, customer: int, email: str) -> Delivery:
    who = {"id": customer, "email": email, "first_name": "Ana", "last_name": "Lee"}
    gid = f"gid://shopify/Order/{number}"
    return shopify(order("shopify", id=number, admin_graphql_api_id=gid, email=email, customer=who))


def work(store: Store, *deliveries: Delivery) -> list[tuple[str, str]]:
    for delivery in deliveries:
        assert delivery.send(store).status_code == 200
        process_deliveries(NOW)
    done = InboundDelivery.objects.for_store(store).order_by("pk")
    assert find_faults(store) == []
    return list(done.values_list("state", "outcome"))


FIRST, SECOND = bought(1, 7001, "ana@example.com"), bought(2, 7002, "ana.lee@example.com")
MERGE = shopify(said(), "customers/merge")


@pytest.mark.parametrize("arrival", list(permutations((FIRST, SECOND, MERGE))))
def test_o7_orders_and_merge_in_any_order_are_one_person(store: Store, arrival: tuple[Delivery, ...]) -> None:
    work(store, *arrival)
    kept = Customer.objects.for_store(store).get(merged_into__isnull=True)
    assert set(Order.objects.for_store(store).values_list("customer", flat=True)) == {kept.pk}
    assert platform_ids([kept.pk]) == {kept.pk: {"shopify": "7002"}}


def test_o7_balances_move_once_however_often_it_is_said(store: Store) -> None:
    work(store, FIRST, SECOND)
    ana, kept = Customer.objects.for_store(store).order_by("pk")
    factories.grant("points", ana, 100)
    factories.grant("points", kept, 200)

    work(store, MERGE)
    again = work(store, shopify(said() | {"admin_graphql_api_job_id": "again"}, "customers/merge"))

    assert POINTS.available([ana.pk, kept.pk], now=NOW) == {(kept.pk, ""): 300}
    assert again[-2:] == [
        (DeliveryState.DONE, f"Customer {ana.pk} was merged into customer {kept.pk}."),
        (DeliveryState.IGNORED, "They are one customer already."),
    ]
    ana.refresh_from_db()
    assert ana.merged_into_id == kept.pk


def test_o7_merges_one_after_the_other_end_with_the_last(store: Store) -> None:
    work(store, FIRST, SECOND, bought(3, 7003, "third@example.com"), MERGE)
    work(store, shopify(said(kept=7003, merged=7002), "customers/merge"))
    kept = Customer.objects.for_store(store).get(merged_into__isnull=True)
    assert (kept.email, platform_ids([kept.pk])[kept.pk]) == ("third@example.com", {"shopify": "7003"})


@pytest.mark.parametrize("status", ["failed", "in_progress", ""])
def test_o7_a_merge_that_was_not_completed_is_none(store: Store, status: str) -> None:
    work(store, FIRST, SECOND)
    done = work(store, shopify(said(status=status), "customers/merge"))
    assert done[-1] == (DeliveryState.IGNORED, "A merge of customers that was not completed.")
    assert not Customer.objects.for_store(store).filter(merged_into__isnull=False).exists()


@pytest.mark.parametrize(
    "wrong", [{"admin_graphql_api_customer_kept_id": "gid://shopify/Order/1"}, said(kept=7001), {"status": 1}]
)
def test_o7_a_merge_names_two_customers_and_says_that_it_is_done(wrong: dict[str, Any]) -> None:
    assert meaning_of("shopify", "customers/merge", said()) == MergedCustomers("7002", "7001")
    try:
        read: object = meaning_of("shopify", "customers/merge", said() | wrong)
    except NotAnOrder as error:
        read = error
    assert isinstance(read, Nothing | NotAnOrder)


def test_t1_a_merge_of_one_store_is_nothing_to_another(store: Store) -> None:
    other = factories.make_store()
    connect_store(other)
    work(other, FIRST, SECOND)
    work(store, FIRST, SECOND, MERGE)
    assert Customer.objects.for_store(other).filter(merged_into__isnull=True).count() == 2
