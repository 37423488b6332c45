"""Keys, scopes, problems: what holds at every address."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator

from loyalty.api.answers.codes import FIELDS, PROBLEMS
from loyalty.api.answers.problems import problem_of
from loyalty.api.views import ApiView
from loyalty.core.errors import DomainError
from loyalty.languages.spoken import CODES
from loyalty.stores.keys import ALL_SCOPES, Scope, create_api_key, revoke_api_key
from loyalty.stores.models import ApiKey, Store
from tests.loyalty.api.support import NOW, ApiClient, ClientFor

PROBLEM = "application/problem+json"
METHODS = ("get", "post", "patch", "delete")
# Staff and commands meet these, REST clients never do.
NEVER_OVER_REST = {
    "above-limit",
    "bundle-refused",
    "invitation-not-yours",
    "invitation-over",
    "last-owner",
    "message-done",
    "not-paid-after-cancellation",
    "number-taken",
    "store-differs",
    "too-many-invitations",
    "works-here",
}


def api_views(patterns: Any = None) -> Iterator[tuple[str, type[ApiView]]]:
    """Every view of the API with its address."""
    for pattern in get_resolver("loyalty.api.urls").url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from api_views(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "view_class", None)
            if isinstance(view, type) and issubclass(view, ApiView):
                yield str(pattern.pattern), view


def test_the_store_of_the_key(api: ApiClient) -> None:
    response = api.read("/store/")
    assert response.status_code == 200
    assert response.json() == {
        "name": "Tea", "slug": "tea", "currency": "USD", "time_zone": "Asia/Taipei", "locale": "en",
    }  # fmt: skip


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic abc", "Bearer lbo_aa_", "Bearer lbo_é_ü"])
def test_t3_without_a_good_key_401(header: str | None, store: Store) -> None:
    client = Client(headers={} if header is None else {"authorization": header})
    response = client.get("/api/v1/store/")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert response["Content-Type"] == PROBLEM
    assert response.json()["code"] == "not-authenticated"


def test_t3_revoked_and_expired_keys_are_no_keys(store: Store, clock: Any) -> None:
    row, text = create_api_key(store=store, name="k", scopes=["*"], now=NOW, expires_at=NOW + timedelta(hours=1))
    client = ApiClient(text)
    assert client.read("/store/").status_code == 200
    assert ApiClient(f"{text}x").read("/store/").status_code == 401
    clock.shift(timedelta(hours=1))
    assert client.read("/store/").status_code == 401
    clock.shift(timedelta(hours=-1))
    revoke_api_key(store=store, api_key_id=row.pk, now=NOW)
    assert client.read("/store/").status_code == 401


def test_t3_the_key_is_stored_hashed_and_its_use_noted_once_a_minute(
    store: Store, clock: Any, django_assert_num_queries: Any
) -> None:
    row, text = create_api_key(store=store, name="k", scopes=["*"], now=NOW)
    client = ApiClient(text)
    assert text.rpartition("_")[2] not in row.secret_hash
    with django_assert_num_queries(2):
        client.read("/store/")
    with django_assert_num_queries(1):
        client.read("/store/")
    clock.shift(timedelta(seconds=61))
    client.read("/store/")
    assert ApiKey.unscoped.get(pk=row.pk).last_used_at == NOW + timedelta(seconds=61)


@pytest.mark.parametrize(("address", "view"), list(api_views()), ids=str)
def test_every_method_of_every_view_names_a_known_scope(address: str, view: type[ApiView]) -> None:
    methods = {method.upper() for method in METHODS if hasattr(view, method)}
    assert methods, address
    assert set(view.required_scopes) == methods
    assert set(view.required_scopes.values()) <= set(Scope)


@pytest.mark.parametrize(("address", "view"), list(api_views()), ids=str)
def test_every_method_of_every_view_refuses_a_key_without_its_scope(
    address: str, view: type[ApiView], store: Store, client_for: ClientFor
) -> None:
    path = "/" + "/".join("1" if part.startswith("<") else part for part in address.split("/"))
    for method, scope in view.required_scopes.items():
        others = [other for other in Scope if other != scope]
        response = client_for(store, others).send(method, path, {})
        assert response.status_code == 403, path
        assert response.json()["code"] == "missing-scope"
        assert scope in response.json()["detail"]


def test_a_method_that_is_not_there_is_405(api: ApiClient) -> None:
    response = api.send("POST", "/store/", {})
    assert (response.status_code, response.json()["code"]) == (405, "method-not-allowed")
    assert api.send("DELETE", "/store/").status_code == 405


@pytest.mark.parametrize("path", ["/nothing/", "/store", "/customers/1/nothing/"])
def test_unknown_addresses_are_problems(path: str, client: Client) -> None:
    response = client.get(f"/api/v1{path}")
    assert (response.status_code, response["Content-Type"]) == (404, PROBLEM)


def test_unknown_parameters_are_400_naming_them(api: ApiClient) -> None:
    response = api.read("/store/", colour="red")
    assert response.status_code == 400
    assert response.json()["code"] == "invalid-parameter"
    assert response.json()["parameter"] == "colour"
    assert "colour" in response.json()["detail"]


def test_bodies_that_are_not_json(api: ApiClient) -> None:
    for body in ("{", "[1,", b"\xff\xfe", "[" * 100_000, '{"a": NaN}'):
        response = api.send("POST", "/customers/", body)
        assert (response.status_code, response.json()["code"]) == (400, "malformed-json")
    response = api.post("/api/v1/customers/", {"name": "x"})
    assert (response.status_code, response.json()["code"]) == (415, "unsupported-media-type")
    assert api.send("POST", "/customers/", "[]").status_code == 422


def test_bodies_over_one_megabyte_are_413(api: ApiClient) -> None:
    response = api.send("POST", "/customers/", '{"name": "' + "x" * 1024 * 1024 + '"}')
    assert (response.status_code, response.json()["code"]) == (413, "too-large")


def test_failures_are_500_without_details(api: ApiClient, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    problem = problem_of(RuntimeError("the password is rosebud"))
    assert problem.status == 500
    assert "rosebud" not in str(problem.to_json())
    assert "rosebud" in caplog.text


def test_a_database_that_is_away_is_503(caplog: pytest.LogCaptureFixture) -> None:
    problem = problem_of(OperationalError("the server closed the connection"))
    assert (problem.status, problem.code) == (503, "unavailable")
    assert problem.headers["Retry-After"]
    assert "closed the connection" not in str(problem.to_json())


def test_past_the_rate_429_with_retry_after(api: ApiClient, foreign_api: ApiClient, settings: Any, clock: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    assert [api.read("/store/").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    refused = api.read("/store/")
    assert refused.json()["code"] == "too-many-requests"
    assert foreign_api.read("/store/").status_code == 200
    clock.shift(timedelta(seconds=int(refused["Retry-After"])))
    assert api.read("/store/").status_code == 200


def test_nobody_is_refused_while_the_cache_is_away(api: ApiClient, settings: Any) -> None:
    away = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": away}
    settings.API_REQUESTS_PER_MINUTE = 1
    assert [api.read("/store/").status_code for _ in range(3)] == [200, 200, 200]


def _errors(family: type[DomainError]) -> Iterator[type[DomainError]]:
    yield family
    for kind in family.__subclasses__():
        yield from _errors(kind)


def test_the_list_of_codes_is_that_of_the_code(api: ApiClient) -> None:
    for kind in _errors(DomainError):
        if "code" in vars(kind) and kind.code not in NEVER_OVER_REST:
            assert PROBLEMS[kind.code][1] == kind.title, kind
    schema = api.get("/api/v1/schema/").json()
    for code in (*PROBLEMS, *FIELDS):
        assert f"`{code}`" in schema["info"]["description"]


def test_schema_and_docs_are_public(client: Client, db: None) -> None:
    schema = client.get("/api/v1/schema/").json()
    assert schema["openapi"].startswith("3.1")
    page = client.get("/api/v1/docs/")
    assert page.status_code == 200
    assert "script-src 'self';" in page["Content-Security-Policy"]
    assert b"<script>" not in page.content
    assert b"/api/v1/schema/" in client.get("/api/v1/docs/?script=").content


def test_the_schema_is_made_once_in_each_language(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked() -> list[bytes]:
        return [
            client.get(f"/api/v1/schema/?version={wish}", headers={"accept-language": wish}).content for wish in CODES
        ]

    made = asked()
    assert len(set(made)) == len(CODES)
    monkeypatch.setattr(SchemaGenerator, "get_schema", None)
    assert asked() == made


def test_scopes_of_a_key_are_known(store: Store) -> None:
    assert ALL_SCOPES not in set(Scope)
    for scopes in ([], ["orders:fly"]):
        with pytest.raises(DomainError, match="scope"):
            create_api_key(store=store, name="k", scopes=scopes, now=NOW)
