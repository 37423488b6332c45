"""Takes the README's pictures from the running program: start `./run` on fresh data, then run this.

`.venv/bin/python docs/take_pictures.py [http://127.0.0.1:8000]` (Chromium and the development packages are needed).
It cancels the demonstration's orders X1, X2 and X3, as the README's walk does.
"""

import shutil
import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Locator, Page, ViewportSize, sync_playwright

PICTURES: Final = Path(__file__).parent / "pictures"
ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
USUAL: Final = ViewportSize(width=1440, height=900)
WIDE: Final = ViewportSize(width=1800, height=900)
STORE: Final = "aurora-tea"
LOGIN: Final = ("owner@aurora-tea.example", "demonstration")


def main(address: str) -> None:
    """Walk through the README and keep a picture of each stop."""
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=list(ARGUMENTS))
        page = browser.new_page(viewport=USUAL)
        sign_in(page, address)
        page.set_viewport_size(WIDE)
        page.goto(f"{address}/admin/{STORE}/orders/order/")
        keep(page, "orders")
        page.set_viewport_size(USUAL)
        for name, path in (
            ("dashboard", ""),
            ("queue", "orders/order/queue/"),
            ("rules", "stores/settingsversion/spent-revert/"),
            ("redemptions", "orders/redemption/"),
        ):
            page.goto(f"{address}/admin/{STORE}/{path}")
            keep(page, name)
        page.goto(f"{address}/admin/{STORE}/stores/settingsversion/orders/")
        keep(page, "settings")
        open_cancel_form(page, address, "X1")
        keep(page, "x1-form")
        confirm(page)
        keep(page, "x1-done")
        open_cancel_form(page, address, "X2")
        extend(page)
        keep(page, "x2-extended")
        page.get_by_label("Notify the customer").check()
        confirm(page)
        page.goto(page.url.split("?")[0] + "?tab=used")
        keep(page, "x2-used")
        open_cancel_form(page, address, "X3")
        keep(page, "x3-form")
        confirm(page)
        page.goto(f"{address}/admin/{STORE}/stores/customer/?q=Xavier")
        page.locator("#result_list tbody a").first.click()
        page.get_by_role("link", name="Store Credits").click()
        keep(page, "customer")
        browser.close()


def sign_in(page: Page, address: str) -> None:
    """Sign in as the owner of the demonstration's first store."""
    page.goto(f"{address}/admin/login/")
    page.locator("[name=username]").fill(LOGIN[0])
    page.locator("[name=password]").fill(LOGIN[1])
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(f"**/admin/{STORE}/")


def open_cancel_form(page: Page, address: str, number: str) -> None:
    """Open the cancel form of an order as a full page."""
    page.goto(f"{address}/admin/{STORE}/orders/order/?q={number}")
    page.locator("#result_list tbody a").first.click()
    link = page.get_by_role("link", name="Cancel order")
    page.goto(address + str(link.get_attribute("href")))


def extend(page: Page) -> None:
    """Extend the first expired lot by the days offered, and wait until the form shows the result."""
    box: Locator = page.get_by_label("Extend").first
    box.check()
    page.get_by_role("button", name="return 15.00 USD").wait_for()


def confirm(page: Page) -> None:
    """Press the confirming button and wait for the order's page."""
    page.locator("button[name=_confirm]").click()
    page.wait_for_url("**/change/**")


def keep(page: Page, name: str) -> None:
    """Save a picture of what is on the screen."""
    page.wait_for_load_state("load")
    page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
