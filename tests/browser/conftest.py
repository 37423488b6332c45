"""Chromium over the running pages, on the fifth of January 2026."""

import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from loyalty.stores.models import Role, Store
from tests.factories import NOW, make_store, make_user

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Each visit comes from an empty page. Without these it gets a process of its own, which compiles our scripts anew.
    "--process-per-site",
    "--renderer-process-limit=1",
)

# Playwright's event loop runs in the test's thread, where Django would refuse to ask the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


# The one that has no windows takes a sixth less of the processor for the same pages.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """Where a Chromium is: the one that the environment names, or what the system has, as ./run looks for it."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip("no Chromium here: apt-get install chromium, or name one in CHROMIUM")
    with sync_playwright() as playwright:
        shown = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield shown
        shown.close()
        # While Playwright's event loop runs, Django keeps other connections for this thread, which nobody finds later.
        connections.close_all()


@pytest.fixture
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def store(transactional_db: None, clock: None) -> Store:
    return make_store(name="Taipei Tea")


@pytest.fixture(scope="package")
def tabs(browser: Browser) -> dict[str, list[Page]]:
    """Tabs that tests are done with, by their options: to open one costs more than most tests do in it."""
    return defaultdict(list)


@pytest.fixture
def visit(
    browser: Browser, tabs: dict[str, list[Page]], live_server: Any, store: Store
) -> Iterator[Callable[..., Page]]:
    """Opens a page as a member of the store's staff, support by default; other arguments are the browser context's."""
    used: list[tuple[dict[str, Any], Page]] = []
    failures: list[str] = []

    def note(error: Error) -> None:
        failures.append(str(error))

    def open_page(path: str, *, role: Role = Role.SUPPORT, store: Store = store, **options: Any) -> Page:
        free = tabs[repr(options)]
        page = free.pop() if free else _new_tab(browser, base_url=live_server.url, **options)
        used.append((options, page))
        client = Client()
        client.force_login(make_user((store, role)), backend="django.contrib.auth.backends.ModelBackend")
        name = settings.SESSION_COOKIE_NAME
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page.on("pageerror", note)
        page.goto(path)
        return page

    expect.set_options(timeout=15_000)
    yield open_page
    for options, page in used:
        page.remove_listener("pageerror", note)
        _empty(page, options)
        tabs[repr(options)].append(page)
    assert not failures, "a page's script failed"


def _new_tab(browser: Browser, **options: Any) -> Page:
    usual = {"viewport": {"width": 1280, "height": 1000}, "permissions": ["clipboard-write"]}
    context = browser.new_context(**(usual | options))
    context.set_default_timeout(15_000)
    return context.new_page()


def _empty(page: Page, options: dict[str, Any]) -> None:
    """Leave nothing of a test in a tab, but for what it has cached of our static files."""
    page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.context.clear_cookies()
    page.emulate_media(media="screen", color_scheme=options.get("color_scheme", "light"))
    page.goto("about:blank")
