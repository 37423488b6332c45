"""No method, key, header or text in a request is answered with 5xx, at any address of the API."""

import gzip
import zlib
from typing import Any

import pytest
from django.test import Client, RequestFactory

from loyalty.stores.models import Customer
from loyalty.wsgi import application
from tests.loyalty.api.addresses import METHODS, OPERATIONS, filled_with
from tests.loyalty.api.support import ApiClient, connections_kept

OTHERS = ("PUT", "TRACE", "CONNECT", "INITIAL")
PATHS = [(method, filled_with(address, "1")) for method, address in OPERATIONS]
WITH_BODY = [(method, path) for method, path in PATHS if method in ("POST", "PATCH")]
EVERYWHERE = sorted({path for _, path in PATHS})


def test_options_answers_200_with_allow_to_anybody(client: Client) -> None:
    for address in EVERYWHERE:
        answer = client.options(f"/api/v1{address}")
        allowed = set(answer.headers["Allow"].split(", "))
        assert (answer.status_code, answer.content) == (200, b"")
        assert allowed - {"OPTIONS", "HEAD"} == {method for method, path in PATHS if path == address}
    assert client.options("/api/v1/nothing/").status_code == 404


def test_a_method_that_is_not_there_is_405_whatever_else_is_wrong(client: Client) -> None:
    for address in EVERYWHERE:
        allowed = client.options(f"/api/v1{address}").headers["Allow"]
        for method in {*METHODS, *OTHERS} - set(allowed.split(", ")):
            answer = client.generic(method, f"/api/v1{address}?colour=red", "{", content_type="text/plain")
            assert (answer.status_code, answer.headers.get("Allow")) == (405, allowed), (method, address)


MALFORMED = {
    "a key twice": '{"amount": "1.00", "amount": "900.00"}',
    "a key twice within": r'{"extend": [{"a": {"b": 1, "\u0062": 1}}]}',
    "nested deeply": "[" * 900 + "]" * 900,
    "nested more than the parser goes": '{"a":' * 100_000,
    "nested more than anybody reads": '{"reason": ' + "[" * 40 + "]" * 40 + "}",
    "no number": '{"amount": NaN}',
    "infinite": '{"amount": -Infinity}',
    "an exponent beyond all": '{"amount": 1E+9999999999999999999}',
    "more digits than are read": '{"amount": ' + "9" * 5000 + "}",
    "UTF-16": '{"amount": "1.00"}'.encode("utf-16"),
    "half a character": b'{"reason": "\xc3"}',
    "half of a pair as bytes": b'{"reason": "\xed\xa0\x80"}',
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_malformed_json_is_400_everywhere(api: ApiClient, body: Any) -> None:
    for method, address in WITH_BODY:
        answer = api.send(method, address, body, idempotency_key="k")
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed-json"), (method, address)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (r'{"reason": "a\u0000b"}', "/reason"),
        (r'{"reason": "\ud800"}', "/reason"),
        (r'{"\uDFFF": 1}', ""),
        (r'{"extend": {"a/b": [{"\u0000": 1}]}}', "/extend/a~1b/0"),
        (r'{"tags": ["\ud83e\udd84", "\u0000"]}', "/tags/1"),
    ],
)
def test_texts_that_nothing_can_store_are_422_at_their_pointer(api: ApiClient, body: str, pointer: str) -> None:
    for method, address in WITH_BODY:
        answer = api.send(method, address, body, idempotency_key="k")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), (method, address)
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_texts_of_whole_pairs_are_texts(api: ApiClient) -> None:
    assert api.send("POST", "/customers/", r'{"name": "\ud83e\udd84 \u05d0"}').json()["name"] == "🦄 א"


@pytest.mark.parametrize(
    "headers",
    [
        {"accept": "\x7f;;=,*/"},
        {"accept": "text/html"},
        {"accept-language": "zz-🦄-" + "x" * 5000},
        {"authorization": "Bearer lbo_\x00_\x00"},
        {"authorization": "Bearer lbo_é_ü"},
        {"if-match": '"99999999999999999999"'},
        {"if-match": "W/\xff\x00"},
        {"idempotency-key": "\x00"},
        {"idempotency-key": "ключ"},
        {"idempotency-key": "x" * 5000},
        {"content-type": "\x7f/;;"},
        {"content-type": ""},
        {"content-type": "multipart/form-data"},
        {"range": "bytes=-99999999999999999999"},
        {"x-forwarded-for": "\x00"},
        {"host": "a b"},
    ],
    ids=str,
)
def test_no_header_is_answered_with_5xx(api: ApiClient, customer: Customer, headers: dict[str, str]) -> None:
    content_type = headers.pop("content-type", "application/json")
    for method, address in (
        ("GET", "/customers/"),
        ("PATCH", f"/customers/{customer.pk}/"),
        ("POST", f"/customers/{customer.pk}/points/"),
        ("GET", "/schema/"),
    ):
        answer = api.generic(method, f"/api/v1{address}", b'{"name": "x"}', content_type, headers=headers)
        assert answer.status_code < 500, (method, address)


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("br", bytes)])
def test_a_body_that_is_packed_is_415_with_a_word_why(api: ApiClient, coding: str, pack: Any) -> None:
    answer = api.send("POST", "/customers/", pack(b'{"name": "Ana"}'), content_encoding=coding)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
    assert coding in answer.json()["detail"]
    assert api.send("POST", "/customers/", b'{"name": "Ana"}', content_encoding="identity").status_code == 201


@pytest.mark.parametrize(
    "cursor",
    [
        "-id.f.",
        "-id.f.9999999999999999999",
        "-id.x.1",
        "id.f.1",
        "-id.f.1.1",
        "-id.f.\u0661",
        "-id.f.1 ",
        "-placed_at.f.1",
    ],
)
def test_a_cursor_that_is_none_of_the_list_is_400_naming_it(api: ApiClient, cursor: str) -> None:
    answer = api.read("/customers/", cursor=cursor)
    assert (answer.status_code, answer.json()["parameter"]) == (400, "cursor")


@pytest.mark.parametrize("micros", ["0", "-999999999999999999", "999999999999999999"])
def test_a_cursor_beyond_every_row_is_an_empty_page_or_all_of_it(api: ApiClient, micros: str) -> None:
    for name in ("-placed_at", "placed_at", "-updated_at"):
        answer = api.read("/orders/", cursor=f"{name}.f.{micros}.1")
        assert (answer.status_code, answer.json()["results"]) == (200, [])


@pytest.mark.parametrize("charset", ["hex", "undefined", "idna", "utf-16", "x\x00y", '"hex"'])
def test_a_charset_that_decodes_no_text_is_overlooked(api: ApiClient, customer: Customer, charset: str) -> None:
    factory = RequestFactory(headers={"authorization": api.defaults["HTTP_AUTHORIZATION"]})
    environ = factory.generic("PATCH", f"/api/v1/customers/{customer.pk}/?%C3%A9=%FF", "{}").environ
    environ["CONTENT_TYPE"] = f"application/json; charset={charset}"
    statuses: list[str] = []
    with connections_kept():
        body = b"".join(application(environ, lambda status, _headers: statuses.append(status)))
    assert statuses == ["400 Bad Request"]
    assert "“é”" in body.decode()


QUERIES = [
    "%00", "a=%00", "limit=%00", "cursor=%00", "cursor=%ff", "cursor=a:b", "cursor=" + "x" * 100_000,
    "ordering=%00", "search=%00", "search=" + "x" * 100_000, "customer=%00", "customer=99999999999999999999",
    "placed_after=%00", "created_after=9999-12-31T23:59:59Z", "created_before=0001-01-01T00:00:00%2B14:00",
    "as_of=0001-01-01T00:00:00%2B14:00", "from=0001-01-01&to=9999-12-31", "expires_before=0001-01-01",
    "expires_before=9999-12-31", "status=%ed%a0%80", "type=%00", "&".join(f"a{number}=" for number in range(2000)),
    "lang=%00", "version=%00",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query[:40])
def test_no_query_is_answered_with_5xx(api: ApiClient, query: str) -> None:
    for method, address in PATHS:
        if method == "GET" or "%00" in query:
            answer = api.generic(method, f"/api/v1{address}?{query}", b"", "application/json")
            assert answer.status_code < 500, (method, address)


@pytest.mark.parametrize("text", ["%00", "%ff", "%ed%a0%80", "9" * 30, "٣", "x" * 5000, "..%2f"])
def test_no_id_is_answered_with_5xx(api: ApiClient, text: str) -> None:
    for method, address in OPERATIONS:
        if "<" in address:
            answer = api.generic(method, f"/api/v1{filled_with(address, text)}", b"{}", "application/json")
            assert answer.status_code in (400, 404, 422), (method, address)
