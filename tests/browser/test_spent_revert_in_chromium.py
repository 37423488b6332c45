"""The spent-revert page as people see it: tags as chips, or as lines without a script; on a phone, in the dark."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from loyalty.store_settings.sections import ExtendSettings, SpentRevertSettings, StoreSettings, current_settings
from loyalty.stores.models import Role, Store
from orders.models import Order
from tests import factories
from tests.addresses import reverse
from tests.browser.screens import WAYS, fits, picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

Visit = Callable[..., Page]
RULES = SpentRevertSettings(enabled=True, tags=("refunded-order", "vip gold"), skip_tags=("exchange-order",))


def some_life(store: Store) -> None:
    factories.make_settings(store, StoreSettings(spent_revert=RULES))
    ana = factories.make_customer(store, name="Ana Lee")
    factories.grant("credits", ana, "90.00")
    factories.grant("points", ana, 300)
    for number, tags in enumerate((["refunded-order"], ["exchange-order", "refunded-order"], [])):
        factories.make_order(
            ana, credits="15.00", points=50, number=f"100{number}", tags=tags, payment_status="refunded"
        )
    Order.unscoped.update(rules_due_at=None)


def the_switch_after_somebody_else_saved(page: Page, store: Store, switch: Locator) -> None:
    """It changes nothing of what was saved, says so, and acts when it is pressed again."""
    factories.make_settings(store, replace(current_settings(store), extend=ExtendSettings(default_days=9)))
    switch.click()
    expect(page.get_by_role("alert").filter(has_text="Nothing was saved")).to_contain_text("Press it again")
    expect(switch).not_to_be_checked()
    switch.click()
    expect(page.get_by_text("Spent revert is on: the rules decide")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="Nothing was saved")).to_have_count(0)
    assert (current_settings(store).spent_revert.enabled, current_settings(store).extend.default_days) == (True, 9)


def the_guide(page: Page, options: dict[str, Any]) -> None:
    """It shows the store's tags, with a button beside each where there is a script."""
    page.get_by_role("link", name="Have the shop platform tag orders by itself").first.click()
    expect(page.get_by_role("code").first).to_have_text("refunded-order")
    copy = page.get_by_role("button", name="Copy").first
    if options.get("java_script_enabled", True):
        copy.click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
    else:
        expect(copy).to_have_count(0)
    picture(page, f"tagging-{len(options)}-{options.get('color_scheme')}")
    assert fits(page)


@pytest.mark.parametrize("options", WAYS)
def test_n1_tags_are_added_and_taken_away(visit: Visit, store: Store, options: dict[str, Any]) -> None:
    some_life(store)
    page = visit(reverse("admin:stores_settingsversion_spent_revert"), role=Role.MANAGER, **options)
    card = page.locator("#card-revert")
    switch = page.get_by_role("switch", name="Return credits and points by these rules")
    expect(switch).to_be_checked()
    if options.get("java_script_enabled", True):
        entry = card.get_by_label("Tags that return what was used")
        entry.fill("Back Again")
        entry.press("Enter")
        entry.fill("BACK again")
        entry.press("Enter")
        expect(card.get_by_role("listitem")).to_contain_text(["refunded-order", "vip gold", "Back Again"])
        card.get_by_role("button", name="Remove vip gold").click()
        entry.fill("exchange-order")
        entry.press("Enter")
        expect(card.get_by_text("“exchange-order” is a trigger tag and a skip tag")).to_be_visible()
        # The switch acts at once, and takes nothing with it that is only typed yet.
        switch.focus()
        switch.press("Space")
        expect(page.get_by_role("status").filter(has_text="Spent revert is off")).to_be_visible()
        expect(switch).not_to_be_checked()
        expect(switch).to_be_focused()
        assert current_settings(store).spent_revert == replace(RULES, enabled=False)
        expect(page.locator("#history")).to_contain_text("Spent-revert rules: from On to Off")
        expect(card.get_by_role("listitem")).to_have_count(3)
        expect(card.get_by_text("While the rules are off, nothing returns.")).to_be_visible()
        picture(page, "spent-revert", options)
        entry.press("Backspace")
        expect(card.get_by_text("“exchange-order” is a trigger tag and a skip tag")).to_have_count(0)
    else:
        switch.click()
        expect(page.get_by_text("Spent revert is off: nothing returns by the rules.")).to_be_visible()
        expect(switch).not_to_be_checked()
        card.get_by_label("Tags that return what was used").fill("refunded-order\nBack Again\nback again\n")
        picture(page, "spent-revert", options)
    assert fits(page)
    card.get_by_role("button", name="Save").click()
    expect(page.get_by_text("“Revert settings” is saved.")).to_be_visible()
    saved = current_settings(store).spent_revert
    assert (saved.tags, saved.enabled) == (("refunded-order", "Back Again"), False)
    the_switch_after_somebody_else_saved(page, store, switch)
    the_guide(page, options)


@pytest.mark.parametrize("options", WAYS)
def test_n1_the_look_back(visit: Visit, store: Store, options: dict[str, Any]) -> None:
    some_life(store)
    page = visit(reverse("admin:stores_settingsversion_spent_revert"), role=Role.MANAGER, **options)
    page.get_by_role("link", name="What would have happened").click()
    page.get_by_role("button", name="Show what would have happened").click()
    expect(page.get_by_text("30.00 USD").first).to_be_visible()
    picture(page, "rules-backtest", options)
    assert fits(page)
    expect(page.get_by_role("link", name="1002")).to_be_visible()
