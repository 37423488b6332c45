"""The words of a store as its manager writes them, and the letter as customers see it (H3)."""

from collections.abc import Callable

import pytest
from django.utils.translation import override
from playwright.sync_api import Page, expect

from loyalty.notices.voice import Voice
from loyalty.store_settings.sections import current_settings
from loyalty.stores.models import Role, Store
from orders.admin.settings.examples import example_of
from tests.addresses import reverse
from tests.browser.screens import PHONE, fits, looked_at, picture
from tests.factories import NOW

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

Visit = Callable[..., Page]


def test_h3_words_are_written_looked_at_saved_and_read_on_a_phone(visit: Visit, store: Store) -> None:
    page = visit(reverse("admin:stores_settingsversion_words_zh_hant"), role=Role.MANAGER, **PHONE)
    card = page.locator("#card-cancelled")
    card.locator("summary").click()
    card.get_by_label("Subject").fill("{store} 訂單 {order} 已取消")
    card.get_by_label("Opening lines").fill("{customer} 您好 \n<b>抱歉</b> {amount} 已退還。")
    card.get_by_role("button", name="Preview").click()
    letter = card.frame_locator("iframe")
    expect(letter.get_by_text("Taipei Tea 訂單 1001 已取消").first).to_be_visible()
    expect(letter.get_by_text("<b>抱歉</b> USD 5.00").first).to_be_visible()
    looked_at(page, "words")
    card.get_by_role("button", name="Send a test to me").click()
    expect(letter.get_by_text("A test message is on its way to")).to_be_visible()
    card.get_by_role("button", name="Save").click()
    expect(page.get_by_text("“An order was cancelled” is saved.")).to_be_visible()

    page.set_viewport_size({"width": 360, "height": 800})
    for language in ("zh-hant", "de"):
        with override(language):
            html = example_of("cancelled", Voice(store, current_settings(store)), NOW).html
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.set_content(html)
            assert fits(page)
            picture(page, f"letter-{language}-{scheme}")
            words, ground = page.evaluate(
                "[getComputedStyle(document.querySelector('.words p')).color,"
                " getComputedStyle(document.querySelector('.sheet')).backgroundColor]"
            )
            assert (words, ground) == {
                "light": ("rgb(31, 41, 55)", "rgb(255, 255, 255)"),
                "dark": ("rgb(226, 232, 240)", "rgb(30, 41, 59)"),
            }[scheme]
