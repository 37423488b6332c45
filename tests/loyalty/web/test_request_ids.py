"""X-Request-ID: brought or made, answered, logged, and told to the jobs that a request wakes."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from celery.signals import before_task_publish
from django.test import Client, TestCase
from pytest_django.fixtures import Settings

from loyalty.core.causes import Cause, because_of, run_of
from loyalty.core.logs import DiscreetFormatter, DiscreetJson
from loyalty.jobs.periodic import wake, wake_later

logger = logging.getLogger("tests.request_ids")


def line(record: logging.LogRecord) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(DiscreetJson().format(record))
    return said


@pytest.fixture
def published() -> Iterator[list[dict[str, Any]]]:
    """The headers of what is put into the queue."""
    kept: list[dict[str, Any]] = []

    def keep(headers: dict[str, Any], **_: Any) -> None:
        kept.append(headers)

    before_task_publish.connect(keep)
    yield kept
    before_task_publish.disconnect(keep)


def test_an_answer_says_the_id_that_was_brought(client: Client) -> None:
    assert client.get("/", headers={"X-Request-ID": "brought-1"}).headers["X-Request-ID"] == "brought-1"


@pytest.mark.parametrize("brought", ["a b", "ana@example.com", "x" * 65])
def test_an_id_that_is_none_is_replaced(client: Client, brought: str) -> None:
    answered = client.get("/", headers={"X-Request-ID": brought}).headers["X-Request-ID"]
    assert len(answered) == 32
    assert answered != client.get("/").headers["X-Request-ID"]


def test_errors_say_it_too(client: Client, settings: Settings) -> None:
    refused = client.get("/", headers={"X-Request-ID": "refused", "host": "elsewhere.example"})
    assert (refused.status_code, refused.headers["X-Request-ID"]) == (400, "refused")


def test_every_line_of_a_request_says_its_id_and_route(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.get("/api/v1/nowhere/", headers={"X-Request-ID": "lost"})
    client.delete("/hooks/shopify/nowhere/", headers={"X-Request-ID": "wrong"})
    said = [line(record) for record in caplog.records]
    assert [(one["request_id"], one["doing"]) for one in said] == [
        ("lost", "loyalty.api.views.UnknownAddress"),
        ("wrong", "hooks"),
    ]


def test_what_a_request_wakes_is_told_its_id(db: None, published: list[dict[str, Any]]) -> None:
    with because_of(Cause(request_id="asked")), TestCase.captureOnCommitCallbacks(execute=True):
        wake_later("loyalty.prune", seconds=600)
        wake("loyalty.prune")
        with run_of("loyalty.deliver_outbox"):
            wake_later("loyalty.prune", seconds=600)
    assert [headers.get("request_id") for headers in published] == ["asked", None, "asked"]


def test_a_line_of_json_has_these_fields_and_no_others() -> None:
    record = logging.LogRecord("orders", logging.ERROR, __file__, 1, "for %s", ("ana@example.com",), None)
    record.__dict__ |= {"request": "GET ?q=Ana", "status": 200}
    with run_of("loyalty.prune", request_id="asked") as run:
        said = line(record)
    assert said.pop("time").endswith("+00:00")
    assert said == {
        "level": "ERROR",
        "logger": "orders",
        "message": "for (an address)",
        "process": record.process,
        "request_id": "asked",
        "job_id": run.job_id,
        "doing": "loyalty.prune",
        "status": 200,
    }


def test_a_plain_line_ends_with_the_ids() -> None:
    record = logging.LogRecord("orders", logging.INFO, __file__, 1, "done", None, None)
    with because_of(Cause(request_id="asked")):
        assert DiscreetFormatter("{message}", style="{").format(record) == "done request_id=asked"


def test_an_error_in_json_quotes_nothing_that_was_entered() -> None:
    error = ValueError("Ana Quill")
    said = line(logging.LogRecord("orders", logging.ERROR, __file__, 1, "failed", None, (ValueError, error, None)))
    assert said["error"].endswith("ValueError")
    assert "Ana" not in json.dumps(said)
