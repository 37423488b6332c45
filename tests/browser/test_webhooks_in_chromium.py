"""Webhook endpoints as people see them: with and without a script, on a phone, in the dark."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_httpserver import HTTPServer

from loyalty.outbox.models import Message
from loyalty.stores.models import Role, Store
from tests.addresses import reverse
from tests.browser.screens import WAYS, fits, picture
from tests.factories import NOW
from tests.loyalty.webhooks.receiving import Receiver, deliver, happen

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

Visit = Callable[..., Page]


@pytest.mark.parametrize("options", WAYS)
def test_an_endpoint_from_adding_it_to_sending_again(
    visit: Visit, store: Store, httpserver: HTTPServer, options: dict[str, Any]
) -> None:
    receiver = Receiver(httpserver)
    receiver.answers(500, "not today")
    page = visit(reverse("admin:webhooks_webhookendpoint_add"), role=Role.OWNER, **options)
    page.get_by_label("Name").fill("ERP")
    page.get_by_label("Address").fill(receiver.url)
    page.get_by_label("order.cancelled").check()
    page.get_by_label("customer.balance_changed").check()
    assert fits(page)
    picture(page, "add", options)
    page.get_by_role("button", name="Add endpoint").click()
    expect(page.get_by_text("whsec_")).to_be_visible()
    picture(page, "secret", options)

    page.get_by_role("link", name="Back to the list").click()
    page.wait_for_url(re.compile(r"/webhookendpoint/$"))
    assert fits(page)
    picture(page, "list", options)
    page.get_by_role("link", name="ERP").click()
    page.get_by_role("button", name="Send a test event").click()
    happen(store, 2)
    deliver(NOW)
    page.reload()
    expect(page.get_by_role("heading", name="Failing since")).to_be_visible()
    assert fits(page)
    picture(page, "endpoint", options)

    page.get_by_role("link", name="All deliveries to this endpoint").click()
    page.wait_for_url(re.compile(r"/webhookdelivery/\?endpoint="))
    assert fits(page)
    picture(page, "deliveries", options)
    message = Message.objects.for_store(store).filter(body__type="order.cancelled").earliest("id")
    receiver.answers(200, "thanks")
    page.locator(f"a[href*='/{message.pk}/change/']").first.click()
    expect(page.get_by_text("not today")).to_be_visible()
    page.get_by_role("button", name="Send again now").click()
    expect(page.get_by_text("It is sent again within a minute.")).to_be_visible()
    assert fits(page)
    picture(page, "delivery", options)
