"""The metrics: who may read them, what they count, that they are few, and cheap."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from django.db import DatabaseError, connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from loyalty.jobs.periodic import JOBS, run_job
from loyalty.journal.models import JobRun, LedgerCheck
from loyalty.monitoring import expose, state
from loyalty.monitoring.metrics import OF_REQUESTS, OF_STATE
from loyalty.monitoring.state import Reader, read_state
from loyalty.outbox.models import Message
from loyalty.stores.actors import Trigger
from orders.models import Order, Problem
from tests import factories
from tests.factories import NOW

PROJECT: Final = Path(__file__).resolve().parents[3]
TOKEN: Final = "token-of-the-scraper"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def scraper() -> Iterator[Client]:
    """Prometheus, with its token; the state is read anew for every test."""
    with override_settings(METRICS_TOKEN=TOKEN), pytest.MonkeyPatch.context() as patch:
        patch.setattr(expose, "reader", Reader())
        yield Client(headers={"authorization": f"Bearer {TOKEN}"})


def samples(client: Client) -> Samples:
    response = client.get("/metrics", headers={"host": "web:8000"})
    assert response.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found[name, tuple(sorted(labels.items()))]


@pytest.mark.parametrize("said", ["", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
@pytest.mark.parametrize("token", ["", TOKEN])
def test_strangers_find_nothing(client: Client, settings: Settings, said: str, token: str) -> None:
    settings.METRICS_TOKEN = token
    response = client.get("/metrics", headers={"authorization": said})
    assert (response.status_code, response.content) == (404, b"")


@pytest.mark.django_db
@pytest.mark.usefixtures("frozen_clock")
def test_requests_are_counted_by_the_name_of_their_route(scraper: Client) -> None:
    page = {"route": "hooks", "method": "DELETE", "status": "4xx"}
    before = samples(scraper).get(("loyalty_requests_total", tuple(sorted(page.items()))), 0)
    for slug in ("one", "another"):
        scraper.delete(f"/hooks/shopify/{slug}/")
    found = samples(scraper)
    assert value(found, "loyalty_requests_total", **page) == before + 2
    assert value(found, "loyalty_request_seconds_count", route="hooks") >= 2
    said = {text for _, labels in found for _, text in labels}
    assert not [text for text in said if "/" in text or "another" in text or TOKEN in text]


@pytest.mark.django_db
@pytest.mark.usefixtures("frozen_clock")
def test_jobs_are_counted_wherever_they_run(scraper: Client) -> None:
    for minute in range(2):
        run_job("loyalty.prune", NOW - timedelta(hours=8, minutes=minute))
    JobRun.objects.filter(name="loyalty.prune").update(failures=1, seconds_in_all=7.5, seconds=2.5)
    found = samples(scraper)
    assert value(found, "loyalty_job_runs_total", job="loyalty.prune", outcome="done") == 1
    assert value(found, "loyalty_job_runs_total", job="loyalty.prune", outcome="failed") == 1
    assert value(found, "loyalty_job_seconds_total", job="loyalty.prune") == 7.5
    assert value(found, "loyalty_job_last_seconds", job="loyalty.prune") == 2.5
    assert value(found, "loyalty_job_lag_seconds", job="loyalty.prune") == 2 * 3600 + 60
    assert ("loyalty_job_lag_seconds", (("job", "loyalty.check_ledger"),)) not in found


@pytest.mark.django_db
def test_a_run_adds_to_what_was_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(now: object) -> None:
        raise LookupError

    run_job("loyalty.prune", NOW)
    monkeypatch.setattr("loyalty.jobs.prune.prune", fail)
    with pytest.raises(LookupError):
        run_job("loyalty.prune", NOW)
    run = JobRun.objects.get()
    assert (run.runs, run.failures) == (2, 1)
    assert run.seconds_in_all >= run.seconds > 0


@pytest.mark.django_db
@pytest.mark.usefixtures("frozen_clock")
def test_what_waits_is_counted_over_all_stores(scraper: Client) -> None:
    for minutes, topic in ((3, "webhook"), (5, "webhook"), (-9, "platform.check")):
        store = factories.make_store()
        due = NOW - timedelta(minutes=minutes)
        Message.objects.create(store=store, topic=topic, key=f"{minutes}", created_at=NOW, next_attempt_at=due)
        order = factories.make_order(factories.make_customer(store), status="confirmed")
        Order.unscoped.filter(pk=order.pk).update(rules_due_at=due)
    Problem.objects.create(
        store=store, order=order, job="orders.auto_cancel", error="x", next_attempt_at=NOW, created_at=NOW
    )
    LedgerCheck.objects.create(store=store, checked_at=NOW - timedelta(days=1), faults=3)
    found = samples(scraper)
    out = {"job": "loyalty.deliver_outbox", "what": "webhooks out"}
    assert value(found, "loyalty_waiting", **out) == 2
    assert value(found, "loyalty_oldest_due_seconds", **out) == 300
    assert value(found, "loyalty_waiting", job="loyalty.deliver_outbox", what="outbox") == 1
    assert value(found, "loyalty_oldest_due_seconds", job="loyalty.deliver_outbox", what="outbox") == 0
    changed = {"job": "orders.evaluate_rules", "what": "orders that changed"}
    assert value(found, "loyalty_waiting", **changed) == 2
    assert value(found, "loyalty_set_aside", about="orders") == 1
    assert value(found, "loyalty_ledger_faults") == 3
    assert value(found, "loyalty_ledger_check_age_seconds") == 24 * 3600
    assert value(found, "loyalty_ledger_stores_unchecked") == 2
    assert value(found, "loyalty_database_readable") == 1


@pytest.mark.django_db
def test_the_state_is_read_by_as_many_statements_for_any_number_of_stores() -> None:
    counts = []
    for _ in range(2):
        factories.make_order(factories.make_customer(factories.make_store()), status="confirmed")
        with CaptureQueriesContext(connection) as queries:
            read_state(NOW)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 30


@pytest.mark.django_db
@pytest.mark.usefixtures("frozen_clock")
def test_the_state_is_read_once_in_ten_seconds(scraper: Client) -> None:
    samples(scraper)
    with CaptureQueriesContext(connection) as queries:
        samples(scraper)
    assert len(queries) == 0


@pytest.mark.django_db
def test_a_database_that_is_away_is_a_metric(scraper: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(now: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(state, "read_state", away)
    assert value(samples(scraper), "loyalty_database_readable") == 0


@pytest.mark.django_db
def test_labels_are_words_of_this_program(scraper: Client) -> None:
    found = samples(scraper)
    allowed: dict[str, set[str]] = {"job": set(JOBS), "trigger": set(Trigger), "kind": {"credits", "points"}}
    for _, labels in found:
        for name, said in labels:
            assert said in allowed.get(name, {said})
    declared = {metric.exported: metric for metric in (*OF_REQUESTS, *OF_STATE)}
    assert {name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name, _ in found} <= {
        *declared,
        "loyalty_requests_created",
        "loyalty_request_seconds_created",
    }


def test_every_metric_is_described() -> None:
    """The table of docs/monitoring.md says what the code says."""
    said = (PROJECT / "docs" / "monitoring.md").read_text().splitlines()
    table = [line for line in said if line.startswith("| `loyalty_")]
    assert table == [
        f"| `{metric.exported}` | {', '.join(f'`{label}`' for label in metric.labels) or '–'} | {metric.says} |"
        for metric in (*OF_REQUESTS, *OF_STATE)
    ]
