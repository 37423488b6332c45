"""What staff see of the shop platform: the card of the settings, the order page, the list (O6)."""

from datetime import timedelta

import pytest
from django.test import Client

from loyalty.outbox.deliver import deliver_outbox
from loyalty.outbox.models import Message
from loyalty.store_settings.sections import StoreSettings, WriteBackSettings, current_settings
from loyalty.stores.models import Role, Store
from orders.models import Order
from tests import factories
from tests.addresses import reverse
from tests.factories import NOW
from tests.loyalty.platforms.samples import order as document
from tests.orders.admin.reverts.cases import store_and_staff
from tests.platforms_imitated.connecting import connect
from tests.platforms_imitated.shopify import ImitatedShopify

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

SETTINGS = "admin:stores_settingsversion_orders"


@pytest.fixture
def shop() -> tuple[Store, Client]:
    return store_and_staff(Role.MANAGER)


def order_there(store: Store) -> Order:
    customer = factories.make_customer(store)
    factories.grant("credits", customer, "50")
    made = factories.make_order(customer, credits="50", platform="shopify", external_id="5941690892493")
    made.platform_data = {"is_open": True}
    made.save(update_fields=["platform_data"])
    return made


def page(client: Client, order: Order) -> str:
    return client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()


def test_the_card_saves_a_tag_and_cancels(shop: tuple[Store, Client]) -> None:
    store, client = shop
    sent = client.post(
        reverse(SETTINGS), {"card": "platform", "version": 0, "tag": " credits-reverted ", "cancel_orders": "on"}
    )
    assert sent.status_code == 302
    assert current_settings(store).write_back == WriteBackSettings("credits-reverted", cancel_orders=True)
    client.post(reverse(SETTINGS), {"card": "platform", "version": 1, "tag": ""})
    assert current_settings(store).write_back == WriteBackSettings()


@pytest.mark.parametrize("tag", ["ab", "x" * 41, "one,two"])
def test_a_tag_that_a_platform_would_not_take_is_refused(shop: tuple[Store, Client], tag: str) -> None:
    store, client = shop
    answer = client.post(reverse(SETTINGS), {"card": "platform", "version": 0, "tag": tag})
    assert answer.status_code != 302
    assert current_settings(store).write_back.tag is None


def test_the_card_says_who_would_be_told(shop: tuple[Store, Client], imitated_shopify: ImitatedShopify) -> None:
    store, client = shop
    assert "not connected to a shop platform" in client.get(reverse(SETTINGS)).content.decode()
    connect(imitated_shopify, store, now=NOW)
    assert "Orders from Shopify would be reported to the platform" in client.get(reverse(SETTINGS)).content.decode()


def test_o6_the_order_page_shows_how_far_the_platform_is(
    shop: tuple[Store, Client], imitated_shopify: ImitatedShopify
) -> None:
    store, client = shop
    connect(imitated_shopify, store, now=NOW)
    imitated_shopify.put(document("shopify"))
    imitated_shopify.cancels_at_once = True
    factories.make_settings(store, StoreSettings(write_back=WriteBackSettings("credits-reverted", cancel_orders=True)))
    order = order_there(store)
    assert "On Shopify" not in page(client, order)
    factories.cancel(order)
    assert "Will be done within a minute" in page(client, order)
    imitated_shopify.fail_next(500, times=2)
    deliver_outbox(NOW)
    assert "problem of its own" in page(client, order)
    deliver_outbox(NOW + timedelta(minutes=5))
    shown = page(client, order)
    assert shown.count("Confirmed ·") == 2
    assert "still open on Shopify" not in shown
    timeline = client.get(f"{reverse('admin:orders_order_change', args=[order.pk])}?tab=timeline").content.decode()
    assert "Tag “credits-reverted” put on the order on Shopify" in timeline
    assert "Order cancelled on Shopify too" in timeline


def test_o6_an_order_that_is_open_there_says_so_and_is_found(shop: tuple[Store, Client]) -> None:
    store, client = shop
    order = order_there(store)
    other = factories.make_order(None, store=store, number="OTHER-1")
    factories.cancel(order)
    assert "still open on Shopify" in page(client, order)
    listed = client.get(f"{reverse('admin:orders_order_changelist')}?open_on_platform=yes").content.decode()
    assert "open on Shopify" in listed
    assert other.number not in listed
    form = client.get(reverse("admin:orders_order_cancel", args=[order.pk])).content.decode()
    assert "still open on Shopify" not in form or "cancel it there" in form


def test_o6_the_cancel_form_says_what_happens_on_the_platform(shop: tuple[Store, Client]) -> None:
    store, client = shop
    order = order_there(store)
    form = reverse("admin:orders_order_cancel", args=[order.pk])
    assert "This does not cancel the order on Shopify" in client.get(form).content.decode()
    factories.make_settings(store, StoreSettings(write_back=WriteBackSettings(cancel_orders=True)))
    assert "It is cancelled there too" in client.get(form).content.decode()
    order.platform_data = {"is_open": False}
    order.save(update_fields=["platform_data"])
    assert "on Shopify" not in client.get(form).content.decode()


def test_what_failed_can_be_tried_again_from_the_order(shop: tuple[Store, Client]) -> None:
    store, client = shop
    factories.make_settings(store, StoreSettings(write_back=WriteBackSettings(cancel_orders=True)))
    order = order_there(store)
    factories.cancel(order)
    deliver_outbox(NOW)
    shown = page(client, order)
    assert "not connected to Shopify" in shown
    message = Message.objects.for_store(store).get(topic="platform.cancel_order")
    assert reverse("admin:outbox_message_change", args=[message.pk]) in shown
