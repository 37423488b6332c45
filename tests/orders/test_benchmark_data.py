"""The benchmark's data is like shops' data, its books agree, and references come to what ours comes to."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from django.core.management import call_command
from django.utils import timezone

from benchmarks.by_hand import PAGE, WAYS, page_by_hand
from benchmarks.coming_in import copy_and_write
from benchmarks.data import generate
from benchmarks.documents import order
from benchmarks.latency import connect, tell
from benchmarks.lists import asked_on_the_page, reader_of_the_page
from loyalty.database.named_stores import every_store
from loyalty.jobs.periodic import run_job
from loyalty.journal.models import JournalEntry
from loyalty.stores.models import Customer, PlatformId, Store
from orders.models import Completeness, Order, OrderStatus, PaymentStatus, Redemption, RevertStatus
from tests import factories
from tests.books import find_faults
from tests.database import as_owner

pytestmark = pytest.mark.django_db


def test_h5_it_has_everything_that_shops_have_and_its_books_agree() -> None:
    with every_store():
        with as_owner():
            generate(800, stores=3, varied=True)
        largest = Order.unscoped.filter(store=1)
        assert {row.status for row in largest} == set(OrderStatus.values)
        assert {row.payment_status for row in largest} == set(PaymentStatus.values)
        assert {row.credit_revert_status for row in largest} == {*RevertStatus.values, None}
        assert {row.completeness for row in largest} == {*Completeness.values, None}
        assert {len(row.tags) for row in largest} >= {0, 1, 2}
        assert Redemption.unscoped.filter(used_order__in=largest).exists()
        assert find_faults(None) == []


def test_o4_each_filter_by_hand_finds_what_ours_finds() -> None:
    with every_store():
        with as_owner():
            generate(800, stores=3, varied=True)
        store = Store.objects.get(pk=1)
        found = {asked: reader_of_the_page(store, *asked)() for asked in asked_on_the_page(store)}
        for (name, value), ours in found.items():
            for way in WAYS:
                by_hand = page_by_hand(way, store, name, value)
                # Several are placed, or wait, since the same instant.
                assert len(by_hand) == len(ours), (name, value, way)
                assert len(ours) == PAGE or {row.pk for row in ours} == set(by_hand), (name, value, way)
        assert len({name for (name, _), ours in found.items() if ours}) > len(found) / 5


# Rows of their own, and what is told apart by a digest that only ours makes.
_OWN: Final = {"id", "store_id", "customer_id", "created_at", "updated_at", "payment_changed_at", "platform_data"}


def _written(store: Store) -> dict[str, Any]:
    rows = Order.objects.for_store(store).order_by("external_id").values()
    people = Customer.objects.for_store(store).order_by("email")
    ids = PlatformId.objects.for_store(store).order_by("external_id")
    entries = JournalEntry.objects.for_store(store).order_by("order__external_id")
    return {
        "orders": [{name: value for name, value in row.items() if name not in _OWN} for row in rows],
        "said": [row["platform_data"] | {"heard": len(row["platform_data"]["heard"])} for row in rows],
        "people": list(people.values_list("external_id", "email", "name", "phone", "locale")),
        "ids": list(ids.values_list("platform", "external_id", "customer__email")),
        "journal": list(entries.values_list("event", "order__external_id", "customer__email", "data")),
    }


def test_o2_importing_by_hand_writes_what_ours_writes(tmp_path: Path) -> None:
    ours, reference = (factories.make_store(slug=slug, currency="USD") for slug in ("ours", "reference"))
    file = tmp_path / "orders.json"
    file.write_text(",\n".join(json.dumps(order(number)) for number in range(60)).join("[]"))
    with every_store():
        call_command("import_orders", str(file), store=ours.slug, platform="shopify")
        copy_and_write(file, reference)
        assert _written(reference) == _written(ours)


def test_e5_the_webhook_that_is_measured_brings_value_back() -> None:
    customer = factories.make_customer(factories.make_store())
    factories.grant("credits", customer, "10.00")
    spent = factories.make_order(customer, credits="10.00", payment_status="pending", external_id="77")
    with every_store():
        with as_owner():
            connect([spent])
        tell(spent)
        for job in ("orders.process_deliveries", "orders.auto_cancel"):
            run_job(job, timezone.now())
        spent.refresh_from_db()
    assert (spent.status, spent.credits_reverted) == (OrderStatus.CANCELLED, 10)
