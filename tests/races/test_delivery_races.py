"""Deliveries worked through at the same moment as staff cancel, and by several workers: nothing happens twice."""

from functools import partial

import pytest
from django.utils import timezone

from loyalty.platforms.models import InboundDelivery
from loyalty.stores.models import Store
from orders.models import Order, Revert
from orders.services.intake.process_webhooks import process_deliveries
from orders.services.reverts.choices import CancelChoice
from tests import factories
from tests.books import find_faults
from tests.database import as_owner
from tests.deliveries import connect_store, shopify
from tests.loyalty.platforms.samples import order
from tests.races.racing import ROUNDS, together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

LATER = "2026-01-07T09:00:00+00:00"


def shop(number: int) -> tuple[Store, Order]:
    """A store whose order, known from Shopify, used 10 credits; Shopify now says that it is cancelled, three times."""
    store = factories.make_store()
    connect_store(store)
    customer = factories.make_customer(store, external_id="77", email="ada@example.com")
    factories.grant("credits", customer, "10")
    made = factories.make_order(customer, credits="10")
    with as_owner():
        Order.objects.for_store(store).filter(pk=made.pk).update(platform="shopify", external_id="5941690892493")
    for topic in ("orders/updated", "orders/cancelled", "orders/paid"):
        document = order("shopify", cancelled_at=LATER, updated_at=LATER)
        assert shopify(document, topic, webhook_id=f"{number}-{topic}").send(store).status_code == 200
    return store, made


@pytest.mark.parametrize("number", range(2 * len(ROUNDS)))
def test_a_webhook_and_a_cancel_by_hand_return_once(number: int) -> None:
    store, made = shop(number)
    cancel = partial(factories.cancel_choosing, made, CancelChoice(returns={"credits": True}))
    together(cancel, partial(process_deliveries, timezone.now()), partial(process_deliveries, timezone.now()))
    made.refresh_from_db()
    assert made.status == "cancelled"
    assert Revert.objects.for_store(store).filter(order=made).count() == 1
    assert find_faults(store) == []


@pytest.mark.parametrize("number", range(2 * len(ROUNDS)))
def test_two_workers_take_each_delivery_once(number: int) -> None:
    store, made = shop(number)
    together(*[partial(process_deliveries, timezone.now())] * 3)
    deliveries = list(InboundDelivery.objects.for_store(store))
    assert [delivery.attempts for delivery in deliveries] == [1, 1, 1]
    assert {delivery.state for delivery in deliveries} <= {"done", "ignored"}
    made.refresh_from_db()
    assert made.status == "cancelled"
