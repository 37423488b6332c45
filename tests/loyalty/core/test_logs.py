"""What stands in the logs, and what does not."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from loyalty.core.logs import DiscreetFormatter, without_secrets
from loyalty.serving.worker import logged

SECRET = "c4mzr_7b9d1f0a"
LINKS = [f"/accounts/invitations/1/{SECRET}/", f"/accounts/password/reset/key/{SECRET}/"]


def routes(resolver: Any = None, before: str = "") -> list[tuple[str, Any]]:
    """Every route below ``/accounts/`` with what it takes."""
    found: list[tuple[str, Any]] = []
    for entry in (resolver or get_resolver()).url_patterns:
        route = f"{before}{entry.pattern}"
        if isinstance(entry, URLResolver):
            found += routes(entry, route)
        elif isinstance(entry, URLPattern) and route.startswith("accounts/"):
            takes = {*getattr(entry.pattern, "converters", {}), *entry.pattern.regex.groupindex}
            found.append((route, takes))
    return found


def test_t6_no_other_address_of_signing_in_holds_a_secret() -> None:
    secret = [route for route, takes in routes() if takes & {"key", "secret", "token", "code"}]
    assert sorted(secret) == [
        "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        "accounts/invitations/<int:store_id>/<str:secret>/",
    ]


@pytest.mark.parametrize("link", LINKS)
def test_t6_the_access_log_has_no_link_that_lets_in(link: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with logged(SimpleNamespace(request=SimpleNamespace(command="GET", path=link), status="200 OK")):
        pass
    [line] = written(caplog)
    assert SECRET not in line
    assert line.startswith(f"GET {without_secrets(link)} 200 ")


def test_an_address_makes_no_second_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with logged(
        SimpleNamespace(request=SimpleNamespace(command="GET", path="/x\nERROR: all is lost"), status="404 No")
    ):
        pass
    assert written(caplog)[0].startswith("GET /x%0AERROR%3A%20all%20is%20lost 404 ")


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("to ana@example.com, +a.b%40example.co.jp.", "to (an address), (an address)."),
        ("ana@a.b+ben@c.d", "(an address)"),
        ("nobody@nowhere and @a.b", "nobody@nowhere and @a.b"),
        # Read again from each of its letters, this would take an hour.
        pytest.param("x" * 10**6, "x" * 10**6, id="a long word"),
    ],
)
def test_no_address_is_in_a_line_however_long(said: str, left: str) -> None:
    assert without_secrets(said) == left


def written(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines as they would be printed."""
    return [DiscreetFormatter("%(message)s").format(record) for record in caplog.records]


@pytest.mark.django_db
@pytest.mark.parametrize("link", LINKS)
def test_t6_a_link_that_is_wrong_is_logged_without_its_secret(
    link: str, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client.delete(link)
    lines = written(caplog)
    assert any("/accounts/" in line for line in lines)
    assert not any(SECRET in line for line in lines)
