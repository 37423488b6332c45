"""The jobs as Celery tasks: fixed names, a schedule, a real worker, and life without Redis."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from django.conf import settings as django_settings
from django.core import mail
from django.utils import timezone

from loyalty.celery import app
from loyalty.core.causes import Cause, because_of
from loyalty.embedded.layout import Layout
from loyalty.jobs import periodic
from loyalty.jobs.periodic import EVERY, JOBS, run_job
from loyalty.notices.models import Notice, NoticeStatus
from loyalty.notices.write import Letter, Message, queue
from tests.factories import ACTOR, make_customer, make_store
from tests.workers import celery_worker, own_queue, wait_for


def queue_one() -> Notice:
    message = Message("Your order was cancelled", "5.00 USD are back.", "<p>5.00 USD are back.</p>")
    return queue([Letter(message, make_customer(make_store()), None)], actor=ACTOR, now=timezone.now())[0]


def test_every_job_is_a_task_of_its_name() -> None:
    app.loader.import_default_modules()
    assert set(JOBS) <= set(app.tasks)


def test_beat_sends_every_job_with_its_pause_and_drops_what_came_too_late() -> None:
    app.loader.import_default_modules()
    schedule = app.conf.beat_schedule
    assert {entry["task"]: entry["schedule"] for entry in schedule.values()} == EVERY
    # Not sooner, because the clocks of two machines may differ by minutes.
    ages = [entry["options"]["expires"] - entry["schedule"].total_seconds() for entry in schedule.values()]
    assert set(ages) == {15 * 60}


@pytest.fixture
def worker(
    transactional_db: None, tmp_path: Path, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> "Iterator[subprocess.Popen[str]]":
    """A real worker on the test's database and a queue of its own, which writes its mail into ``tmp_path``."""
    with own_queue(layout, monkeypatch), celery_worker(EMAIL_URL=f"filemail://{tmp_path}") as process:
        yield process


def test_h3_a_commit_wakes_a_real_worker_which_sends_the_notice(
    worker: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    wait_for("ready.", worker)
    with because_of(Cause(request_id="asked-by-web")):
        notice = queue_one()
    said = wait_for("loyalty.deliver_notices: sent=1", worker)
    assert re.search(r" request_id=asked-by-web job_id=[0-9a-f]{32}$", said)
    notice.refresh_from_db()
    assert notice.status == NoticeStatus.SENT
    files = list(tmp_path.iterdir())
    assert len(files) == 1
    assert notice.message_id in files[0].read_text()


@pytest.fixture
def redis_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The same application on a broker that is not there."""
    away = Celery("away", broker=f"redis+socket://{tmp_path}/nobody.sock", set_as_current=False)
    away.conf.broker_transport_options = django_settings.CELERY_BROKER_TRANSPORT_OPTIONS
    monkeypatch.setattr(periodic, "app", away)


@pytest.mark.django_db(transaction=True)
def test_redis_gone_a_commit_succeeds_and_the_job_catches_up(
    redis_gone: None, caplog: pytest.LogCaptureFixture
) -> None:
    notice = queue_one()
    assert Notice.unscoped.get().pk == notice.pk
    assert "The broker is away" in caplog.text
    assert run_job("loyalty.deliver_notices", timezone.now())["sent"] == 1
    assert len(mail.outbox) == 1
