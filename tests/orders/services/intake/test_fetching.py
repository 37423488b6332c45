"""Deliveries that only name an order: the platform is asked for it, and its silence is survived (O2)."""

from datetime import timedelta

import pytest
from django.db import connection
from pytest_httpserver import HTTPServer

from loyalty.core.encryption import Secret
from loyalty.jobs.retries import DELIVERIES
from loyalty.platforms.models import InboundDelivery, PlatformConnection
from loyalty.stores.models import Store
from orders.models import Order
from orders.services.intake import process_webhooks
from orders.services.intake.process_webhooks import LEASE, process_deliveries
from tests.deliveries import connect_store, woocommerce
from tests.factories import NOW
from tests.loyalty.platforms.samples import order

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("frozen_clock")]

PATH = "/wp-json/wc/v3/orders/727"


@pytest.fixture
def connected(store: Store, httpserver: HTTPServer) -> PlatformConnection:
    return connect_store(
        store,
        "woocommerce",
        base_url=httpserver.url_for("").rstrip("/"),
        consumer_key=Secret.of("ck"),
        consumer_secret=Secret.of("cs"),
    )


def named(store: Store) -> InboundDelivery:
    """A delivery that has only an order's id inside."""
    assert woocommerce({"id": 727}).send(store).status_code == 200
    found: InboundDelivery = InboundDelivery.objects.for_store(store).get()
    return found


def test_the_order_is_fetched_and_recorded(store: Store, connected: PlatformConnection, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_json(order("woocommerce"))
    delivery = named(store)
    assert process_deliveries(NOW)["done"] == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.external_id) == ("done", "727")
    assert delivery.order == Order.objects.for_store(store).get()


def test_an_order_that_the_platform_does_not_show_is_left_alone(
    store: Store, connected: PlatformConnection, httpserver: HTTPServer
) -> None:
    answer = {"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}
    httpserver.expect_request(PATH).respond_with_json(answer, status=404)
    delivery = named(store)
    assert process_deliveries(NOW)["ignored"] == 1
    delivery.refresh_from_db()
    assert (delivery.outcome, delivery.external_id) == ("WooCommerce does not show this order.", "727")


def test_a_platform_that_fails_is_asked_again_later(
    store: Store, connected: PlatformConnection, httpserver: HTTPServer
) -> None:
    httpserver.expect_ordered_request(PATH).respond_with_data("down", status=500)
    httpserver.expect_ordered_request(PATH).respond_with_json(order("woocommerce"))
    delivery = named(store)
    assert process_deliveries(NOW)["postponed"] == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.next_attempt_at) == ("retrying", NOW + DELIVERIES.steps[0])
    assert delivery.last_error
    assert process_deliveries(NOW + DELIVERIES.steps[0])["done"] == 1


def test_no_transaction_is_open_and_nobody_else_asks_meanwhile(
    store: Store, connected: PlatformConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = named(store)
    seen: list[tuple[bool, object]] = []

    class Asked:
        def fetch_order(self, external_id: str) -> object:
            delivery.refresh_from_db()
            in_transaction = connection.in_atomic_block
            seen.append((in_transaction, delivery.next_attempt_at))
            assert process_deliveries(NOW)["done"] == 0
            return order("woocommerce")

    monkeypatch.setattr(process_webhooks, "client_for", lambda _connection: Asked())
    assert process_deliveries(NOW)["done"] == 1
    assert seen == [(False, NOW + LEASE)]


def test_a_delivery_left_behind_by_a_killed_worker_is_taken_up(
    store: Store, connected: PlatformConnection, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpserver.expect_request(PATH).respond_with_json(order("woocommerce"))
    named(store)

    def killed(_connection: PlatformConnection) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(process_webhooks, "client_for", killed)
    with pytest.raises(KeyboardInterrupt):
        process_deliveries(NOW)
    monkeypatch.undo()
    assert process_deliveries(NOW + LEASE - timedelta(seconds=1))["done"] == 0
    assert process_deliveries(NOW + LEASE)["done"] == 1
