"""The code of the guides is run: against the program, with its clock and its data; Node's where there is Node."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final
from unittest import mock
from urllib.parse import urlsplit

import pytest
import requests
import time_machine
from django.test import Client
from requests.adapters import HTTPAdapter

from loyalty.jobs.periodic import run_job
from loyalty.partners.http import Reply
from tests.docs.pages import PROJECT, blocks
from tests.examples import Shop, open_shop
from tests.loyalty.webhooks.receiving import make_endpoint

CHECKOUT: Final = PROJECT / "docs/guides/checkout.md"
RECEIVER: Final = PROJECT / "docs/guides/webhook-receiver.md"
HOST: Final = "loyalty.example.com"
NOW: Final = datetime(2026, 1, 5, 4, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def shop(db: None, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A store in which Ana has 50.00 and 1,200 points; `requests` that are sent to the guides' host arrive there."""
    opened = open_shop()
    ana = opened.customer(external_id="u-118")
    opened.give_credits(ana, "50.00", "2026-12-31")
    opened.give_points(ana, 1200)
    monkeypatch.setenv("LOYALTY_KEY", opened.key)
    monkeypatch.setattr(HTTPAdapter, "send", _arrive)
    return opened


def _arrive(_adapter: HTTPAdapter, request: requests.PreparedRequest, **_how: Any) -> requests.Response:
    assert request.url
    assert request.method
    parts = urlsplit(request.url)
    assert parts.netloc == HOST
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    headers = {name: value for name, value in request.headers.items() if name != "Content-Length"}
    address = f"{parts.path}?{parts.query}"
    answer = Client().generic(request.method, address, body, "application/json", headers=headers)
    response = requests.Response()
    response.status_code, response._content, response.url = answer.status_code, answer.content, request.url
    response.headers.update(dict(answer.items()))
    return response


def run(page: Any, **known: Any) -> dict[str, Any]:
    """The names that the Python of a page leaves behind, all of it being one program."""
    text = "\n\n".join(block.text for block in blocks(page, "python"))
    exec(compile(text, str(page), "exec"), known)
    return known


def test_the_checkout_spends_and_gives_back(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    program = run(CHECKOUT)
    assert capsys.readouterr().out.splitlines() == [
        "15.00 and 400 points would come back",
        "cancelled [('credits', '15.00'), ('points', 400)]",
    ]
    assert program["balance_of"]("u-118") == ("50.00", 1200)
    assert program["balance_of"]("u-999") == ("0.00", 0)


def test_the_checkout_is_told_when_it_is_too_late(shop: Shop, clock: time_machine.Traveller) -> None:
    program = run(CHECKOUT)
    ana = {"external_id": "u-118", "email": "ana@example.org", "name": "Ana Lee"}
    assert program["place"]({"id": "c-1", "number": "C-1"}, ana, "900.00", credits="800.00") is None

    order = program["place"]({"id": "c-2", "number": "C-2"}, ana, "84.00", credits="50.00")
    _, body = program["plan_of"](order, extend_days=30)
    clock.move_to(datetime(2027, 1, 5, tzinfo=UTC))
    assert program["cancel"](order, body)["credits"]["lots"][0]["outcome"] == "extended"


@pytest.mark.parametrize("page", [CHECKOUT, RECEIVER], ids=["checkout", "receiver"])
def test_requests_of_the_shell_are_granted(shop: Shop, page: Any) -> None:
    for block in blocks(page, "sh"):
        command, address, *words = shlex.split(block.text.replace("\\\n", " ").replace("$LOYALTY_KEY", shop.key))
        options = list(zip(words[::2], words[1::2], strict=True))
        headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
        data = next((value for option, value in options if option == "-d"), None)
        answer = requests.request("POST" if data else "GET", address, data=data, headers=headers, timeout=1)
        assert (command, answer.status_code in (200, 201)) == ("curl", True), answer.text


@pytest.fixture
def delivery(shop: Shop) -> tuple[str, dict[str, str], bytes]:
    """The secret of an endpoint, and a delivery to it: headers and body as they would be sent."""
    _endpoint, secret = make_endpoint(shop.store, "https://shop.example.com/hook", now=NOW)
    customer = shop.get("/customers/", external_id="u-118").json()["results"][0]["id"]
    shop.give_points(customer, 5)
    with mock.patch("loyalty.webhooks.deliver.call", return_value=Reply(204, {}, b"")) as call:
        run_job("loyalty.deliver_outbox", NOW)
    sent = call.call_args.kwargs
    return secret, {name.lower(): value for name, value in sent["headers"].items()}, sent["body"]


def test_the_receiver_takes_each_delivery_once(
    delivery: tuple[str, dict[str, str], bytes],
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    secret, headers, body = delivery
    monkeypatch.chdir(tmp_path)
    receiver = run(RECEIVER)
    try:
        assert receiver["receive"](secret, headers, body) == 204
        assert receiver["receive"](secret, headers, body) == 204
        rotated = headers | {"webhook-signature": f"v1,b3RoZXI= {headers['webhook-signature']}"}
        assert receiver["is_genuine"](secret, rotated, body)
        assert receiver["receive"](secret, headers, body + b" ") == 401
        assert receiver["receive"](secret, headers | {"webhook-id": "msg_0"}, body) == 401
        assert receiver["receive"](secret, {}, body) == 401
        assert not receiver["is_genuine"](secret, headers, body, now=NOW.timestamp() + 900)
        waiting = "SELECT count(*) FROM stale"
        assert receiver["database"].execute(waiting).fetchone() == (1,)
        receiver["refresh"](run(CHECKOUT)["call"])
        assert receiver["database"].execute(waiting).fetchone() == (0,)
        assert capsys.readouterr().out.splitlines()[-1].endswith(" 1205")
    finally:
        receiver["database"].close()


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_the_receiver_of_node_judges_the_same(delivery: tuple[str, dict[str, str], bytes]) -> None:
    secret, headers, body = delivery
    (block,) = blocks(RECEIVER, "js")
    tried = [
        [secret, headers, body.decode(), NOW.timestamp()],
        [
            secret,
            headers | {"webhook-signature": f"v1,b3RoZXI= {headers['webhook-signature']}"},
            body.decode(),
            NOW.timestamp(),
        ],
        [secret, headers, body.decode() + " ", NOW.timestamp()],
        [secret, headers, body.decode(), NOW.timestamp() + 900],
        [secret, {}, body.decode(), NOW.timestamp()],
    ]
    script = f"""{block.text}
    const tried = JSON.parse(require("node:fs").readFileSync(0));
    const judged = tried.map(([secret, headers, body, now]) => isGenuine(secret, headers, Buffer.from(body), now));
    console.log(JSON.stringify(judged));
    """
    node = subprocess.run(["node", "-e", script], input=json.dumps(tried), capture_output=True, text=True, check=True)
    assert json.loads(node.stdout) == [True, True, False, False, False]
