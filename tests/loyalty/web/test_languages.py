"""Who gets which language: programs what they ask for, staff their browser's or their store's."""

import pytest
from django.test import Client

from loyalty.stores.keys import create_api_key
from loyalty.stores.models import Role, Store
from tests import factories
from tests.loyalty.api.support import ApiClient

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("asked", "language"), [("", "en"), ("de-AT,fr;q=0.5", "de"), ("zh-TW", "zh-hant"), ("fr", "en")]
)
def test_rest_answers_in_the_language_that_is_asked_for(asked: str, language: str) -> None:
    store = factories.make_store(locale="ja")
    api = ApiClient(create_api_key(store=store, name="test", scopes=["*"], now=factories.NOW)[1])
    answer = api.get("/api/v1/orders/", headers={"accept-language": asked})
    assert answer.headers["Content-Language"] == language
    assert "accept-language" in answer.headers["Vary"].lower()


@pytest.mark.parametrize(("asked", "language"), [("", "ja"), ("de", "de"), ("fr", "ja")])
def test_staff_get_their_browser_s_language_else_the_store_s(asked: str, language: str) -> None:
    store: Store = factories.make_store(locale="ja")
    browser = Client(headers={"accept-language": asked} if asked else None)
    browser.force_login(factories.make_user((store, Role.OWNER)))
    answer = browser.get(f"/admin/{store.slug}/")
    assert answer.status_code == 200
    assert answer.headers["Content-Language"] == language
    assert f'lang="{language}"' in answer.text


def test_staff_choose_a_language_on_their_profile_and_go_back_to_their_browser_s() -> None:
    store: Store = factories.make_store(locale="ja")
    user = factories.make_user((store, Role.OWNER))
    browser = Client(headers={"accept-language": "de"})
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.post("/accounts/language/", {"language": "zh-hant"}).status_code == 302
    assert browser.get(f"/admin/{store.slug}/").headers["Content-Language"] == "zh-hant"
    assert browser.get("/accounts/language/").headers["Content-Language"] == "zh-hant"
    assert browser.post("/accounts/language/", {"language": "fr"}).status_code == 200
    browser.post("/accounts/language/", {"language": ""})
    assert browser.get(f"/admin/{store.slug}/").headers["Content-Language"] == "de"


def test_l8_a_language_that_is_not_spoken_any_more_is_the_browser_s() -> None:
    store: Store = factories.make_store()
    browser = Client()
    user = factories.make_user((store, Role.OWNER), language="xx")
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get(f"/admin/{store.slug}/").headers["Content-Language"] == "en"


def test_whoever_has_no_store_yet_gets_the_browser_s_language() -> None:
    assert Client().get("/admin/login/").headers["Content-Language"] == "en"
    german = Client(headers={"accept-language": "de"}).get("/admin/login/")
    assert german.headers["Content-Language"] == "de"
