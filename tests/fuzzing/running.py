"""Running all of schemathesis against the API over HTTP, on the real database."""

import threading
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, make_server

import schemathesis
from django.db import connections
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from loyalty.wsgi import application

CONFIG: Final = Path(__file__).resolve().parents[2] / "schemathesis.toml"
PHASES: Final = ("examples", "coverage", "fuzzing", "stateful")


@dataclass(slots=True)
class Report:
    """How many requests each phase sent, how they were answered, and what was wrong: the request and the answer."""

    requests: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)

    def take(self, event: Any) -> None:
        """Count what one event of a run tells of."""
        match event:
            case events.ScenarioFinished():
                self._count(event)
            case events.NonFatalError():
                self.failures[f"{event.label}: {event.value}"] = ""
            case events.FatalError():
                raise event.exception

    def _count(self, finished: events.ScenarioFinished) -> None:
        recorder = finished.recorder
        answers = {case: interaction.response for case, interaction in recorder.interactions.items()}
        self.requests[finished.phase.value] += len(answers)
        self.answers.update(answer.status_code for answer in answers.values() if answer is not None)
        for case, checks in recorder.checks.items():
            for check in checks:
                if check.failure_info is not None:
                    failure, request = check.failure_info.failure, check.failure_info.code_sample
                    answer = answers[case]
                    said = "" if answer is None else answer.content.decode(errors="replace")
                    self.failures[f"{failure.operation}: {failure.title}: {failure.message}"] = f"{request}\n{said}"


def fuzz(
    key: str, *, seed: int, examples: int, phases: Collection[str] = PHASES, operations: Collection[str] = ()
) -> Report:
    """Send what the phases of schemathesis think of, and look at every answer with all its checks.

    ``operations`` are those that are tried, such as ``GET /api/v1/orders/``; without them it is all.
    """
    report = Report()
    with _served() as address:
        config = _config(key, seed, examples, phases)
        schema: Any = schemathesis.openapi.from_url(f"{address}/api/v1/schema/", config=config)
        if operations:
            schema = schema.include(name=list(operations))
        for event in from_schema(schema).execute():
            report.take(event)
    return report


def _config(key: str, seed: int, examples: int, phases: Collection[str]) -> SchemathesisConfig:
    config = SchemathesisConfig.from_path(CONFIG)
    config.update(seed=seed, max_failures=None)
    project = config.projects.default
    project.update(headers={"Authorization": f"Bearer {key}"}, continue_on_failure=True)
    project.generation.update(max_examples=examples)
    project.phases.update(phases=list(phases))
    return config


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_said: Any) -> None:
        pass


@contextmanager
def _served() -> Iterator[str]:
    with make_server("127.0.0.1", 0, application, handler_class=_Quiet) as server:
        thread = threading.Thread(target=_serve, args=[server])
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _serve(server: Any) -> None:
    try:
        server.serve_forever(poll_interval=0.05)
    finally:
        connections.close_all()
