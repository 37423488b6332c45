"""A request calls no partner, or waits for few and not for long: a slow one stops nobody else's page."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from loyalty.core.errors import Busy
from loyalty.partners import request_limits as partners
from loyalty.partners.http import Unreachable, call
from loyalty.partners.request_limits import (
    MOST_AT_ONCE,
    SECONDS,
    NotFromARequest,
    RequestsCallNobody,
    at_once,
    seconds_left,
    wait_for,
    within,
)

ROOT = Path(__file__).resolve().parents[3]
# Each asks the network in its own way; who may, and why, is said beside its name.
WAYS_OUT = re.compile(r"^(?:import|from) (requests|urllib\.request|http\.client|smtplib|httpx|socket)\b", re.MULTILINE)
MAY_GO_OUT = {
    "loyalty/partners/http.py",  # for jobs alone
    "loyalty/accounts/signing_in/adapter.py",  # the company's accounts, inside at_once
    "loyalty/accounts/signing_in/single_sign_on.py",  # names what these raise, and asks nobody
    "loyalty/partners/mail.py",  # for jobs alone
    "loyalty/management/commands/quickstart.py",
    "loyalty/quickstart/rest.py",
}


@contextmanager
def a_request() -> Iterator[None]:
    before = partners._in_request.set(True)
    yield
    partners._in_request.reset(before)


def test_nobody_else_opens_connections() -> None:
    found = {
        str(path.relative_to(ROOT))
        for package in ("loyalty", "orders", "credits", "points")
        for path in (ROOT / package).rglob("*.py")
        if WAYS_OUT.search(path.read_text())
    }
    assert found == MAY_GO_OUT


def test_a_view_that_calls_a_partner_is_a_fault() -> None:
    def view(_request: HttpRequest) -> HttpResponse:
        call("GET", "http://127.0.0.1:1/")
        return HttpResponse()

    with pytest.raises(NotFromARequest):
        RequestsCallNobody(view)(HttpRequest())
    with pytest.raises(Unreachable):
        call("GET", "http://127.0.0.1:1/")


def test_a_view_calls_no_partner_though_it_may_wait_for_one() -> None:
    with a_request(), at_once("one", most=1), pytest.raises(NotFromARequest):
        call("GET", "http://127.0.0.1:1/")


def test_libraries_that_ask_by_themselves_are_those_that_sign_people_in() -> None:
    # Of the web's threads every one that is inside is gone for seconds: what else wants an answer has a worker ask.
    found = {
        str(path.relative_to(ROOT))
        for package in ("loyalty", "orders", "credits", "points")
        for path in (ROOT / package).rglob("*.py")
        if "at_once(" in path.read_text()
    }
    assert found == {"loyalty/partners/request_limits.py", "loyalty/accounts/signing_in/adapter.py"}


def test_of_one_partner_a_request_waits_once_and_of_all_few() -> None:
    with ExitStack() as waiting:
        waiting.enter_context(at_once("one", most=1))
        with pytest.raises(Busy), at_once("one", most=1):
            pass
        with pytest.raises(Busy):
            wait_for("one", lambda: "an answer")
        for number in range(MOST_AT_ONCE - 1):
            waiting.enter_context(at_once(f"other {number}", most=1))
        with pytest.raises(Busy):
            wait_for("another", lambda: "an answer")
    with at_once("one", most=1):
        assert 0 < seconds_left(60) <= SECONDS


def test_a_place_is_free_again_whatever_became_of_the_call() -> None:
    def look() -> None:
        raise Unreachable

    for _ in range(MOST_AT_ONCE + 1):
        with pytest.raises(Unreachable):
            wait_for("one", look)


def test_an_answer_is_looked_for_until_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=monotonic(), looks=0)
    monkeypatch.setattr(partners, "monotonic", lambda: clock.now)
    monkeypatch.setattr(partners, "sleep", lambda seconds: setattr(clock, "now", clock.now + seconds))
    answers = iter([None, None, "used"])
    assert wait_for("one", lambda: next(answers)) == "used"
    began = clock.now
    assert wait_for("one", lambda: setattr(clock, "looks", clock.looks + 1)) is None
    assert SECONDS <= clock.now - began < SECONDS + 1
    assert clock.looks < 40


def test_a_job_may_take_its_time() -> None:
    assert seconds_left(60) == 60


def test_what_comes_too_late_is_not_called() -> None:
    with within(60), within(0), pytest.raises(Unreachable, match="no time left"):
        call("GET", "http://127.0.0.1:1/")


def test_several_calls_share_the_time(monkeypatch: pytest.MonkeyPatch, httpserver: Any) -> None:
    httpserver.expect_request("/").respond_with_data("there")
    clock = SimpleNamespace(now=monotonic())
    monkeypatch.setattr(partners, "monotonic", lambda: clock.now)
    with within(SECONDS):
        assert call("GET", httpserver.url_for("/")).status == 200
        clock.now += SECONDS + 1
        with pytest.raises(Unreachable):
            call("GET", httpserver.url_for("/"))
