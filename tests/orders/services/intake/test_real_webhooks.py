"""The platforms' real documents, signed and delivered: kept, worked through, and harmless in any order (O2)."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from loyalty.jobs.periodic import run_job
from loyalty.platforms.models import DeliveryState, InboundDelivery
from loyalty.stores.models import Store
from orders.models import Order, Revert
from tests import factories
from tests.deliveries import Delivery, connect_store, shopify, shopline, woocommerce
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> Store:
    store = factories.make_store()
    for platform in ("shopify", "woocommerce", "shopline"):
        connect_store(store, platform)
    return store


def _document(path: Path) -> Any:
    document = json.loads(path.read_text())
    return document.get("body", document) if isinstance(document, dict) else document


def _orders(folder: Path, now: datetime = NOW) -> list[Delivery]:
    """Every order of the folder as its platform would deliver it."""
    found = []
    for path in sorted((folder / "shopify").glob("*order*.json")):
        document = _document(path)
        orders = document if isinstance(document, list) else document.get("orders", [document.get("order", document)])
        found += [shopify(order) for order in orders if "financial_status" in order]
    for path in sorted((folder / "woocommerce").glob("orders*.json")):
        found += [woocommerce(order) for order in _document(path)]
    for path in sorted((folder / "shopline").glob("order*.json")):
        found.append(shopline(_document(path), now=now))
    return found


def _work_through() -> None:
    run_job("orders.process_deliveries", NOW + timedelta(minutes=1))
    run_job("orders.evaluate_rules", NOW + timedelta(minutes=1))


def _recorded(store: Store) -> list[tuple[Any, ...]]:
    orders = Order.objects.for_store(store).order_by("platform", "external_id")
    return list(orders.values_list("platform", "external_id", "status", "payment_status", "total", "refunded_total"))


def test_o2_every_real_order_is_recorded_once_in_whatever_order_it_comes(payloads: Path, store: Store) -> None:
    deliveries = _orders(payloads)
    assert {delivery.platform for delivery in deliveries} == {"shopify", "woocommerce", "shopline"}
    other = factories.make_store()
    for platform in ("shopify", "woocommerce", "shopline"):
        connect_store(other, platform)

    with time_machine.travel(NOW, tick=False):
        assert [each.send(store).status_code for each in deliveries] == [200] * len(deliveries)
        assert [each.send(store).status_code for each in deliveries] == [200] * len(deliveries)
    # Of its own second: one message for two of SHOPLINE's shops would be a replay.
    later = NOW + timedelta(seconds=1)
    with time_machine.travel(later, tick=False):
        again = _orders(payloads, later)
        assert [each.send(other).status_code for each in reversed(again)] == [200] * len(again)
    _work_through()

    states = InboundDelivery.unscoped.values_list("state", flat=True)
    # Ignored is what said nothing new; several documents are of one order.
    assert set(states) <= {DeliveryState.DONE, DeliveryState.IGNORED}
    assert InboundDelivery.objects.for_store(store).count() == len(deliveries)
    assert _recorded(store) == _recorded(other) != []
    assert not Revert.unscoped.exists()


def test_a_made_up_order_is_a_test_only_when_its_delivery_says_so(payloads: Path, store: Store) -> None:
    document = _document(payloads / "shopify" / "webhook_orders_updated_2024-10.json")
    with time_machine.travel(NOW, tick=False):
        shopify(document, X_Shopify_Test="true").send(store)
        _work_through()
        assert not Order.unscoped.exists()
        shopify(document).send(store)
        _work_through()
    assert Order.unscoped.get().external_id == "820982911946154508"
