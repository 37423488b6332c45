"""Signing in as people do it: with an app, a passkey, an invitation; on a phone, in the dark, without scripts."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, Page, expect

from loyalty.accounts.prove import prove
from loyalty.stores.models import Role, SecondFactor, Store, User
from tests.addresses import reverse
from tests.browser.screens import fits
from tests.factories import make_user
from tests.loyalty.accounts.mailbox import letters_to, link_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse"
BACK_OFFICE = re.compile(r"/admin/(?!login/)")


@pytest.fixture
def open_page(browser: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """A fresh browser at a path; passkeys want a name, so it goes to localhost."""
    contexts = []
    failures: list[str] = []

    def fresh(path: str, **options: Any) -> Page:
        context = browser.new_context(**({"viewport": {"width": 390, "height": 844}} | options))
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("console", lambda said: failures.append(said.text) if "Content Security" in said.text else None)
        page.goto(live_server.url.replace("127.0.0.1", "localhost") + path)
        return page

    yield fresh
    for context in contexts:
        context.close()
    assert not failures, failures


@pytest.fixture
def owner(store: Store) -> User:
    user = make_user((store, Role.OWNER), email="anna@tea.example")
    prove(user)
    return user


def sign_in(page: Page, user: User) -> None:
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_t6_an_app_is_set_up_when_the_store_asks_and_used_from_then_on(
    open_page: Callable[..., Page], owner: User, store: Store
) -> None:
    Store.objects.filter(pk=store.pk).update(second_factor=SecondFactor.EVERYBODY)
    page = open_page(reverse("admin:login"), java_script_enabled=False)
    assert fits(page)
    sign_in(page, owner)
    expect(page.get_by_role("alert")).to_contain_text("Taipei Tea asks for a second factor")
    page.get_by_role("link", name="Set up the app").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    secret = page.get_by_label("Key", exact=True).input_value()
    assert fits(page)
    page.get_by_label("The six digits").fill(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_label("Unused codes")).to_be_visible()
    recovery = page.get_by_label("Unused codes").input_value().split()[0]
    page.get_by_role("link", name="Back to the back-office").click()
    expect(page).to_have_url(BACK_OFFICE)

    again = open_page(reverse("admin:login"), java_script_enabled=False, color_scheme="dark")
    sign_in(again, owner)
    again.get_by_label("Code").fill(recovery)
    again.get_by_role("button", name="Sign in").click()
    expect(again).to_have_url(BACK_OFFICE)


def test_t6_a_passkey_is_added_and_lets_in_without_a_password(open_page: Callable[..., Page], owner: User) -> None:
    page = open_page(reverse("admin:login"))
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    key = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": key | {"isUserVerified": True}})
    sign_in(page, owner)
    page.goto(page.url.split("/admin")[0] + reverse("mfa_index"))
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_label("Unused codes")).to_be_visible()
    page.context.clear_cookies()
    page.goto(page.url.split("/accounts")[0] + reverse("admin:login"))
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(BACK_OFFICE)


def test_t6_somebody_new_comes_by_invitation(open_page: Callable[..., Page], visit: Callable[..., Page]) -> None:
    page = visit(reverse("admin:stores_membership_add"), role=Role.OWNER, viewport={"width": 390, "height": 844})
    page.get_by_label("E-mail address").fill("dora@tea.example")
    page.get_by_role("button", name="Send invitation").click()
    expect(page.locator("#invitations")).to_contain_text("dora@tea.example")
    [text] = letters_to("dora@tea.example")
    new = open_page(link_in(text), java_script_enabled=False)
    assert fits(new)
    new.get_by_label("Your name").fill("Dora")
    new.get_by_label("Choose a password").fill("only dora knows")
    new.get_by_label("The same again").fill("only dora knows")
    new.get_by_role("button", name="Accept and sign in").click()
    expect(new.get_by_text("You now work in Taipei Tea. Your role: Support.")).to_be_visible()
