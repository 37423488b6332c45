"""Dashboard, settings, what expires soon and statements as people see them: with a script or not, on a phone, dark."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from loyalty.ledger.expire import expire_lots
from loyalty.proof.outcomes import check_ledger
from loyalty.store_settings.sections import AutoCancelSettings, StoreSettings
from loyalty.stores.models import Customer, Role, Store
from loyalty.web.addresses import page_of
from orders.admin.settings.admin import PAGES
from orders.kinds import LEDGERS
from orders.models import PaymentStatus
from orders.services.automation.cancel_unpaid import auto_cancel
from tests import factories
from tests.addresses import reverse
from tests.browser.screens import PHONE, WAYS, fits, looked_at, picture
from tests.factories import NOW
from tests.orders.admin.desk.failures import fail

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

Visit = Callable[..., Page]
TODAY = date(2026, 1, 5)


def busy_month(store: Store) -> Customer:
    """A customer with something of everything; answers the customer."""
    factories.make_settings(store, StoreSettings(auto_cancel=AutoCancelSettings(failed="cancel_and_revert")))
    ana = factories.make_customer(store, name="Ana Lee")
    for number in range(14):
        factories.grant("credits", ana, f"{number + 3}.00", until=TODAY + timedelta(days=25 * number))
        factories.grant("points", ana, 40 * number + 10, until=TODAY + timedelta(days=11 * number))
    factories.grant("credits", ana, "20.00", until=TODAY - timedelta(days=2))
    factories.grant("credits", ana, "9.00")
    for back in range(9):
        order = factories.make_order(ana, credits="1.00", points=5)
        factories.cancel(order, now=NOW - timedelta(days=back))
    for _ in range(2):
        factories.make_order(ana, credits="1.00", payment_status=PaymentStatus.FAILED)
        factories.make_order(ana, credits="2.00", payment_status=PaymentStatus.REFUNDED)
    auto_cancel(NOW)
    expire_lots(LEDGERS["credits"], NOW)
    check_ledger(NOW)
    return ana


@pytest.mark.parametrize("way", WAYS)
def test_the_dashboard_is_read_with_and_without_a_script(store: Store, visit: Visit, way: dict[str, Any]) -> None:
    empty = visit(reverse("admin:index"), **way)
    expect(empty.get_by_role("heading", name="Nothing has happened in this store yet")).to_be_visible()
    picture(empty, "dashboard-empty", way)
    busy_month(store)
    # The cache keeps figures for a minute; this store's must be counted again.
    other = factories.make_store(name="Busy Tea")
    busy_month(other)
    page = visit(page_of(other, "admin:index"), store=other, **way)
    chart = page.get_by_role("region", name="Reverts in the last 14 days")
    expect(chart.get_by_role("row").filter(has_text="Jan 3, 2026").get_by_role("link")).to_have_text("2")
    expect(page.get_by_role("link", name="Needs revert").last).to_be_visible()
    assert page.locator(".bars rect").count() > 10
    assert page.locator(".bars rect").first.evaluate("bar => bar.getBoundingClientRect().width") > 5
    if way.get("java_script_enabled", True):
        assert fits(page)
    picture(page, "dashboard", way)
    chart.get_by_role("row").filter(has_text="Jan 3, 2026").get_by_role("link").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(2)


@pytest.mark.parametrize("way", WAYS)
def test_what_expires_soon(store: Store, visit: Visit, way: dict[str, Any]) -> None:
    address = reverse("admin:stores_customer_expiring")
    picture(visit(address, **way), "expiring-empty", way)
    busy_month(store)
    page = visit(f"{address}?days=90", **way)
    expect(page.get_by_role("link", name="Ana Lee").first).to_be_visible()
    picture(page, "expiring", way)
    if way.get("java_script_enabled", True):
        assert fits(page)
    page.get_by_role("link", name="By customer").click()
    expect(page.locator(".rows tbody tr")).to_have_count(1)
    picture(page, "expiring-customers", way)
    page.get_by_role("link", name="Lost in the last 30 days").click()
    expect(page.locator(".rows tbody tr")).to_contain_text("12.00 USD")


@pytest.mark.parametrize("way", WAYS)
def test_a_statement_prints_without_the_menu(store: Store, visit: Visit, way: dict[str, Any]) -> None:
    ana = busy_month(store)
    page = visit(reverse("admin:stores_customer_change", args=[ana.pk]), **way)
    page.get_by_role("link", name="Statement").click()
    page.get_by_role("link", name="Last month").click()
    closing = page.locator(".statement-sum").filter(has_text="Closing balance").first
    expect(closing).to_be_visible()
    picture(page, "statement", way)
    if way.get("java_script_enabled", True):
        assert fits(page)
    page.emulate_media(media="print", color_scheme="light")
    expect(page.get_by_role("button", name="Show")).to_be_hidden()
    expect(page.get_by_role("link", name="All orders")).to_be_hidden()
    expect(closing).to_be_visible()
    picture(page, "statement-printed", way)


@pytest.mark.parametrize("way", WAYS)
def test_settings_pages_fit_and_say_what_a_choice_means(store: Store, visit: Visit, way: dict[str, Any]) -> None:
    page = visit(reverse("admin:index"), role=Role.MANAGER, **way)
    for settings_page in PAGES:
        page.goto(reverse(f"admin:stores_settingsversion_{settings_page.key}"))
        expect(page.get_by_role("button", name="Save").first).to_be_visible()
        picture(page, f"settings-{settings_page.key}", way)
        if way.get("java_script_enabled", True):
            assert fits(page)
    page.goto(reverse("admin:stores_settingsversion_expiry"))
    page.get_by_label("After a number of days").check()
    page.get_by_label("Number of days", exact=True).fill("30")
    if way.get("java_script_enabled", True):
        page.get_by_label("Number of days", exact=True).blur()
    else:
        page.get_by_role("button", name="Try this choice").first.click()
    expect(page.locator("[data-effect]").first).to_contain_text("February 4, 2026")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_text("“Expiry of member points” is saved.")).to_be_visible()
    expect(page.locator("#history")).to_contain_text("After a number of days")
    page.locator("#history").get_by_role("link", name="1").click()
    expect(page.get_by_role("heading", name="Settings version 1").last).to_be_visible()
    picture(page, "settings-version", way)


def test_what_waits_is_tried_again_on_a_phone(store: Store, visit: Visit) -> None:
    address = reverse("admin:orders_problem_waiting")
    looked_at(visit(address, role=Role.OWNER, **PHONE), "waiting-empty")
    fail(store)
    page = visit(address, role=Role.OWNER, **PHONE)
    looked_at(page, "waiting")
    page.get_by_role("button", name="Try again Your order").click()
    expect(page.get_by_text("It is tried again within a minute.")).to_be_visible()
