"""The alert rules and the dashboard of docker/monitoring ask for metrics that there are, and for all of them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from django.utils.module_loading import import_string

from loyalty.jobs.periodic import JOBS, PULSE
from loyalty.monitoring.backlogs import HANDED_IN
from loyalty.monitoring.findings import CHECK_LATE, LATE, VERY_LATE
from loyalty.monitoring.metrics import OF_REQUESTS, OF_STATE, REQUEST_SECONDS

FOLDER: Final = Path(__file__).resolve().parents[3] / "docker" / "monitoring"
RULES: Final[list[dict[str, Any]]] = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
PANELS: Final[list[dict[str, Any]]] = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
EXPORTED: Final = {metric.exported: set(metric.labels) for metric in (*OF_REQUESTS, *OF_STATE)} | {
    f"{REQUEST_SECONDS.exported}_{part}": {*REQUEST_SECONDS.labels, *(["le"] if part == "bucket" else [])}
    for part in ("bucket", "count", "sum")
}


def asked() -> Iterator[tuple[str, str]]:
    """Every expression, by where it stands."""
    yield from ((rule["alert"], rule["expr"]) for rule in RULES)
    yield from ((panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"])


ASKED: Final = list(asked())


@pytest.mark.parametrize(("place", "expression"), ASKED, ids=[place for place, _ in ASKED])
def test_every_metric_and_label_that_is_asked_for_is_exported(place: str, expression: str) -> None:
    metrics = re.findall(r"loyalty_\w+", expression)
    assert [name for name in metrics if name not in EXPORTED] == []
    known = set().union(*(EXPORTED[name] for name in metrics))
    grouped = {label.strip() for labels in re.findall(r"by \(([^)]*)\)", expression) for label in labels.split(",")}
    assert grouped <= known
    for name, matchers in re.findall(r"(loyalty_\w+)\{([^}]*)\}", expression):
        assert set(re.findall(r"(\w+)(?:=~|!~|!=|=)", matchers)) <= EXPORTED[name]
    for job in re.findall(r'job="([\w.]+\.[\w.]+)"', expression):
        assert job in JOBS


def test_the_dashboard_shows_every_metric() -> None:
    shown = set(re.findall(r"loyalty_\w+", json.dumps(PANELS)))
    shown = {re.sub(r"(request_seconds)_(bucket|count|sum)$", r"\1", name) for name in shown}
    assert shown == {metric.exported for metric in (*OF_REQUESTS, *OF_STATE)}


def test_alerts_say_what_to_do_at_the_limits_of_the_page() -> None:
    assert {rule["labels"]["severity"] for rule in RULES} == {"page", "ticket"}
    assert all(rule["annotations"]["summary"] and rule["annotations"]["action"] for rule in RULES)
    by_name = {rule["alert"]: rule["expr"] for rule in RULES}
    late = int(LATE.total_seconds())
    assert f'{{job="{PULSE}"}}) > {late} or' in by_name["BeatOrWorkerIsDown"]
    assert by_name["JobIsLate"].endswith(f"> {late}")
    assert by_name["WorkWaitsTooLong"].endswith(f"> {VERY_LATE * late}")
    assert by_name["BooksAreNotChecked"].endswith(f"> {int(CHECK_LATE.total_seconds())}")


def test_what_alerts_and_dashboard_leave_to_a_name_is_a_backlog() -> None:
    whats = {backlog.what for name in HANDED_IN for backlog in import_string(name)}
    named = [found for _, expression in ASKED for found in re.findall(r'what[!=]~"([^"]+)"', expression)]
    assert {what for some in named for what in some.split("|")} <= whats
    assert len(named) >= 3
