"""Write-back: after the commit, tried until confirmed, visible, and never in a circle (O6)."""

from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from loyalty.jobs.retries import OUTBOX
from loyalty.journal.models import JournalEntry
from loyalty.outbox.deliver import deliver_outbox
from loyalty.outbox.models import Message, MessageStatus
from loyalty.platforms.models import PlatformConnection
from loyalty.platforms.read import read_order
from loyalty.store_settings.sections import StoreSettings, WriteBackSettings
from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.stores.models import Customer, Store
from orders.models import OPEN_ON_PLATFORM, Order
from orders.services.intake.ingest import Outcome, ingest
from orders.services.intake.spend import Spend, record_spend
from orders.services.reverts.apply import Details
from orders.services.reverts.cancel import cancel_many
from orders.services.reverts.reinstate import Deduct
from tests import factories
from tests.database import as_owner
from tests.factories import ACTOR, NOW
from tests.loyalty.platforms.samples import order as document
from tests.platforms_imitated.connecting import connect
from tests.platforms_imitated.shopify import ImitatedShopify
from tests.platforms_imitated.shopline import ImitatedShopline

pytestmark = pytest.mark.django_db

ORDER = "5941690892493"
BOTH = WriteBackSettings(tag="credits-reverted", cancel_orders=True)


@pytest.fixture
def store(imitated_shopify: ImitatedShopify) -> Store:
    store = factories.make_store()
    connect(imitated_shopify, store, now=NOW)
    imitated_shopify.put(document("shopify"))
    imitated_shopify.cancels_at_once = True
    return store


@pytest.fixture
def customer(store: Store) -> Customer:
    return factories.make_customer(store, email="ada@example.com", external_id="77")


@pytest.fixture
def order(store: Store, customer: Customer) -> Order:
    factories.grant("credits", customer, "50")
    made = factories.make_order(
        customer, credits="50", number="#1001", platform="shopify", external_id=ORDER, status="confirmed"
    )
    heard(store, document("shopify"))
    made.refresh_from_db()
    return made


def heard(store: Store, body: dict[str, Any]) -> Outcome:
    """The platform tells of its order."""
    result = ingest(
        store=store, platform="shopify", snapshot=read_order("shopify", body), actor=Actor.platform("shopify"), now=NOW
    )
    return result.outcome


def switch_on(store: Store, wanted: WriteBackSettings = BOTH) -> None:
    factories.make_settings(store, StoreSettings(write_back=wanted))


def events(order: Order) -> list[str]:
    return list(
        JournalEntry.objects.for_store(order.store).filter(order=order).order_by("pk").values_list("event", flat=True)
    )


def test_o6_off_by_default_nobody_is_told(order: Order) -> None:
    factories.cancel(order)
    assert not Message.unscoped.exists()


def test_o6_a_cancel_is_repeated_there_and_the_order_is_tagged(order: Order, imitated_shopify: ImitatedShopify) -> None:
    switch_on(order.store)
    factories.cancel(order)
    assert imitated_shopify.told == []
    assert list(Message.unscoped.values_list("status", flat=True)) == [MessageStatus.QUEUED] * 2
    assert deliver_outbox(NOW)["done"] == 2
    there = imitated_shopify.orders[ORDER]
    assert there["cancelled_at"]
    assert "credits-reverted" in there["tags"]
    assert {"order.tagged_on_platform", "order.cancelled_on_platform"} <= set(events(order))
    order.refresh_from_db()
    assert not order.open_on_platform
    assert deliver_outbox(NOW + timedelta(days=2)) == {"done": 0, "postponed": 0, "failed": 0}


def test_o6_what_the_platform_then_tells_us_changes_nothing(order: Order, imitated_shopify: ImitatedShopify) -> None:
    switch_on(order.store)
    factories.cancel(order)
    deliver_outbox(NOW)
    order.refresh_from_db()
    before = (order.status, order.credits_reverted, order.cancelled_by, order.payment_status)
    assert len(imitated_shopify.told) == 2
    for _topic, body in imitated_shopify.told * 2:
        heard(order.store, body)
    order.refresh_from_db()
    assert (order.status, order.credits_reverted, order.cancelled_by, order.payment_status) == before
    assert events(order).count("order.credit_reverted") == 1
    assert deliver_outbox(NOW + timedelta(days=2))["done"] == 0


def test_our_own_tag_coming_back_is_no_news(order: Order, imitated_shopify: ImitatedShopify) -> None:
    switch_on(order.store, WriteBackSettings(tag="credits-reverted"))
    factories.cancel(order)
    deliver_outbox(NOW)
    order.refresh_from_db()
    version, told = order.version, len(events(order))
    ((_topic, body),) = imitated_shopify.told
    assert heard(order.store, body) is Outcome.UNCHANGED
    order.refresh_from_db()
    assert (order.version, len(events(order))) == (version, told)
    assert "credits-reverted" in order.tag_keys
    # Somebody else's tag beside it is news.
    assert (
        heard(order.store, body | {"tags": body["tags"] + ", fraud", "updated_at": "2026-01-09T09:00:00Z"})
        is Outcome.UPDATED
    )


def test_a_tag_is_put_once_however_often_value_comes_back(order: Order) -> None:
    switch_on(order.store, WriteBackSettings(tag="credits-reverted"))
    factories.cancel(order)
    factories.bring_back(order)
    order.refresh_from_db()
    factories.cancel(order)
    assert Message.unscoped.count() == 1


def test_o6_an_order_brought_back_meanwhile_stays_open_there(order: Order, imitated_shopify: ImitatedShopify) -> None:
    switch_on(order.store, WriteBackSettings(cancel_orders=True))
    factories.cancel(order)
    factories.bring_back(order, Deduct.NONE)
    assert deliver_outbox(NOW)["failed"] == 1
    assert not imitated_shopify.orders[ORDER]["cancelled_at"]
    assert "brought back" in Message.unscoped.get().last_error


def test_o6_a_platform_that_is_down_is_tried_until_it_answers(order: Order, imitated_shopify: ImitatedShopify) -> None:
    switch_on(order.store, WriteBackSettings(cancel_orders=True))
    factories.cancel(order)
    imitated_shopify.fail_next(500)
    assert deliver_outbox(NOW) == {"done": 0, "postponed": 1, "failed": 0}
    assert "problem of its own" in Message.unscoped.get().last_error
    order.refresh_from_db()
    assert order.open_on_platform
    assert deliver_outbox(NOW + OUTBOX.steps[0] + timedelta(seconds=5))["done"] == 1
    assert imitated_shopify.orders[ORDER]["cancelled_at"]


def test_o6_a_cancel_that_the_platform_does_in_a_job_is_confirmed_later(
    order: Order, imitated_shopify: ImitatedShopify
) -> None:
    imitated_shopify.cancels_at_once = False
    switch_on(order.store, WriteBackSettings(cancel_orders=True))
    factories.cancel(order)
    now, rounds = NOW, 0
    while deliver_outbox(now)["done"] == 0:
        now, rounds = now + timedelta(minutes=40), rounds + 1
        assert rounds < 4
    assert rounds > 0
    assert events(order).count("order.cancelled_on_platform") == 1


def test_throttling_waits_and_does_not_count_as_an_attempt(order: Order, imitated_shopify: ImitatedShopify) -> None:
    switch_on(order.store, WriteBackSettings(tag="credits-reverted"))
    factories.cancel(order)
    imitated_shopify.fail_next(429, "", Retry_After="90")
    deliver_outbox(NOW)
    message = Message.unscoped.get()
    assert message.attempts == 0
    assert message.next_attempt_at is not None
    assert timedelta(seconds=90) <= message.next_attempt_at - NOW < timedelta(seconds=100)


def test_what_the_platform_refuses_for_good_is_shown(order: Order, imitated_shopify: ImitatedShopify) -> None:
    switch_on(order.store, WriteBackSettings(cancel_orders=True))
    factories.cancel(order)
    imitated_shopify.orders.clear()
    assert deliver_outbox(NOW)["failed"] == 1
    assert Message.unscoped.get().status == MessageStatus.FAILED
    assert "order.platform_not_told" in events(order)


def test_a_store_without_a_connection_says_so(order: Order) -> None:
    switch_on(order.store)
    with as_owner():
        PlatformConnection.unscoped.all().delete()
    factories.cancel(order)
    assert deliver_outbox(NOW)["failed"] == 2
    assert "not connected to Shopify" in Message.unscoped.all()[0].last_error


def test_orders_that_came_from_no_platform_are_nobodys_business(customer: Customer) -> None:
    switch_on(customer.store)
    factories.grant("credits", customer, "50")
    factories.cancel(factories.make_order(customer, credits="50"))
    assert not Message.unscoped.exists()


def at_shopline(imitated: ImitatedShopline, points: int = 0) -> Order:
    """An order there, and here, of a store that is connected."""
    store = factories.make_store(currency="TWD")
    connect(imitated, store, now=NOW)
    imitated.put(document("shopline", tags=["vip"]))
    customer = factories.make_customer(store)
    factories.grant("points", customer, 200)
    ident = str(document("shopline")["id"])
    return factories.make_order(customer, points=points, platform="shopline", external_id=ident, total=Decimal(1700))


def test_o6_shopline_gives_nothing_back_by_itself(imitated_shopline: ImitatedShopline) -> None:
    order = at_shopline(imitated_shopline, points=200)
    switch_on(order.store)
    factories.cancel(order)
    assert deliver_outbox(NOW)["done"] == 2
    there = imitated_shopline.orders[order.external_id or ""]
    assert (there["status"], there["tags"]) == ("cancelled", ["vip", "credits-reverted"])
    assert imitated_shopline.returned == []


def test_one_statement_more_for_a_batch_and_none_when_off(store: Store, customer: Customer) -> None:
    numbers = count(1)

    def statements(several: int) -> int:
        orders = [
            factories.make_order(customer, platform="shopify", external_id=str(next(numbers))) for _ in range(several)
        ]
        with CaptureQueriesContext(database) as asked:
            cancel_many(
                store=store,
                order_ids=[order.pk for order in orders],
                details=Details(),
                actor=ACTOR,
                now=NOW,
            )
        return len(asked)

    off = statements(1)
    assert statements(5) == off
    switch_on(store)
    assert statements(5) == off + 1


def test_o6_open_on_platform_is_found(order: Order) -> None:
    opened = Order.objects.for_store(order.store).filter(OPEN_ON_PLATFORM).all
    assert not opened().exists()
    factories.cancel(order)
    assert list(opened()) == [order]
    heard(order.store, document("shopify", cancelled_at="2026-01-08T09:00:00Z", updated_at="2026-01-08T09:00:00Z"))
    assert not opened().exists()


@pytest.mark.parametrize(
    ("switches", "kinds"),
    [
        ({}, []),
        ({"return_credits_there": True}, ["revert_credits"]),
        ({"return_points_there": True}, ["revert_member_points"]),
        ({"return_credits_there": True, "return_points_there": True}, ["revert_credits", "revert_member_points"]),
    ],
)
def test_o6_shopline_gives_back_its_own_where_the_store_says_so(
    imitated_shopline: ImitatedShopline, switches: dict[str, Any], kinds: list[str]
) -> None:
    order = at_shopline(imitated_shopline)
    switch_on(order.store, WriteBackSettings(cancel_orders=True, **switches))
    factories.cancel(order)
    deliver_outbox(NOW)
    assert imitated_shopline.returned == kinds
    told = JournalEntry.objects.for_store(order.store).get(order=order, event="order.cancelled_on_platform")
    assert len(told.data.get("give_back", [])) == len(kinds)


def test_o6_what_staff_recorded_here_as_used_there_comes_back_once(imitated_shopline: ImitatedShopline) -> None:
    order = at_shopline(imitated_shopline)
    assert order.customer is not None
    factories.grant("credits", order.customer, "10")
    spend = Spend(credits=Decimal(10), reason="Used on SHOPLINE")
    record_spend(store=order.store, order_id=order.pk, spend=spend, act=Act(ACTOR, Trigger.ADMIN, NOW))
    switch_on(order.store, WriteBackSettings(cancel_orders=True, return_credits_there=True, return_points_there=True))
    factories.cancel(order)
    deliver_outbox(NOW)
    assert imitated_shopline.returned == ["revert_member_points"]
