"""Redeeming and reversing as people see it: with and without a script, on a phone, in the dark (R2, R3, X12)."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from loyalty.notices.models import Notice
from loyalty.stores.models import Store
from orders.models import Redemption
from tests import factories
from tests.addresses import reverse
from tests.browser.screens import WAYS, fits, picture
from tests.factories import NOW

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

Visit = Callable[..., Page]


@pytest.mark.parametrize("options", WAYS)
def test_x12_redeemed_by_accident_and_reversed(visit: Visit, store: Store, options: dict[str, Any]) -> None:
    ana = factories.make_customer(store, name="Ana Lee")
    factories.grant("points", ana, 300, until=date(2026, 1, 31))
    factories.grant("points", ana, 700)
    factories.make_reward(store, valid_days=30)
    page = visit(reverse("admin:stores_customer_change", args=[ana.pk]), **options)
    page.get_by_role("link", name="Redemptions", exact=True).last.click()
    page.get_by_role("link", name="Redeem…").click()
    page.get_by_label("Five off: 5.00 USD off for 500 points").check()
    picture(page, "redeem", options)
    page.get_by_role("button", name="Redeem", exact=True).click()

    code = str(Redemption.objects.for_store(store).get().code)
    expect(page.get_by_text(f"500 points redeemed. The code is {code}.")).to_be_visible()
    picture(page, "customer-redemptions", options)
    page.get_by_role("link", name="Reverse…").click()
    button = page.get_by_role("button", name="Reverse and return 500 points")
    expect(button).to_be_visible()
    expect(page.get_by_text("Returns 300 points, valid until Jan 31, 2026")).to_be_visible()
    expect(page.get_by_label("Notify the customer")).to_be_checked()
    picture(page, "reverse", options)
    page.get_by_label("Reason").fill("By accident")
    button.click()

    expect(page.get_by_text("“Five off” is reversed: 500 points are back.")).to_be_visible()
    picture(page, "redemption", options)
    assert fits(page)
    assert factories.balance("points", ana, now=NOW) == 1000
    assert Notice.objects.for_store(store).count() == 1
    page.goto(page.url.split("/admin/")[0] + reverse("admin:orders_redemption_changelist"))
    picture(page, "redemptions", options)
    page.goto(page.url.split("/admin/")[0] + reverse("admin:orders_reward_changelist"))
    picture(page, "rewards", options)


def test_r3_extending_in_the_dialog_changes_the_button(visit: Visit, store: Store) -> None:
    ana = factories.make_customer(store, name="Ana Lee")
    factories.grant("points", ana, 300, until=date(2026, 1, 2))
    factories.grant("points", ana, 700)
    redemption = factories.make_redemption(ana, factories.make_reward(store))
    page = visit(reverse("admin:orders_redemption_change", args=[redemption.pk]))
    page.get_by_role("link", name="Reverse…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Reverse and return 200 points")).to_be_visible()
    dialog.get_by_label("Extend").check()
    button = dialog.get_by_role("button", name="Reverse and return 500 points")
    expect(button).to_be_visible()
    picture(page, "reverse-dialog")
    button.click()
    expect(page.get_by_text("500 points are back")).to_be_visible()
    assert factories.balance("points", ana, now=NOW) == 1000
