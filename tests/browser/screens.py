"""What every browser test looks at, and in which ways."""

import os
from typing import Any, Final

import pytest
from playwright.sync_api import Page, ViewportSize

PHONE_SCREEN: Final[ViewportSize] = {"width": 390, "height": 844}
NO_SCRIPT: Final[dict[str, Any]] = {"java_script_enabled": False}
PHONE: Final[dict[str, Any]] = {
    "viewport": PHONE_SCREEN, "has_touch": True, "is_mobile": True, "color_scheme": "dark",
}  # fmt: skip
# The ways that differ most. Scripts on a wide page are what all the other tests look at.
WAYS: Final = [pytest.param(NO_SCRIPT, id="no script"), pytest.param(PHONE, id="phone, dark")]

_FITS: Final = """document.fonts.ready.then(
    () => document.documentElement.scrollWidth <= document.documentElement.clientWidth)"""


def fits(page: Page) -> bool:
    """Whether nothing has to be scrolled sideways, once the page that a click asked for and its fonts are there.

    Until the font of the icons is there, each is a long word.
    """
    page.wait_for_load_state()
    return bool(page.evaluate(_FITS))


def picture(page: Page, name: str, options: dict[str, Any] | None = None) -> None:
    """Keep a picture for people to look at, in the folder that SCREENSHOTS names."""
    if folder := os.environ.get("SCREENSHOTS"):
        way = {id(NO_SCRIPT): "-no-script", id(PHONE): "-phone"}.get(id(options), "")
        page.screenshot(path=f"{folder}/{name}{way}.png", full_page=True)


def looked_at(page: Page, name: str) -> None:
    """A page on a phone in the dark fits; with SCREENSHOTS in the environment, pictures of it and of a wide one."""
    assert fits(page)
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}-phone-dark.png", full_page=True)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1280, "height": 1000})
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size(PHONE_SCREEN)
