"""Ids that came with platforms' orders become platform ids, and back (O7)."""

from importlib import import_module

import pytest
from django.db import connection

from loyalty.journal.models import JournalEntry
from loyalty.proof.prove import find_faults
from loyalty.customers.identify import platform_ids
from loyalty.stores.models import Customer, PlatformId
from tests import factories

pytestmark = pytest.mark.django_db
MIGRATION = import_module("orders.migrations.0018_platform_ids_of_customers")


def test_o7_ids_move_to_the_platform_that_all_orders_came_from() -> None:
    store = factories.make_store()
    shop, both, own, mixed = (factories.make_customer(store, external_id=name) for name in ("7", "26", "crm-1", "8"))
    for customer, *platforms in (
        (shop, "shopify", "shopify"),
        (both, "shopify", "woocommerce"),
        (own, "api"),
        (mixed, "api", "shopline"),
    ):
        factories.grant("points", customer, 100)
        for platform in platforms:
            factories.make_order(customer, platform=platform, points=10)
    idle = factories.make_customer(store, external_id="idle")

    MIGRATION._forth(None, connection.schema_editor())

    assert platform_ids([shop.pk, both.pk, own.pk, mixed.pk, idle.pk]) == {shop.pk: {"shopify": "7"}}
    left = Customer.objects.for_store(store).order_by("pk").values_list("external_id", flat=True)
    assert list(left) == [None, "26", "crm-1", "8", "idle"]
    noted = JournalEntry.objects.for_store(store).filter(event="customer.id_unclear").order_by("pk")
    assert [(entry.customer_id, entry.data["sources"]) for entry in noted] == [
        (both.pk, ["shopify", "woocommerce"]),
        (mixed.pk, ["api", "shopline"]),
    ]
    assert list(find_faults(store)) == []

    MIGRATION._back(None, connection.schema_editor())

    assert Customer.objects.for_store(store).get(pk=shop.pk).external_id == "7"


def test_o7_the_way_back_leaves_an_id_that_two_platforms_have() -> None:
    store = factories.make_store()
    people = [factories.make_customer(store) for _ in range(2)]
    for customer, platform in zip(people, ("shopify", "woocommerce"), strict=True):
        PlatformId.unscoped.create(
            store=store, customer=customer, platform=platform, external_id="26", created_at=factories.NOW
        )
    MIGRATION._back(None, connection.schema_editor())
    assert list(Customer.objects.for_store(store).order_by("pk").values_list("external_id", flat=True)) == ["26", None]
