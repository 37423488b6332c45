"""Chromium over the running pages, on the fifth of January 2026."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from loyalty.stores.models import Role, Store
from tests.factories import NOW, make_store, make_user

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Playwright's event loop runs in the test's thread, where Django would refuse to ask the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def chromium() -> str | None:
    """Where Debian's Chromium is, or another one that the environment names."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


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


@pytest.fixture
def visit(browser: Browser, live_server: Any, store: Store) -> Iterator[Callable[..., Page]]:
    """Opens a page as a member of the store's staff, support by default; other arguments are the browser context's."""
    open_contexts: list[BrowserContext] = []
    failures: list[str] = []

    def open_page(path: str, *, role: Role = Role.SUPPORT, store: Store = store, **options: Any) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 1000}} | options))
        open_contexts.append(context)
        context.set_default_timeout(15_000)
        client = Client()
        client.force_login(make_user((store, role)), backend="django.contrib.auth.backends.ModelBackend")
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto(f"{live_server.url}{path}")
        return page

    expect.set_options(timeout=15_000)
    yield open_page
    for context in open_contexts:
        context.close()
    assert not failures, "a page's script failed"
