"""Errors to Sentry and traces by OpenTelemetry: off unless asked for, and then without anybody's data."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import sentry_sdk
from django.conf import settings
from django.test import Client
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from loyalty.core.causes import run_of, watch_no_more
from loyalty.monitoring import sentry, traces

PROJECT: Final = Path(__file__).resolve().parents[3]
logger = logging.getLogger("tests.sentry")


class Kept(Transport):
    """What would be sent."""

    sent: list[Any] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent.append(envelope.get_event())


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """What Sentry is told while the test runs."""
    Kept.sent = []
    sentry.start("http://key@127.0.0.1:1/1", transport=Kept)
    yield Kept.sent
    sentry_sdk.init()


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """The spans that are made while the test runs."""
    exporter = InMemorySpanExporter()
    watch = traces.start(SimpleSpanProcessor(exporter))
    yield exporter
    watch_no_more(watch)


def test_both_are_off_and_imported_by_name_alone() -> None:
    assert (settings.SENTRY_DSN, settings.OTEL_EXPORTER_OTLP_ENDPOINT) == ("", "")
    names = r"sentry_sdk|opentelemetry|loyalty\.monitoring\.(?:sentry|traces)"
    theirs = re.compile(rf"^(?:from|import) (?:{names})", re.MULTILINE)
    importing = {path.name for path in (PROJECT / "loyalty").rglob("*.py") if theirs.search(path.read_text())}
    assert importing == {"sentry.py", "traces.py"}


def test_an_error_is_told_with_where_it_happened_and_nobodys_data(told: list[Any]) -> None:
    name = "Ana Quill"
    with run_of("loyalty.prune", request_id="asked") as run:
        try:
            int(name)
        except ValueError:
            logger.exception("For %s failed.", "ana@example.com", extra={"customer": name})
    [event] = told
    assert event["tags"] == {"request_id": "asked", "job_id": run.job_id, "doing": "loyalty.prune"}
    assert event["exception"]["values"][-1]["type"] == "ValueError"
    assert event["exception"]["values"][-1]["stacktrace"]["frames"][-1]["function"].startswith("test_an_error")
    assert event["logentry"]["message"] == "For (an address) failed."
    said = json.dumps(event, default=str)
    assert not [word for word in ("Ana", "ana@", "Quill") if word in said]


def test_what_is_no_error_is_not_told(told: list[Any]) -> None:
    logger.warning("Only a warning.")
    assert told == []


def test_a_request_is_a_span_by_its_route(client: Client, spans: InMemorySpanExporter) -> None:
    client.get("/healthz?email=ana@example.com", headers={"X-Request-ID": "asked"})
    [span] = spans.get_finished_spans()
    assert span.name == "healthz"
    assert dict(span.attributes or {}) == {"request_id": "asked", "job_id": ""}
    assert "ana" not in span.to_json()


def test_a_run_that_fails_says_by_what_and_no_more(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="Ana"), run_of("loyalty.prune"):
        raise ValueError("Ana Quill")
    [span] = spans.get_finished_spans()
    assert (span.name, span.status.status_code) == ("loyalty.prune", StatusCode.ERROR)
    assert "Ana" not in span.to_json()
