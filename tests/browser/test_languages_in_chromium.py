"""Every page on a phone in the longest of languages: nothing has to be scrolled sideways."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from loyalty.stores.models import Role
from tests.browser.screens import PHONE, fits, picture
from tests.loyalty.backoffice.test_every_address import FILES, GET_PAGES, Shop
from tests.loyalty.languages.pseudo import spoken

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


def test_every_page_fits_a_phone_when_its_words_are_long(clock: None, visit: Callable[..., Page]) -> None:
    shop = Shop()
    with spoken():
        page = visit(shop.address("index"), store=shop.store, role=Role.OWNER, locale="de-DE", **PHONE)
        origin, too_wide = page.url.partition("/admin/")[0], []
        for name in sorted(set(GET_PAGES) - FILES):
            page.goto(f"{origin}{shop.address(name)}")
            if not fits(page):
                too_wide.append(name)
                picture(page, f"too-wide-{name}")
    assert too_wide == []
