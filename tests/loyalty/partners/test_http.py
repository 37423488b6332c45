"""Calls to addresses that other people chose: what is called, what is not, and how long it may take."""

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.checks import run_checks
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from loyalty.core.causes import Cause, because_of
from loyalty.partners.http import NotAllowed, Reply, Unreachable, call, check_url

PUBLIC = "93.184.215.14"
PRIVATE = [
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::7f00:1",
    "64:ff9b::a00:1",
    "2002:7f00:1::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
]
OBFUSCATED_HOSTS = ["2130706433", "0x7f000001", "127.1", "017700000001"]
OBFUSCATED = [f"https://{host}/" for host in OBFUSCATED_HOSTS]


def leads_to(monkeypatch: pytest.MonkeyPatch, **names: list[str]) -> list[str]:
    """Have these host names (``_`` for a dot) lead to these addresses; answers the list of names asked for."""
    asked: list[str] = []
    known = {name.replace("_", "."): addresses for name, addresses in names.items()}
    real = socket.getaddrinfo

    def lookup(host: str, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if host not in known:
            return real(host, port, *args, **kwargs)
        asked.append(host)
        entries = []
        for address in known[host]:
            entries += real(address, port, type=socket.SOCK_STREAM)
        return entries

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return asked


@pytest.fixture
def as_in_production(settings: Settings) -> None:
    settings.OUTGOING_TO_LOCALHOST = False


def test_a_call_brings_back_status_headers_and_body(httpserver: HTTPServer) -> None:
    httpserver.expect_oneshot_request("/a", method="POST", data=b"hello", headers={"X-One": "1"}).respond_with_data(
        b"there", status=418, headers={"X-Two": "2"}
    )
    reply = call("POST", httpserver.url_for("/a"), headers={"X-One": "1"}, body=b"hello")
    assert (reply.status, reply.body) == (418, b"there")
    assert reply.headers["x-two"] == "2"


def test_a_redirect_is_an_answer_and_is_not_followed(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/from").respond_with_data(status=302, headers={"Location": httpserver.url_for("/to")})
    assert call("GET", httpserver.url_for("/from")).status == 302
    assert [request.path for request, _ in httpserver.log] == ["/from"]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_inside_is_not_called(
    address: str, as_in_production: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads_to(monkeypatch, shop_example=[address])
    with pytest.raises(NotAllowed, match="private network"):
        call("GET", "https://shop.example/")


@pytest.mark.parametrize("host", ["localhost", "postgres", "db.internal", "printer.local.", *OBFUSCATED_HOSTS])
def test_what_can_be_told_without_asking_is_refused_when_it_is_written_down(
    host: str, as_in_production: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = leads_to(monkeypatch, shop_example=[PUBLIC])
    with pytest.raises(NotAllowed):
        check_url(f"https://{host}/")
    check_url("https://shop.example/")
    assert asked == ["shop.example"]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_inside_is_not_called(address: str, as_in_production: None) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(NotAllowed):
        call("GET", f"https://{host}/")


@pytest.mark.parametrize("url", OBFUSCATED)
def test_other_spellings_of_an_address_inside_are_not_called(url: str, as_in_production: None) -> None:
    with pytest.raises(NotAllowed):
        call("GET", url)


def test_a_name_is_refused_when_any_of_its_addresses_is_inside(
    as_in_production: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads_to(monkeypatch, shop_example=[PUBLIC, "10.0.0.1"])
    with pytest.raises(NotAllowed):
        call("GET", "https://shop.example/")


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_public_addresses_are_let_through(
    address: str, as_in_production: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads_to(monkeypatch, shop_example=[address])
    # It refuses by raising, and raises nothing.
    check_url("https://shop.example/hooks?x=1")


def test_a_name_nobody_knows_may_be_written_down_and_cannot_be_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    check_url("https://shop.example/")
    with pytest.raises(Unreachable, match="is not a name"):
        call("GET", "https://shop.example/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "//shop.example",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "https://",
        "https://:443/",
        "https://shop.example:99999/",
        "https://[::1/",
        "https://shop.example/a b",
        "https://shop.example/\n",
    ],
)
def test_what_is_no_complete_address_is_refused(url: str) -> None:
    with pytest.raises(NotAllowed, match="complete address"):
        check_url(url)
    with pytest.raises(NotAllowed):
        call("GET", url)


def test_a_name_or_password_in_the_address_is_refused() -> None:
    with pytest.raises(NotAllowed, match="password"):
        check_url("https://me:secret@shop.example/")


def test_without_tls_nothing_is_called(as_in_production: None, monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to(monkeypatch, shop_example=[PUBLIC])
    with pytest.raises(NotAllowed, match="https"):
        call("GET", "http://shop.example/")


def test_the_setting_for_tests_opens_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to(monkeypatch, inside_example=["10.0.0.1"], outside_example=[PUBLIC])
    for url in ("https://inside.example/", "http://inside.example/", "http://outside.example/"):
        with pytest.raises(NotAllowed):
            call("GET", url)


def test_production_calls_nobody_on_this_machine(httpserver: HTTPServer, as_in_production: None) -> None:
    with pytest.raises(NotAllowed):
        call("GET", httpserver.url_for("/"))
    assert httpserver.log == []


def test_the_deployment_check_tells_of_the_setting(settings: Settings) -> None:
    found = [message.id for message in run_checks(include_deployment_checks=True)]
    assert "loyalty.E001" in found
    settings.OUTGOING_TO_LOCALHOST = False
    assert "loyalty.E001" not in [message.id for message in run_checks(include_deployment_checks=True)]


def test_proxies_and_passwords_of_the_environment_are_ignored(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    httpserver.expect_request("/").respond_with_data("direct")
    assert call("GET", httpserver.url_for("/")).body == b"direct"
    assert "Authorization" not in httpserver.log[0][0].headers


def test_an_answer_beyond_the_limit_is_none(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(b"x" * 1001)
    assert len(call("GET", httpserver.url_for("/"), limit=1001).body) == 1001
    with pytest.raises(Unreachable, match="more than 1000 bytes"):
        call("GET", httpserver.url_for("/"), limit=1000)


def test_an_excerpt_is_cut_off_at_the_limit(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(b"x" * 100_000, status=500)
    reply = call("GET", httpserver.url_for("/"), limit=1000, excerpt=True)
    assert (reply.status, reply.body) == (500, b"x" * 1000)


def test_what_was_compressed_all_the_same_counts_as_what_it_unfolds_to(httpserver: HTTPServer) -> None:
    def squeezed(request: Request) -> Response:
        assert request.headers["Accept-Encoding"] == "identity"
        return Response(gzip.compress(b"x" * 10_000_000), headers={"Content-Encoding": "gzip"})

    httpserver.expect_request("/").respond_with_handler(squeezed)
    with pytest.raises(Unreachable, match="more than"):
        call("GET", httpserver.url_for("/"), limit=1_000_000)


@pytest.fixture
def raw_server() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """A server that does what it is told with its first connection; answers its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(behave: Callable[[socket.socket], None]) -> str:
        def accept() -> None:
            peer, _ = listener.accept()
            with peer:
                behave(peer)

        threads.append(threading.Thread(target=accept))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield serve
    for thread in threads:
        thread.join(timeout=20)
    listener.close()


def until_hung_up(peer: socket.socket, piece: bytes, *, pause: float) -> None:
    """Send the piece again and again, with pauses, until the caller is gone."""
    peer.settimeout(pause)
    while True:
        try:
            peer.sendall(piece)
            if peer.recv(1024) == b"":
                return
        except TimeoutError:
            continue
        except OSError:
            return


@pytest.mark.parametrize(
    "start",
    [b"", b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"],
    ids=["nothing", "headers", "body", "body of known length"],
)
def test_an_answer_that_drips_ends_when_its_time_is_over(
    start: bytes, raw_server: Callable[[Callable[[socket.socket], None]], str]
) -> None:
    def drip(peer: socket.socket) -> None:
        peer.sendall(start)
        until_hung_up(peer, b"x" if start else b"", pause=0.05)

    with pytest.raises(Unreachable, match=r"did not answer within 0\.5 seconds"):
        call("GET", raw_server(drip), timeout=0.5)


def test_an_answer_that_ends_in_the_middle_is_none(
    raw_server: Callable[[Callable[[socket.socket], None]], str],
) -> None:
    def half(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf")

    with pytest.raises(Unreachable, match="without a complete answer"):
        call("GET", raw_server(half))


def test_nobody_listening_is_said_so() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="cannot be connected to"):
            call("GET", f"http://127.0.0.1:{held.getsockname()[1]}/")


def certificate(folder: Path, name: str) -> Path:
    """A certificate of its own for ``name``, with its key, as one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(tz=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[tuple[HTTPServer, Path, list[str | None]]]:
    """A server with a certificate for shop.example, that certificate, and the names it was asked for."""
    file, asked = certificate(tmp_path, "shop.example"), list[str | None]()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with HTTPServer(host="127.0.0.1", ssl_context=context) as server:
        server.expect_request("/").respond_with_handler(lambda request: Response(request.headers["Host"]))
        yield server, file, asked


def call_shop(server: HTTPServer, host: str = "shop.example") -> Reply:
    return call("GET", f"https://{host}:{server.port}/")


def test_tls_asks_for_the_hosts_name_at_the_address_that_was_checked(
    tls_server: tuple[HTTPServer, Path, list[str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, trusted, names = tls_server
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(trusted))
    asked = leads_to(monkeypatch, shop_example=["127.0.0.1"])
    assert call_shop(server).body == f"shop.example:{server.port}".encode()
    assert names == ["shop.example"]
    assert asked == ["shop.example"], "the name was looked up once: what was checked is what was connected to"


def test_another_hosts_certificate_is_refused(
    tls_server: tuple[HTTPServer, Path, list[str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, trusted, _ = tls_server
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(trusted))
    leads_to(monkeypatch, other_example=["127.0.0.1"])
    with pytest.raises(Unreachable, match="certificate"):
        call_shop(server, "other.example")


def test_a_certificate_nobody_vouches_for_is_refused(
    tls_server: tuple[HTTPServer, Path, list[str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    leads_to(monkeypatch, shop_example=["127.0.0.1"])
    with pytest.raises(Unreachable, match="certificate"):
        call_shop(tls_server[0])


def test_a_second_address_is_tried_when_the_first_does_not_answer(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpserver.expect_request("/").respond_with_data("here")
    leads_to(monkeypatch, two_example=["127.0.0.9", "127.0.0.1"])
    assert call("GET", f"http://two.example:{httpserver.port}/").body == b"here"


def test_ipv6_is_called_too() -> None:
    try:
        server = HTTPServer(host="::1")
        server.start()
    except OSError:
        pytest.skip("this machine has no IPv6")
    try:
        server.expect_request("/").respond_with_data("six")
        assert call("GET", f"http://[::1]:{server.port}/").body == b"six"
    finally:
        server.stop()


def test_a_partner_is_told_on_whose_behalf_it_is_asked(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook", headers={"X-Request-ID": "asked"}).respond_with_data("ok")
    with because_of(Cause(request_id="asked")):
        assert call("GET", httpserver.url_for("/hook")).status == 200
