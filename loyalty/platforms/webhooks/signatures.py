"""Whether a delivery was signed by its platform: over the raw bytes, compared in constant time.

SHOPLINE in Asia signs JSON that it writes anew: keys sorted at every level, no blanks, and sometimes with ``<``, ``>``
and ``&`` escaped. The raw body is tried first, then these forms; numbers keep the text they came with.
"""

import base64
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

# SHOPLINE in Asia: the header with the second in which it signed.
SIGNED_AT: Final = "x-shopline-developer-event-timestamp"
# A delivery that says when it was signed is refused when that is longer ago, or farther ahead: it may be a replay.
REPLAY_WINDOW: Final = timedelta(minutes=15)
_LONGEST_TIMESTAMP: Final = 12


@dataclass(frozen=True, slots=True)
class Signed:
    """What of a request a signature is about: its body, its headers in small letters, and its ``sign`` parameter."""

    body: bytes
    headers: Mapping[str, str]
    sign: str = ""


def is_signed(platform: str, request: Signed, secrets: Sequence[str], *, now: datetime) -> bool:
    """Whether the request carries this platform's signature with one of ``secrets``, whichever it is."""
    return _CHECKS[platform](request, [secret.encode() for secret in secrets], now)


def _shopify(request: Signed, secrets: Sequence[bytes], now: datetime) -> bool:
    # The newer deliveries drop the leading X-.
    given = request.headers.get("x-shopify-hmac-sha256") or request.headers.get("shopify-hmac-sha256", "")
    return _any(given, (_base64(_mac(secret, request.body)) for secret in secrets))


def _woocommerce(request: Signed, secrets: Sequence[bytes], now: datetime) -> bool:
    given = request.headers.get("x-wc-webhook-signature", "")
    return _any(given, (_base64(_mac(secret, request.body)) for secret in secrets))


def _shopline_global(request: Signed, secrets: Sequence[bytes], now: datetime) -> bool:
    # Their own library compares hexadecimal digits, their documentation makes base64.
    given = request.headers.get("x-shopline-hmac-sha256", "")
    macs = [_mac(secret, request.body) for secret in secrets]
    return _any(given.lower(), (mac.hex() for mac in macs)) | _any(given, map(_base64, macs))


def _shopline(request: Signed, secrets: Sequence[bytes], now: datetime) -> bool:
    timestamp = request.headers.get(SIGNED_AT, "")
    if not _is_recent(timestamp, now):
        return False
    for form in _forms(request.body):
        signed = b"%b:%b" % (timestamp.encode(), form)
        if _any(request.sign.lower(), (_mac(secret, signed).hex() for secret in secrets)):
            return True
    return False


Check = Callable[[Signed, Sequence[bytes], datetime], bool]
_CHECKS: Final[Mapping[str, Check]] = {
    "shopify": _shopify,
    "woocommerce": _woocommerce,
    "shopline": _shopline,
    "shopline_global": _shopline_global,
}


def _mac(secret: bytes, signed: bytes) -> bytes:
    return hmac.digest(secret, signed, sha256)


def _base64(mac: bytes) -> str:
    return base64.b64encode(mac).decode()


def _any(given: str, expected: Iterator[str]) -> bool:
    """Whether one of the expected texts was given; all are compared, so that time does not tell which."""
    signature = given.strip().encode(errors="replace")
    found = False
    for text in expected:
        found |= hmac.compare_digest(signature, text.encode())
    return found


def _is_recent(timestamp: str, now: datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= _LONGEST_TIMESTAMP):
        return False
    signed_at = timedelta(seconds=int(timestamp))
    return abs(now - datetime(1970, 1, 1, tzinfo=UTC) - signed_at) <= REPLAY_WINDOW


def _forms(body: bytes) -> Iterator[bytes]:
    """The texts that SHOPLINE may have signed, the raw body first."""
    yield body
    try:
        plain = _sorted(json.loads(body, parse_float=_Number, parse_int=_Number, parse_constant=_Number))
    except (ValueError, RecursionError):
        return
    yield plain.encode(errors="surrogatepass")
    escaped = plain
    for character in "<>&\u2028\u2029":
        escaped = escaped.replace(character, f"\\u{ord(character):04x}")
    yield escaped.encode(errors="surrogatepass")


class _Number(str):
    """A number as it was written: 1.10 stays 1.10."""

    __slots__ = ()


def _sorted(value: object) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return f"{{{','.join(f'{_sorted(key)}:{_sorted(value[key])}' for key in sorted(value))}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_sorted, value))}]"
    return json.dumps(value, ensure_ascii=False)
