"""Staff enter an order and record what another one used, on a phone in the dark and without a script (O2, O5)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from loyalty.stores.models import Store
from orders.models import Order
from tests import factories
from tests.addresses import reverse
from tests.browser.screens import PHONE_SCREEN, looked_at
from tests.factories import NOW

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


def test_o2_o5_an_order_is_entered_and_another_one_told_what_it_used(visit: Callable[..., Page], store: Store) -> None:
    ana = factories.make_customer(store, name="Ana Mendes de Oliveira", email="ana@example.com")
    factories.grant("credits", ana, "50")
    factories.grant("points", ana, 300)
    guest = factories.make_order(None, store=store, number="1007", total=80)
    page = visit(
        reverse("admin:orders_order_add"), viewport=PHONE_SCREEN, color_scheme="dark", java_script_enabled=False
    )  # fmt: skip
    page.get_by_label("Order number").fill("T-1")
    page.get_by_label("Customer", exact=True).fill("Ana")
    page.get_by_role("button", name="Only find the customer").click()
    expect(page.get_by_text("Ana Mendes de Oliveira has 300 points.")).to_be_visible()
    page.get_by_label("Total").fill("100")
    page.get_by_label("Store credits used").fill("15")
    looked_at(page, "enter")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Say why store credits or member points are taken")).to_be_visible()
    page.get_by_label("Note").fill("Paid at the till")
    page.get_by_role("button", name="Preview").click()
    button = page.get_by_role("button", name="Enter order T-1 and take 15.00 USD")
    expect(button).to_be_visible()
    looked_at(page, "enter-preview")
    button.click()
    expect(page.get_by_text("Order T-1 is entered. 15.00 USD taken from Ana Mendes")).to_be_visible()
    page.get_by_role("link", name="Credits and points used").click()
    expect(page.get_by_text("Recorded by staff")).to_be_visible()
    looked_at(page, "used")

    page.goto(page.url.split("/orders/")[0] + f"/orders/order/{guest.pk}/change/")
    page.get_by_role("link", name="Record what it used…").click()
    page.get_by_label("Customer", exact=True).fill("ana@example.com")
    page.get_by_label("Member points used").fill("100")
    page.get_by_label("Reason").fill("Used at the till")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Record 100 points").click()
    expect(page.get_by_text("Recorded: order 1007 used 100 points")).to_be_visible()
    looked_at(page, "recorded")
    assert Order.objects.for_store(store).filter(customer=ana).count() == 2
    assert (factories.balance("credits", ana, now=NOW), factories.balance("points", ana, now=NOW)) == (35, 200)
