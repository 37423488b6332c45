"""HTTP to addresses that other people chose: shop platforms, webhook endpoints.

A merchant may type any address, and a name may lead anywhere by the time it is called. So every name is resolved here,
each address it leads to is checked, and the connection goes to the address that was checked: nothing resolves the name
a second time. TLS still asks for, and verifies, the host's name. Proxies and passwords of the environment are ignored.
"""

import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from time import monotonic
from typing import Any, ClassVar, Final
from urllib.parse import SplitResult, urlsplit

import requests
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.utils.translation import gettext, ngettext
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ReadTimeoutError
from urllib3.util.connection import create_connection

from loyalty.core.causes import told_onwards
from loyalty.partners.breaker import NoAnswer, asking
from loyalty.partners.request_limits import jobs_alone, seconds_left

IpAddress = IPv4Address | IPv6Address

CONNECT_SECONDS: Final = 5.0
TIMEOUT_SECONDS: Final = 15.0
LIMIT_BYTES: Final = 10 * 1024 * 1024
_CHUNK: Final = 16 * 1024
# How many of a name's addresses are tried, each for CONNECT_SECONDS at most.
_MOST_ADDRESSES: Final = 4
_HEADERS: Final = {"User-Agent": "Loyalty-Back-Office/1", "Accept": "*/*", "Accept-Encoding": "identity"}
# Names that no public server has (RFC 6761, RFC 6762, RFC 8375 and what ICANN set aside for private use).
_INSIDE: Final = frozenset({"localhost", "local", "internal", "lan", "home", "corp", "arpa"})
# Networks that hold an IPv4 address inside: translation at a network's border would lead to that one.
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")


class Unreachable(NoAnswer):
    """There is no answer to speak of. ``str(error)`` is a sentence for people; trying again may help."""


class NotAllowed(Unreachable):
    """The address is none that this program may call: not https, or inside a private network."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered, whatever its status; names of headers are compared without case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def call(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout: float = TIMEOUT_SECONDS,
    limit: int = LIMIT_BYTES,
    excerpt: bool = False,
) -> Reply:
    """Call ``url`` and answer what it says; redirects are answers like any other.

    ``timeout``: seconds from the request's last byte to the answer's last; connecting has five more. ``limit``: bytes
    of the answer's body beyond which it counts as none, or with ``excerpt`` beyond which it is cut off. Inside
    :func:`loyalty.partners.request_limits.within` there may be less time.
    Raises NotFromARequest on behalf of a request, NotAllowed for an address that may not be called, Resting when its
    host is left alone because it has not answered of late, Unreachable when no complete answer came.
    """
    jobs_alone()
    parts, left = _parts(url), seconds_left(timeout)
    host = parts.hostname
    if left <= 0:
        raise Unreachable(gettext("%(host)s was not asked: there was no time left.") % {"host": host})
    # Who asks in a hurry learns little about a host.
    with asking(parts.netloc, counts=left >= timeout):
        try:
            with requests.Session() as session, _send(session, method, url, headers, body, left) as response:
                return Reply(response.status_code, response.headers, _read(response, limit, excerpt=excerpt))
        except requests.RequestException as error:
            raise Unreachable(_reason(host, error, left)) from error


def check_url(url: str) -> None:
    """Raise NotAllowed for a url that can be told to be refused without asking anybody.

    What a name leads to is looked up when it is called, every time: here somebody waits, and it may change.
    """
    parts = _parts(url)
    host = parts.hostname or ""
    try:
        _resolve(parts.scheme, host, parts.port, flags=socket.AI_NUMERICHOST)
    except OSError:
        _check_name(parts.scheme, host)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise NotAllowed(gettext("This is not a complete address such as https://example.com/hooks.")) from error
    if parts.scheme not in {"https", "http"} or not parts.hostname or not url.isprintable() or " " in url:
        raise NotAllowed(gettext("This is not a complete address such as https://example.com/hooks."))
    if parts.username is not None or parts.password is not None:
        raise NotAllowed(gettext("An address must not contain a name or password."))
    if parts.scheme == "http" and not settings.OUTGOING_TO_LOCALHOST:
        raise NotAllowed(gettext("The address must begin with https://."))
    return parts


def _send(
    session: requests.Session,
    method: str,
    url: str,
    headers: Mapping[str, str] | None,
    body: bytes | None,
    timeout: float,
) -> requests.Response:
    session.trust_env = False
    for scheme in ("https://", "http://"):
        session.mount(scheme, _GuardedAdapter())
    return session.request(
        method,
        url,
        headers={**_HEADERS, **told_onwards(), **(headers or {})},
        data=body,
        timeout=(min(CONNECT_SECONDS, timeout), timeout),
        allow_redirects=False,
        stream=True,
    )


def _read(response: requests.Response, limit: int, *, excerpt: bool) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(min(_CHUNK, limit + 1)):
        body += chunk
        if len(body) > limit and excerpt:
            return bytes(body[:limit])
        if len(body) > limit:
            raise Unreachable(gettext("The answer has more than %(limit)s bytes.") % {"limit": limit})
    return bytes(body)


def _reason(host: str | None, error: requests.RequestException, timeout: float) -> str:
    # A body that stops coming is told as a broken connection, with the true cause inside.
    causes = (error, *error.args)
    if isinstance(error, requests.exceptions.SSLError):
        return gettext("%(host)s does not prove by a certificate that it is this host.") % {"host": host}
    if any(isinstance(cause, requests.exceptions.Timeout | ReadTimeoutError) for cause in causes):
        words = ngettext(
            "%(host)s did not answer within %(timeout)s second.",
            "%(host)s did not answer within %(timeout)s seconds.",
            1 if timeout == 1 else 2,
        )
        return words % {"host": host, "timeout": f"{timeout:.3g}"}
    return gettext("%(host)s ended the connection without a complete answer.") % {"host": host}


def _resolve(scheme: str, host: str, port: int | None, *, flags: int = 0) -> list[str]:
    """The addresses behind ``host``, all of them allowed. Raises NotAllowed when one is not, OSError for no name."""
    try:
        found = socket.getaddrinfo(host, port or 443, type=socket.SOCK_STREAM, flags=flags)
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, "not a name") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        _check(scheme, host, ip_address(address))
    return addresses[:_MOST_ADDRESSES]


def _check_name(scheme: str, host: str) -> None:
    """Raise NotAllowed for a name that, by its look, is known inside some private network alone."""
    labels = host.rstrip(".").split(".")
    if settings.OUTGOING_TO_LOCALHOST and labels[-1] == "localhost":
        return
    if scheme != "https":
        raise NotAllowed(gettext("The address must begin with https://."))
    if labels[-1] in _INSIDE or len(labels) == 1:
        raise NotAllowed(gettext("%(host)s leads into a private network, and is not called.") % {"host": host})


def _check(scheme: str, host: str, address: IpAddress) -> None:
    if settings.OUTGOING_TO_LOCALHOST and address.is_loopback:
        return
    if scheme != "https":
        raise NotAllowed(gettext("The address must begin with https://."))
    if not all(_is_public(one) for one in _meanings(address)):
        raise NotAllowed(gettext("%(host)s leads into a private network, and is not called.") % {"host": host})


def _meanings(address: IpAddress) -> Iterator[IpAddress]:
    """The address, and any IPv4 address that a network on the way may take it for."""
    if isinstance(address, IPv4Address):
        yield address
    elif address.ipv4_mapped:
        yield address.ipv4_mapped
    elif address in _TRANSLATED:
        yield IPv4Address(int(address) & 0xFFFF_FFFF)
    else:
        yield from filter(None, (address, address.sixtofour, *(address.teredo or ())))


def _is_public(address: IpAddress) -> bool:
    local = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not (local or address.is_multicast or address.is_reserved or address.is_unspecified)


class _Timely(RawIOBase):
    """Bytes of an answer that must all have come by a moment, however slowly each of them comes."""

    def __init__(self, raw: RawIOBase, sock: socket.socket) -> None:
        self._raw, self._socket = raw, sock
        self._deadline = monotonic() + seconds_left(sock.gettimeout() or TIMEOUT_SECONDS)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left = self._deadline - monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._socket.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimelyAnswer(HTTPResponse):
    """The socket's own time limit is for each piece; this one is for the whole answer, status line to last byte."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = BufferedReader(_Timely(self.fp.detach(), sock))


class _Guarded(HTTPConnection):
    """Connects to an address that was checked, instead of resolving the name once more."""

    scheme: ClassVar[str] = "http"
    response_class = _TimelyAnswer

    def _new_conn(self) -> socket.socket:
        try:
            addresses = _resolve(self.scheme, self._dns_host, self.port)
        except OSError as error:
            raise Unreachable(gettext("%(host)s is not a name that leads anywhere.") % {"host": self.host}) from error
        for address in addresses:
            left = seconds_left(self.timeout or CONNECT_SECONDS)
            if left <= 0:
                break
            try:
                made = create_connection((address, self.port), left, socket_options=self.socket_options)
            except OSError:
                continue
            sys.audit("http.client.connect", self, self.host, self.port)
            return made
        raise Unreachable(gettext("%(host)s cannot be connected to.") % {"host": self.host})


class _GuardedTls(_Guarded, HTTPSConnection):
    scheme = "https"


class _GuardedPool(HTTPConnectionPool):
    ConnectionCls = _Guarded


class _GuardedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedTls


class _GuardedAdapter(HTTPAdapter):
    """The way of ``requests`` to the network, through guarded connections only."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _GuardedPool, "https": _GuardedTlsPool}


def no_calls_to_this_machine(**_: Any) -> list[CheckMessage]:
    """In production nothing may call the machine it runs on."""
    if not settings.OUTGOING_TO_LOCALHOST:
        return []
    hint = gettext("Unset OUTGOING_TO_LOCALHOST in the environment.")
    return [Error(gettext("Outgoing calls may reach this machine's own services."), hint=hint, id="loyalty.E001")]
