"""The reinstate page as people see it: with and without a script, on a phone, in the dark (M10)."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from loyalty.stores.models import Store
from orders.models import Order
from tests import factories
from tests.addresses import reverse
from tests.browser.screens import WAYS, fits, picture
from tests.factories import NOW

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

Visit = Callable[..., Page]


def partly_covered(store: Store) -> Order:
    """15.00 and 100 points were returned; 7.00 of them are spent by now."""
    ana = factories.make_customer(store, name="Ana Lee")
    factories.grant("credits", ana, "15.00")
    factories.grant("points", ana, 100)
    order = factories.cancel(factories.make_order(ana, credits="15.00", points=100, number="1001"))
    factories.make_order(ana, credits="7.00", now=NOW)
    return order


@pytest.mark.parametrize("options", WAYS)
def test_m10_the_words_on_the_button_follow_the_choice(visit: Visit, store: Store, options: dict[str, Any]) -> None:
    order = partly_covered(store)
    page = visit(reverse("admin:orders_order_change", args=[order.pk]), **options)
    picture(page, "order", options)
    page.get_by_role("link", name="Reinstate", exact=True).click()
    button = page.get_by_role("button", name="Reinstate order")
    expect(button).to_have_accessible_name("Reinstate order and deduct nothing")
    expect(page.get_by_label("Deduct all again")).to_be_disabled()

    page.get_by_label("Deduct what is available").check()
    expect(button).to_have_accessible_name("Reinstate order and deduct 8.00 USD + 100 points")
    picture(page, "reinstate", options)
    assert fits(page)
    page.get_by_label("The order becomes").select_option("completed")
    button.click()

    expect(
        page.get_by_text("Order 1001 is completed again. 8.00 USD + 100 points deducted from Ana Lee.")
    ).to_be_visible()
    row = Order.objects.for_store(store).get(pk=order.pk)
    assert (row.status, row.credits_reverted, row.points_reverted) == ("completed", 7, 0)
