"""The pages *Words*: what is typed is checked, shown, sent to oneself, saved and taken back (H3, H4)."""

from email import message_from_bytes, policy
from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from loyalty.accounts.letters import deliver_letters
from loyalty.accounts.models import Letter
from loyalty.store_settings.logo import logo_named
from loyalty.store_settings.sections import current_settings
from loyalty.store_settings.words import PLACEHOLDERS
from loyalty.stores.logos import Logo
from loyalty.stores.models import Role, SettingsVersion, Store
from tests.addresses import reverse
from tests.factories import NOW
from tests.orders.admin.reverts.cases import staff, store_and_staff
from tests.pictures import picture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

WORDS = {"subject": "{store}: {order} is off", "opening": "Hi {customer},\r\n<b>{amount}</b>", "closing": ""}


@pytest.fixture
def shop() -> tuple[Store, Client]:
    return store_and_staff(Role.MANAGER)


def save(client: Client, version: int, **values: str) -> Any:
    sent = {"card": "cancelled", "version": version, **WORDS, **values}
    return client.post(reverse("admin:stores_settingsversion_words_en"), sent)


def letter(name: str = "letter", about: str = "cancelled", language: str = "en") -> str:
    return reverse(f"admin:stores_settingsversion_{name}", [language, about])


def test_h3_words_are_saved_and_back_to_ours_undoes_it(shop: tuple[Store, Client]) -> None:
    store, client = shop
    assert save(client, 0).status_code == 302
    kept = current_settings(store).words.en.cancelled
    assert (kept.subject, kept.opening) == ("{store}: {order} is off", "Hi {customer},\n<b>{amount}</b>")
    page = client.get(reverse("admin:stores_settingsversion_words_en"))
    assert "An order was cancelled: Subject" in page.content.decode()
    assert "Back to ours" in page.content.decode()

    assert save(client, 1, _ours="1").status_code == 302
    assert current_settings(store).words.en.cancelled.subject == ""
    assert current_settings(store).version == 2


def test_h3_a_placeholder_that_there_is_not_is_named_beside_its_field(shop: tuple[Store, Client]) -> None:
    store, client = shop
    refused = save(client, 0, opening="{x.__class__}")
    assert "There is no placeholder “{x.__class__}”." in refused.content.decode()
    assert current_settings(store).version == 0


def test_h3_an_example_shows_what_is_typed_before_it_is_saved(shop: tuple[Store, Client]) -> None:
    store, client = shop
    shown = client.post(letter(), WORDS)
    page = shown.content.decode()
    assert f"{store.name}: 1001 is off" in page
    assert "Hi Ana Lee,<br>&lt;b&gt;5.00 USD and 100 points&lt;/b&gt;" in page
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert "script-src" not in shown.headers["Content-Security-Policy"]
    assert shown.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert current_settings(store).version == 0
    refused = client.post(letter(), {"opening": "{0}"}).content.decode()
    assert "<strong>Opening lines</strong><br>There is no placeholder" in refused


def test_h3_what_a_placeholder_brings_is_written_as_its_letters_write_it(shop: tuple[Store, Client]) -> None:
    store, client = shop
    page = reverse("admin:stores_settingsversion_words_zh_hant")
    assert "such as “USD 5.00 和 100 點”" in client.get(page).content.decode()
    client.post(page, {"card": "names", "version": 0, "credits": "", "points": "金幣"})
    assert current_settings(store).version == 1
    assert "such as “USD 5.00 和 100 金幣”" in client.get(page).content.decode()


@pytest.mark.parametrize("about", PLACEHOLDERS)
def test_h3_every_kind_of_letter_has_an_example_with_all_of_its_placeholders(
    shop: tuple[Store, Client], about: Any
) -> None:
    text = " / ".join(f"{{{name}}}" for name in PLACEHOLDERS[about])
    page = shop[1].post(letter(about=about, language="zh_hant"), {"opening": text}).content.decode()
    assert "{" not in page.partition("<body")[2]
    assert '<html lang="zh-hant">' in page


def test_h3_a_test_goes_to_oneself_alone_and_not_without_end(shop: tuple[Store, Client]) -> None:
    store, client = shop
    _, support = staff(store, Role.SUPPORT)
    assert "is on its way to" in client.post(letter("trial"), {**WORDS, "email": support.email}).content.decode()
    assert deliver_letters(NOW)["sent"] == 1
    (sent,) = mail.outbox
    assert isinstance(sent, mail.EmailMultiAlternatives)
    assert sent.subject == f"Test: {store.name}: 1001 is off"
    assert sent.to != [support.email]
    assert sent.message()["Content-Language"] == "en"

    for _ in range(20):
        client.post(letter("trial"), WORDS)
    assert Letter.objects.count() == 19
    assert "many tests in a short time" in client.post(letter("trial"), WORDS).content.decode()
    assert client.post(letter("trial"), {"opening": "{0}"}).status_code == 200


def test_t2_who_may_not_change_settings_sends_no_test(shop: tuple[Store, Client]) -> None:
    client, _ = staff(shop[0], Role.SUPPORT)
    assert client.post(letter("trial"), WORDS).status_code == 403
    assert client.get(letter()).status_code == 200
    assert client.get(letter(about="unknown")).status_code == 404


def bring(client: Client, content: bytes, version: int, **values: str) -> Any:
    sent = {"card": "logo", "version": version, "logo": SimpleUploadedFile("logo.png", content), **values}
    return client.post(reverse("admin:stores_settingsversion_letters"), sent)


def test_h3_a_logo_is_shown_sent_and_taken_away_and_comes_back_with_its_version(shop: tuple[Store, Client]) -> None:
    store, client = shop
    assert bring(client, picture(), 0).status_code == 302
    logo = logo_named(store, current_settings(store).letterhead.logo)
    assert logo
    page = client.get(reverse("admin:stores_settingsversion_letters")).content.decode()
    assert f'src="{logo.data_uri}"' in page
    assert "from <em>none</em> to <em>a picture of 120 by 40 pixels" in page
    shown = client.get(letter())
    assert f'src="{logo.data_uri}"' in shown.content.decode()
    assert "cid:" not in shown.content.decode()
    assert "img-src data:;" in shown.headers["Content-Security-Policy"]
    client.post(letter("trial"), WORDS)
    deliver_letters(NOW)
    sent = message_from_bytes(mail.outbox[0].message().as_bytes(), policy=policy.default)
    _words, enclosed = sent.iter_parts()
    assert enclosed.get_content() == logo.content

    assert bring(client, b"", 1, _ours="1").status_code == 302
    assert current_settings(store).letterhead.logo == ""
    assert "<img" not in client.get(letter()).content.decode()
    restored = SettingsVersion.objects.for_store(store).get(version=1)
    client.post(reverse("admin:stores_settingsversion_restore", args=[restored.pk, "letters"]), {"version": 2})
    assert current_settings(store).letterhead.logo == logo.name


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "or it is broken"),
        (b"<html>", "or it is broken"),
        (b"<svg>", "Save it as PNG"),
        (bytes(700_001), "700 KB at most"),
    ],
)
def test_h3_what_is_no_logo_is_refused_beside_its_field(shop: tuple[Store, Client], content: bytes, words: str) -> None:
    store, client = shop
    assert words in bring(client, content, 0).content.decode()
    assert (
        "Choose a picture first."
        in client.post(reverse("admin:stores_settingsversion_letters"), {"card": "logo", "version": 0}).content.decode()
    )
    assert current_settings(store).version == 0


def test_h3_a_logo_that_comes_too_late_is_not_kept(shop: tuple[Store, Client]) -> None:
    store, client = shop
    save(client, 0)
    assert "Choose the picture again" in bring(client, picture(), 0).content.decode()
    assert current_settings(store).letterhead.logo == ""
    assert not Logo.objects.for_store(store).exists()
