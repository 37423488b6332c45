"""What every browser test looks at."""

from playwright.sync_api import Page


def fits(page: Page) -> bool:
    """Whether nothing has to be scrolled sideways, once the page that a click asked for is there."""
    page.wait_for_load_state()
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
