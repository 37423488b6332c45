"""From where somebody comes: the network, and the browser that has been signed in with before."""

import secrets
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any, Final

from django.conf import settings
from django.core.signing import BadSignature, dumps, loads
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

# A browser that somebody signed in with is known for so long; a shop's computer is many people's.
_COOKIE: Final = "known_browser"
_SECONDS: Final = 180 * 24 * 3600
_ACCOUNTS: Final = 20
_SALT: Final = "loyalty.accounts.known_browser"
# One household or office has a whole network of IPv6 addresses.
_IPV6_PREFIX: Final = 64


def address_of(request: HttpRequest) -> str:
    """The client's address. Of ``X-Forwarded-For`` only what our own proxies wrote counts: the last so many entries.

    A request that came past the proxies has too few of them, and is known by the address it came from.
    """
    trusted: int = settings.TRUSTED_PROXIES
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    if trusted and len(forwarded) >= trusted and (address := _read(forwarded[-trusted])):
        return address
    return _read(request.META.get("REMOTE_ADDR", "")) or "0.0.0.0"  # noqa: S104 - a name for "unknown"


def network_of(request: HttpRequest) -> str:
    """The client's address, or its network where one client has a whole one (IPv6)."""
    address = ip_address(address_of(request))
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((int(address), _IPV6_PREFIX), strict=False))


def known_browser(request: HttpRequest, account: str) -> str:
    """The mark of a browser that signed in to this account before; empty for any other."""
    return _marks(request).get(_name(account), "")


def remember_browser(request: HttpRequest, response: HttpResponse, account: str) -> None:
    """Let this browser be known as one that signed in to the account."""
    marks, name = _marks(request), _name(account)
    mark = marks.pop(name, "") or secrets.token_urlsafe(9)
    kept = dict([*marks.items(), (name, mark)][-_ACCOUNTS:])
    response.set_cookie(
        _COOKIE,
        dumps(kept, salt=_SALT),
        max_age=_SECONDS,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _marks(request: HttpRequest) -> dict[str, str]:
    try:
        marks: Any = loads(request.COOKIES.get(_COOKIE, ""), salt=_SALT, max_age=_SECONDS)
    except BadSignature:
        return {}
    return dict(marks)


def _name(account: str) -> str:
    """What the cookie calls an account: whoever finds it reads no address in it."""
    return salted_hmac(_SALT, account, algorithm="sha256").hexdigest()[:16]


def _read(text: str) -> str:
    """An address without its port; empty for what is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
