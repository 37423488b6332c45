"""How platforms sign: HMAC-SHA256 with a secret that both sides hold, compared in constant time."""

import base64
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Signed:
    """What of a request a signature is about: its body, its headers in small letters, and its ``sign`` parameter."""

    body: bytes
    headers: Mapping[str, str]
    sign: str = ""


Check = Callable[[Signed, Sequence[bytes], datetime], bool]


def in_header(name: str) -> Check:
    """The check of a platform that writes the raw body's digest into the header ``name``, as base64."""

    def is_signed(request: Signed, secrets: Sequence[bytes], now: datetime) -> bool:
        return is_any(header_of(request.headers, name), (in_base64(digest(one, request.body)) for one in secrets))

    return is_signed


def header_of(headers: Mapping[str, str], name: str) -> str:
    """A header, whose leading ``x-`` newer deliveries may lack; "" when it is not there."""
    return headers.get(name) or headers.get(name.removeprefix("x-"), "")


def digest(secret: bytes, signed: bytes) -> bytes:
    """The HMAC-SHA256 of what is signed."""
    return hmac.digest(secret, signed, sha256)


def in_base64(mac: bytes) -> str:
    """A digest in base64."""
    return base64.b64encode(mac).decode()


def is_any(given: str, expected: Iterable[str]) -> bool:
    """Whether one of the expected texts was given; all are compared, so that time does not tell which."""
    signature = given.strip().encode(errors="replace")
    found = False
    for text in expected:
        found |= hmac.compare_digest(signature, text.encode())
    return found
