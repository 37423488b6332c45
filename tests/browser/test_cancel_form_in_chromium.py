"""X1, X2, X3 and M8 as staff do them: mouse, keyboard, no JavaScript, a phone, dark, dialogs."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from loyalty.stores.models import Store
from orders.models import Order
from tests.addresses import reverse
from tests.browser.screens import NO_SCRIPT, WAYS, fits
from tests.orders.admin.reverts.cases import address, credit_lots, x1_order

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
Visit = Callable[..., Page]


def fresh(order: Order) -> Order:
    found: Order = Order.objects.for_store(order.store).get(pk=order.pk)
    return found


def order_page(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def confirm_button(page: Page) -> Locator:
    return page.locator("[data-confirm]")


def confirm(page: Page, order: Order) -> None:
    """Press the confirming button, and arrive at the order's page."""
    confirm_button(page).click()
    page.wait_for_url(re.compile(re.escape(order_page(order)) + r"$"))


def see_result(page: Page, options: dict[str, Any], words: str) -> None:
    """With JavaScript the words follow by themselves; without, after Preview."""
    if options is NO_SCRIPT:
        page.get_by_role("button", name="Preview").click()
    expect(confirm_button(page)).to_have_text(words)


@pytest.mark.parametrize("options", WAYS)
def test_x2_by_mouse(visit: Visit, store: Store, options: dict[str, Any]) -> None:
    order = x1_order(store, points=100)
    page = visit(address(order), **options)
    expect(page.get_by_text("Order 1001 of Ana Lee used 15.00 USD credits and 100 points.")).to_be_visible()
    expect(confirm_button(page)).to_have_text("Cancel order and return 5.00 USD + 100 points")
    expect(page.locator("[data-live=result]")).to_contain_text("Reverted (5.00 of 15.00)")
    assert fits(page)
    page.get_by_label("Extend").check()
    see_result(page, options, "Cancel order and return 15.00 USD + 100 points")
    expect(page.locator("[data-live=result]")).not_to_contain_text("of 15.00")
    assert fits(page)
    confirm(page, order)
    expect(page.get_by_text("15.00 USD + 100 points returned to Ana Lee.")).to_be_visible()
    assert credit_lots(order) == [(10, 0), (5, 5), (10, 10)]


@pytest.mark.parametrize("options", WAYS)
def test_x3_and_then_x2_through_m8(visit: Visit, store: Store, options: dict[str, Any]) -> None:
    order = x1_order(store, both_expired=True)
    page = visit(address(order), **options)
    expect(confirm_button(page)).to_have_text("Cancel order and return nothing")
    confirm(page, order)
    assert fresh(order).credit_revert_status == "not_reverted"
    page.goto(page.url.replace(order_page(order), address(order)))
    for tick in page.get_by_label("Extend").all():
        tick.check()
    see_result(page, options, "Return 15.00 USD")
    confirm(page, order)
    assert fresh(order).credits_reverted == 15


def test_x2_by_keyboard_alone(visit: Visit, store: Store) -> None:
    order = x1_order(store)
    page = visit(address(order))
    page.locator("[name=return_credits]").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(confirm_button(page)).to_have_text("Cancel order and return 15.00 USD")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("400")
    expect(page.get_by_text("Extend by 1 to 365 days.")).to_be_visible()
    assert page.evaluate("document.activeElement.name").startswith("days_")
    page.keyboard.press("Control+a")
    page.keyboard.type("10")
    page.keyboard.press("Enter")
    expect(page.locator("[data-lot]").first).to_contain_text("Jan 15, 2026")
    assert fresh(order).status == "pending"
    for _ in range(15):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.hasAttribute('data-confirm')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(re.escape(order_page(order)) + r"$"))
    assert fresh(order).credits_reverted == 15


def test_m6_a_choice_changed_without_script_comes_back_marked(visit: Visit, store: Store) -> None:
    order = x1_order(store)
    page = visit(address(order), **NO_SCRIPT)
    page.get_by_label("Extend").check()
    confirm_button(page).click()
    expect(page.get_by_text("You changed something")).to_be_visible()
    expect(page.get_by_text("was: Will not be returned")).to_be_visible()
    assert fresh(order).status == "pending"
    confirm(page, order)
    assert fresh(order).credits_reverted == 15


def test_m7_a_double_click_is_one_click(visit: Visit, store: Store) -> None:
    order = x1_order(store)
    page = visit(address(order))
    confirm_button(page).dblclick()
    page.wait_for_url(re.compile(re.escape(order_page(order)) + r"$"))
    assert credit_lots(order) == [(10, 0), (5, 5)]


def test_m1_the_dialog_over_the_order_closes_without_a_change_and_carries_out(visit: Visit, store: Store) -> None:
    order = x1_order(store)
    page = visit(order_page(order))
    opener = page.get_by_role("link", name="Cancel order")
    opener.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Order 1001 of Ana Lee")
    dialog.get_by_label("Extend").check()
    page.mouse.click(5, 5)
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()
    opener.click()
    dialog.get_by_role("link", name="Keep order").click()
    expect(dialog).to_have_count(0)
    assert fresh(order).status == "pending"
    opener.click()
    dialog.get_by_label("Extend").check()
    expect(confirm_button(page)).to_have_text("Cancel order and return 15.00 USD")
    confirm_button(page).click()
    expect(page.get_by_text("15.00 USD returned to Ana Lee.")).to_be_visible()
    assert fresh(order).status == "cancelled"


def test_m1_choosing_cancelled_in_the_status_field_opens_the_dialog(visit: Visit, store: Store) -> None:
    order = x1_order(store)
    page = visit(order_page(order))
    page.get_by_label("Order status").select_option("cancelled")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("Cancel order and return 5.00 USD")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert fresh(order).status == "pending"


def test_m1_without_script_the_status_field_and_the_button_lead_to_the_page(visit: Visit, store: Store) -> None:
    order = x1_order(store)
    page = visit(order_page(order), **NO_SCRIPT)
    page.get_by_label("Order status").select_option("cancelled")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(confirm_button(page)).to_have_text("Cancel order and return 5.00 USD")
    page.get_by_role("link", name="Keep order").click()
    page.get_by_role("link", name="Cancel order").click()
    expect(confirm_button(page)).to_be_visible()
    assert fresh(order).status == "pending"


def test_m1_the_lists_action_with_one_order_opens_the_dialog(visit: Visit, store: Store) -> None:
    order = x1_order(store)
    page = visit(reverse("admin:orders_order_changelist"))
    page.locator("input.action-select").check()
    page.locator("select[name=action]").select_option("cancel_one")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("dialog")).to_contain_text("Order 1001 of Ana Lee")
    confirm(page, order)
    assert fresh(order).credits_reverted == 5


def test_b1_many_are_cancelled_and_the_message_leads_to_them(visit: Visit, store: Store) -> None:
    orders = [x1_order(store, number=number) for number in ("1", "2")]
    page = visit(reverse("admin:orders_order_changelist"))
    for tick in page.locator("input.action-select").all():
        tick.check()
    page.locator("select[name=action]").select_option("cancel_several")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("They used 30.00 USD credits. Nothing will be returned.")).to_be_visible()
    page.get_by_role("button", name="Cancel 2 orders, return nothing").click()
    page.get_by_role("link", name="Show 2 orders still Not Reverted").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    assert [fresh(order).status for order in orders] == ["cancelled"] * 2
