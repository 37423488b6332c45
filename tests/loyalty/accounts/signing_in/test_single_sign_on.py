"""Signing in with a company's accounts while the company's server is away, slow to mend or odd."""

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse
from pytest_httpserver import HTTPServer

from loyalty.web.addresses import common_page
from tests import factories
from tests.loyalty.accounts.invitations.test_invite import invite, newest_link, owner_of

pytestmark = pytest.mark.django_db
ANSWERS: dict[str, tuple[Any, int]] = {
    "an error": ("Bad gateway", 502),
    "a page": ("<html>", 200),
    "a list": ("[]", 200),
    "nothing in it": ("{}", 200),
    "no addresses": ('{"authorization_endpoint": null, "token_endpoint": 5}', 200),
}


@pytest.fixture
def server_url(settings: Any) -> Any:
    """Names the company's server."""

    def use(url: str) -> None:
        app = settings.OIDC_APP | {"client_id": "us", "secret": "s", "settings": {"server_url": url}}
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}

    return use


def _signs_in() -> Any:
    return Client().post(reverse("openid_connect_login", args=["company"]))


def test_the_company_s_button_leads_on_to_what_was_asked_for(server_url: Any) -> None:
    server_url("http://127.0.0.1:1")
    door, login = reverse("openid_connect_login", args=["company"]), common_page("admin:login")
    wrong = {"username": "ana@example.org", "password": "wrong"}
    pages = {
        f"{door}?process=login": [Client().get(login), Client().post(login, wrong)],
        f"{door}?process=login&amp;next=%2Fadmin%2Ftea%2F": [
            Client().get(login, {"next": "/admin/tea/"}),
            Client().post(login, wrong | {"next": "/admin/tea/"}),
        ],
        f"{door}?process=login&amp;next={quote(reverse('account_invitation'), safe='')}": [_invited()],
    }
    for address, answers in pages.items():
        for answer in answers:
            assert answer.status_code in (200, 429)
            assert f'action="{address}"' in answer.content.decode()


def _invited() -> Any:
    """The page that somebody new sees who followed an invitation."""
    invite(owner_of(factories.make_store()))
    client = Client()
    client.get(newest_link())
    return client.get(reverse("account_invitation"))


@pytest.mark.parametrize(
    "name", ["socialaccount_connections", "mfa_index", "usersessions_list", "account_change_password"]
)
def test_pages_of_an_account_open_while_the_company_s_server_is_away(server_url: Any, name: str) -> None:
    server_url("http://127.0.0.1:1")
    answer = owner_of(factories.make_store()).get(reverse(name), follow=True)
    assert (answer.status_code, "<h1" in answer.content.decode()) == (200, True)


def test_a_server_that_is_away_is_told_on_a_plain_page(server_url: Any) -> None:
    server_url("http://127.0.0.1:1")
    answer = _signs_in()
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert reverse("account_login") in answer.content.decode()
    assert "did not answer" in answer.content.decode()


@pytest.mark.parametrize(("body", "status"), ANSWERS.values(), ids=ANSWERS)
def test_a_server_that_answers_nonsense_is_told_on_a_plain_page(
    server_url: Any, httpserver: HTTPServer, body: str, status: int
) -> None:
    httpserver.expect_request("/.well-known/openid-configuration").respond_with_data(body, status=status)
    server_url(httpserver.url_for(""))
    assert _signs_in().status_code in (302, 503)


def test_the_way_back_while_the_server_is_away(server_url: Any, httpserver: HTTPServer) -> None:
    known = {"authorization_endpoint": httpserver.url_for("/ask"), "token_endpoint": httpserver.url_for("/token")}
    httpserver.expect_request("/.well-known/openid-configuration").respond_with_json(known)
    server_url(httpserver.url_for(""))
    client = Client()
    asked = client.post(reverse("openid_connect_login", args=["company"]))
    assert asked.status_code == 302
    state = asked["Location"].partition("state=")[2].partition("&")[0]
    server_url("http://127.0.0.1:1")
    answer = client.get(reverse("openid_connect_callback", args=["company"]), {"code": "c", "state": state})
    assert answer.status_code == 503
    assert "Back to signing in" in answer.content.decode()
