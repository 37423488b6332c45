"""The platforms' signatures, held against their public vectors and written-out digests."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from loyalty.platforms.http.signatures import Signed
from loyalty.platforms.registry import PLATFORMS
from loyalty.platforms.shopline.webhooks import REPLAY_WINDOW
from tests.deliveries import mac

# SHOPLINE's own example.
VECTOR_SECRET = "b5138dd0a7c04f674260e1d3b3a762347421396fc5fc1bee55a2c2653c4207bd"
VECTOR_TIMESTAMP = "1618994178"
VECTOR_BODY = (
    b'{"event":"Application","merchant_id":"5dad5d2604515400018dcc90","resource":{"_id":"607fd9c2ff790b001cd23353",'
    b'"merchant_id":"5dad5d2604515400018dcc90","updated_at":"2021-04-21T08:36:17.892Z"},'
    b'"topic":"application/uninstall"}'
)
VECTOR_SIGN = "ae8b68f6a26d8f95290c761d10dbce01c775fd4d734e942e643aee20c86ebf4b"
VECTOR_TIME = datetime.fromtimestamp(int(VECTOR_TIMESTAMP), UTC)


def is_signed(platform: str, request: Signed, secrets: Sequence[str], *, now: datetime) -> bool:
    return PLATFORMS[platform].webhooks.is_signed(request, [secret.encode() for secret in secrets], now)


def shopline_signed(body: bytes, sign: str, now: datetime = VECTOR_TIME, secret: str = VECTOR_SECRET) -> bool:
    headers = {"x-shopline-developer-event-timestamp": VECTOR_TIMESTAMP}
    return is_signed("shopline", Signed(body, headers, sign), [secret], now=now)


def test_shoplines_public_vector() -> None:
    assert shopline_signed(VECTOR_BODY, VECTOR_SIGN)
    assert not shopline_signed(VECTOR_BODY.replace(b"Application", b"Applicatiom"), VECTOR_SIGN)
    assert not shopline_signed(VECTOR_BODY, VECTOR_SIGN, secret="another")


def test_shoplines_vector_in_another_order_of_keys_and_with_blanks() -> None:
    document = json.loads(VECTOR_BODY)
    shuffled = json.dumps(dict(reversed(document.items())), indent=1).encode()
    assert shuffled != VECTOR_BODY
    assert shopline_signed(shuffled, VECTOR_SIGN)


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        ('{"b": 1.10, "a": 10}', '{"a":10,"b":1.10}'),
        ('{"b": 1e5, "a": 100000000000000000000001}', '{"a":100000000000000000000001,"b":1e5}'),
        ('{"b": [{"d": null, "c": true}], "a": "茶 & <b>"}', '{"a":"茶 & <b>","b":[{"c":true,"d":null}]}'),
        ('{"a": "茶 & <b>"}', '{"a":"茶 \\u0026 \\u003cb\\u003e"}'),
        ('{"a": "line\\nbreak \\"quoted\\""}', '{"a":"line\\nbreak \\"quoted\\""}'),
    ],
)
def test_shopline_signs_json_that_it_wrote_anew(raw: str, written: str) -> None:
    sign = mac(VECTOR_SECRET, f"{VECTOR_TIMESTAMP}:{written}".encode()).hex()
    assert shopline_signed(raw.encode(), sign)
    assert shopline_signed(raw.encode(), sign.upper())


@pytest.mark.parametrize("body", [b"", b"not json", b"[" * 200_000, b'{"a": NaN}', b"\xff\xfe"])
def test_a_body_that_cannot_be_written_anew_may_still_be_signed_as_it_is(body: bytes) -> None:
    sign = mac(VECTOR_SECRET, VECTOR_TIMESTAMP.encode() + b":" + body).hex()
    assert shopline_signed(body, sign)
    assert not shopline_signed(body, VECTOR_SIGN)


@pytest.mark.parametrize(
    ("late", "accepted"),
    [
        (REPLAY_WINDOW, True),
        (REPLAY_WINDOW + timedelta(seconds=1), False),
        (-REPLAY_WINDOW, True),
        (-REPLAY_WINDOW - timedelta(seconds=1), False),
    ],
)
def test_shoplines_deliveries_are_not_replayed(late: timedelta, accepted: bool) -> None:
    assert shopline_signed(VECTOR_BODY, VECTOR_SIGN, now=VECTOR_TIME + late) is accepted


@pytest.mark.parametrize("timestamp", ["", "soon", "-1", "1" * 40, "\uff11\uff16\uff11\uff18"])
def test_shoplines_timestamp_is_a_number(timestamp: str) -> None:
    sign = mac(VECTOR_SECRET, f"{timestamp}:".encode() + VECTOR_BODY).hex()
    headers = {"x-shopline-developer-event-timestamp": timestamp}
    assert not is_signed("shopline", Signed(VECTOR_BODY, headers, sign), [VECTOR_SECRET], now=VECTOR_TIME)


BODY = b'{"id":820982911946154508,  "total_price":"10.00"}'
# openssl dgst -sha256 -hmac hush -binary | base64
DIGEST = mac("hush", BODY)
BASE64, HEX = base64.b64encode(DIGEST).decode(), DIGEST.hex()


@pytest.mark.parametrize(
    ("platform", "header", "signature"),
    [
        ("shopify", "x-shopify-hmac-sha256", BASE64),
        ("shopify", "shopify-hmac-sha256", BASE64),
        ("woocommerce", "x-wc-webhook-signature", BASE64),
        ("shopline_global", "x-shopline-hmac-sha256", BASE64),
        ("shopline_global", "x-shopline-hmac-sha256", HEX),
        ("shopline_global", "x-shopline-hmac-sha256", HEX.upper()),
    ],
)
def test_digests_over_the_raw_body(platform: str, header: str, signature: str) -> None:
    def accepted(body: bytes, given: str, *secrets: str) -> bool:
        return is_signed(platform, Signed(body, {header: given}), secrets, now=VECTOR_TIME)

    assert accepted(BODY, signature, "hush")
    assert accepted(BODY, signature, "new", "hush")
    assert not accepted(BODY, signature)
    assert not accepted(BODY, signature, "Hush")
    # The same JSON written anew is another body.
    assert not accepted(json.dumps(json.loads(BODY)).encode(), signature, "hush")
    for wrong in ("", signature[:-1], f"{signature}A", "ü", "A" * len(signature)):
        assert not accepted(BODY, wrong, "hush")


def test_what_the_digest_is() -> None:
    """Written out, so that a mistake shared by the test and the code is seen."""
    assert mac("key", b"The quick brown fox jumps over the lazy dog").hex() == (
        "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
    )


@pytest.mark.parametrize("platform", ["shopify", "woocommerce"])
def test_only_the_platforms_that_say_so_write_hexadecimal(platform: str) -> None:
    header = {"shopify": "x-shopify-hmac-sha256", "woocommerce": "x-wc-webhook-signature"}[platform]
    assert not is_signed(platform, Signed(BODY, {header: HEX}), ["hush"], now=VECTOR_TIME)
