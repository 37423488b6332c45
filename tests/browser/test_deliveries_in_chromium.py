"""What platforms send, as people see it: what could not be read, trying again, erasing when somebody is sure."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from loyalty.stores.models import Customer, Role, Store
from orders.services.intake.process_webhooks import process_deliveries
from tests.addresses import reverse
from tests.browser.screens import WAYS, fits, picture
from tests.deliveries import connect_store, shopify
from tests.factories import NOW
from tests.loyalty.platforms.samples import order

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

Visit = Callable[..., Page]


@pytest.mark.parametrize("options", WAYS)
def test_what_was_not_read_and_who_is_to_be_forgotten(visit: Visit, store: Store, options: dict[str, Any]) -> None:
    connect_store(store)
    for document, topic in (
        (order("shopify", tags=True, line_items=[5]), "orders/create"),
        (order("shopify", id=None, admin_graphql_api_id=None), "orders/updated"),
        ({"customer": {"id": 77, "email": "ada@example.com"}, "orders_to_redact": []}, "customers/redact"),
    ):
        assert shopify(document, topic).send(store).status_code == 200
    process_deliveries(NOW.replace(year=2027))
    page = visit(reverse("admin:platforms_inbounddelivery_changelist"), role=Role.MANAGER, **options)
    expect(page.get_by_text("Read, without: tags, line_items.0.")).to_be_visible()
    expect(page.get_by_text("The field “id” is missing.")).to_be_visible()
    picture(page, "deliveries", options)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("It is worked through again within a minute.")).to_be_visible()
    picture(page, "delivery", options)

    page.goto(page.url.partition("/admin/")[0] + reverse("admin:platforms_privacyrequest_changelist"))
    page.get_by_role("link", name="2026").first.click()
    expect(page.get_by_role("button", name="Close without erasing")).to_be_visible()
    assert fits(page)
    picture(page, "erasing", options)
    page.get_by_label("I know who asked").check()
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_text("It will be erased within a minute.")).to_be_visible()
    process_deliveries(NOW.replace(year=2027))
    assert Customer.objects.for_store(store).get().email == ""
    page.reload()
    expect(page.get_by_text("Names, addresses, messages and notes are gone")).to_be_visible()
    picture(page, "erased", options)
