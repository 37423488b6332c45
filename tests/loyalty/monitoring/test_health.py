"""The probes: alive, ready, and what is answered when something hangs."""

import socket
import time
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django.fixtures import Settings

from loyalty.jobs.periodic import PULSE
from loyalty.journal.models import JobRun
from loyalty.monitoring import health
from loyalty.monitoring.health import NO_ANSWER, OK, PARTS, Examiner, broker, database
from tests.factories import NOW

NOBODY = "unix:///nonexistent/valkey.sock"


def beat_ran(ago: timedelta) -> None:
    JobRun.objects.create(name=PULSE, started_at=NOW - ago, seconds=0.1)


def test_healthz_asks_nobody(client: Client, settings: Settings) -> None:
    # Without a mark for the database, a test that asks it fails.
    settings.REDIS_URL = NOBODY
    response = client.get("/healthz", headers={"host": "10.1.2.3:8000"})
    assert (response.status_code, response.json()) == (200, {"status": "alive"})
    assert "no-store" in response.headers["Cache-Control"]
    assert "Set-Cookie" not in response.headers
    assert client.post("/healthz").status_code == 405


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (dict.fromkeys(PARTS, OK), 200),
        *((dict.fromkeys(PARTS, OK) | {part: NO_ANSWER}, 503) for part in PARTS),
    ],
)
def test_readyz_is_503_when_any_part_is_not_there(
    client: Client, monkeypatch: pytest.MonkeyPatch, found: dict[str, str], status: int
) -> None:
    monkeypatch.setattr(Examiner, "examine", lambda _self, _parts: found)
    response = client.get("/readyz")
    assert response.status_code == status
    assert response.json() == {"status": "ready" if status == 200 else "not ready", "parts": found}


def test_readyz_asks_what_it_is_asked_for(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = NOBODY
    response = client.get("/readyz", {"parts": "broker"})
    assert response.status_code == 503
    assert response.json()["parts"] == {"broker": NO_ANSWER}
    wrong = client.get("/readyz", {"parts": "broker,<b>"})
    assert (wrong.status_code, wrong.json()["parts"]) == (400, ["<b>"])


def test_the_broker_answers() -> None:
    assert broker() == {"broker": OK}


def test_a_broker_that_hangs_is_given_up(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        began = time.monotonic()
        assert broker() == {"broker": NO_ANSWER}
        assert time.monotonic() - began < health.PATIENCE


def test_what_hangs_is_asked_once_and_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    released, asked = Event(), []

    def hang() -> dict[str, str]:
        asked.append(1)
        released.wait()
        return {"broker": OK}

    monkeypatch.setattr(health, "PATIENCE", 0.01)
    monkeypatch.setattr(health, "QUESTIONS", (health._Question(("broker",), hang),))
    examiner = Examiner()
    for _ in range(3):
        assert examiner.examine(["broker"]) == {"broker": NO_ANSWER}
    assert len(asked) == 1
    released.set()


@pytest.mark.django_db
@pytest.mark.usefixtures("frozen_clock")
def test_the_database_tells_migrations_and_beat() -> None:
    assert database() == {"database": OK, "migrations": OK, "beat": "has not been heard of yet"}
    beat_ran(timedelta(minutes=2))
    assert database()["beat"] == OK


@pytest.mark.django_db
@pytest.mark.usefixtures("frozen_clock")
def test_a_beat_that_is_late_and_migrations_to_apply_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    beat_ran(timedelta(minutes=7))
    applied = MigrationRecorder.applied_migrations

    def fewer(self: MigrationRecorder) -> dict[tuple[str, str], Any]:
        known = dict(applied(self))
        known.pop(max(health._on_disk()))
        return known

    monkeypatch.setattr(MigrationRecorder, "applied_migrations", fewer)
    assert database() == {"database": OK, "migrations": "1 to apply", "beat": "last heard of 420 seconds ago"}


@pytest.mark.django_db
def test_what_goes_wrong_with_the_database_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(self: MigrationRecorder) -> None:
        connection.cursor().execute("SELECT * FROM nowhere")

    monkeypatch.setattr(MigrationRecorder, "applied_migrations", away)
    assert set(database().values()) == {NO_ANSWER}
