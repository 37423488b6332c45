"""What staff see: a test order, one deleted there, a payment that failed after it was made (E10, O9)."""

import re
from typing import Any

import pytest
from django.test import Client

from loyalty.stores.models import Role, Store
from orders.models import Order
from tests import factories
from tests.addresses import reverse

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(store: Store) -> Client:
    client = Client()
    user = factories.make_user((store, Role.MANAGER))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def make(store: Store, **facts: Any) -> Order:
    """An unpaid Shopify order that used 15.00, with ``facts`` as they are stored."""
    customer = factories.make_customer(store)
    factories.grant("credits", customer, "100.00")
    order = factories.make_order(customer, credits="15.00", platform="shopify", external_id="77")
    Order.unscoped.filter(pk=order.pk).update(**facts)
    order.refresh_from_db()
    return order


def page(client: Client, order: Order, **query: str) -> str:
    answer = client.get(reverse("admin:orders_order_change", args=[order.pk]), query)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def listed(client: Client, **query: str) -> str:
    answer = client.get(reverse("admin:orders_order_changelist"), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_o9_an_order_deleted_there_says_so_on_its_page_and_in_the_list_and_is_found(
    client: Client, store: Store
) -> None:
    order = make(store, platform_deleted_at=factories.NOW)
    shown = page(client, order)
    assert "Deleted on Shopify" in shown
    assert "cancel it to give that back, or dismiss it" in shown
    assert "Deleted on the platform before it was paid. Nobody has decided yet about 15.00" in shown.replace("$", "")
    assert reverse("admin:orders_order_dismiss", args=[order.pk]) in shown
    rows = listed(client, deleted_on_platform="yes")
    assert order.number in rows
    assert "deleted on the platform" in rows
    assert (
        "Deleted on the platform before it was paid" in client.get(reverse("admin:orders_order_queue")).content.decode()
    )


def test_o9_a_paid_order_deleted_there_asks_nobody_for_anything(client: Client, store: Store) -> None:
    shown = page(client, make(store, platform_deleted_at=factories.NOW, payment_status="paid"))
    assert "Deleting is not cancelling: nothing moved. What it used stays used." in shown


def test_e10_a_payment_that_failed_after_it_was_there_is_listed_with_that_sentence(
    client: Client, store: Store
) -> None:
    order = make(store, payment_status="failed", paid_before=True)
    other = make(factories.make_store(), payment_status="failed", paid_before=True)
    assert "It was paid or completed before, and now its payment says failed." in page(client, order)
    rows = listed(client, failed_after_payment="yes")
    assert order.number in rows
    assert other.number not in rows
    dashboard = client.get(reverse("admin:index")).content.decode()
    assert "Paid before, now failed" in dashboard
    assert "?failed_after_payment=yes" in dashboard


def test_e10_a_test_order_says_that_it_is_one_and_that_nothing_acts_on_it(client: Client, store: Store) -> None:
    shown = page(client, make(store, is_test=True))
    assert "This is a test order" in shown
    assert "Nothing acts on it" in shown


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ("authorized", "Authorised, not taken yet"),
        ("partially_paid", "Partly paid"),
        ("on_delivery", "Due on delivery, and on its way"),
        ("at_bank", "On its way through a bank"),
        ("voided", "Let go: it was authorised, and nothing was taken"),
    ],
)
def test_e10_what_is_to_be_known_of_an_open_payment_stands_on_the_page_in_words(
    client: Client, store: Store, detail: str, words: str
) -> None:
    assert f"Pending. {words}" in page(client, make(store, payment_detail=detail))
