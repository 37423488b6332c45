"""Merging two customers as people see it, on a phone in the dark and without a script (O7)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from loyalty.stores.models import Role, Store
from tests import factories
from tests.addresses import reverse
from tests.browser.screens import PHONE_SCREEN, looked_at
from tests.factories import NOW

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


def test_o7_two_rows_of_one_person_are_merged(visit: Callable[..., Page], store: Store) -> None:
    kept = factories.make_customer(store, name="Ana Lee", email="ana@example.com")
    ana = factories.make_customer(store, name="Ana", email="ana@example.com", external_id="crm-1", phone="0912 345 678")
    factories.grant("points", kept, 200)
    factories.grant("points", ana, 100)
    factories.make_order(ana, points=40)
    page = visit(
        reverse("admin:stores_customer_change", args=[kept.pk]),
        role=Role.MANAGER, viewport=PHONE_SCREEN, color_scheme="dark", java_script_enabled=False,
    )  # fmt: skip
    expect(page.get_by_text("may be the same person: same e-mail")).to_be_visible()
    looked_at(page, "customer-hint")
    page.get_by_role("link", name="Merge…").click()
    expect(page.get_by_role("heading", name="May be the same person")).to_be_visible()
    looked_at(page, "merge-choose")
    page.get_by_role("link", name="See what moves").click()
    button = page.get_by_role("button", name="Merge Ana into Ana Lee for good")
    expect(button).to_be_visible()
    looked_at(page, "merge")
    button.click()
    expect(page.get_by_role("status").get_by_text("Tick the box first")).to_be_visible()
    page.get_by_role("checkbox").check()
    button.click()
    expect(page.get_by_text("Ana was merged into Ana Lee, who now has 260 points.")).to_be_visible()
    looked_at(page, "customer-merged")
    assert factories.balance("points", kept, now=NOW) == 260
