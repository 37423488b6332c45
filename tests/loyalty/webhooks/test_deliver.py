"""Deliveries to a real server: signed, timed, tried again, given up, never twice at once."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
import time_machine
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError
from werkzeug import Request, Response

from loyalty.jobs.retries import OUTBOX, PARTNERS
from loyalty.journal.models import JournalEntry
from loyalty.outbox.deliver import LEASES
from loyalty.outbox.models import Message
from loyalty.outbox.send import JOB
from loyalty.stores.models import Store
from loyalty.webhooks import deliver as delivery
from loyalty.webhooks.deliver import FAILING_FOR
from loyalty.webhooks.endpoints import EndpointValues, change_endpoint, rotate_secret, send_test
from loyalty.webhooks.models import DisabledBecause, WebhookAttempt, WebhookEndpoint
from loyalty.webhooks.replay import replay
from tests.factories import ACTOR, NOW, make_store
from tests.loyalty.webhooks.receiving import (
    SECOND,
    Receiver,
    counts,
    deliver,
    deliver_on_a_connection_of_its_own,
    happen,
    make_endpoint,
    only_message,
)
from tests.workers import start

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def today() -> Iterator[time_machine.Traveller]:
    """The judge of signatures compares their time with the clock."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def attempts(store: Store) -> list[int | None]:
    return list(WebhookAttempt.objects.for_store(store).order_by("id").values_list("status_code", flat=True))


def again(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    fresh: WebhookEndpoint = WebhookEndpoint.objects.for_store(endpoint.store).get(pk=endpoint.pk)
    return fresh


def test_a_delivery_is_signed_as_the_standard_says(store: Store, receiver: Receiver) -> None:
    _, secret = make_endpoint(store, receiver.url)
    happen(store)
    assert deliver() == counts(done=1)
    (received,) = receiver.received
    received.verify(secret)
    message = only_message(store)
    assert received.headers["webhook-id"] == f"msg_{message.pk}"
    assert received.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert received.headers["content-type"] == "application/json"
    assert set(received.json) == {"type", "timestamp", "data"}
    assert secret.startswith("whsec_")


def test_a_changed_body_or_another_secret_is_recognised(store: Store, receiver: Receiver) -> None:
    _, secret = make_endpoint(store, receiver.url, "order.cancelled")
    _, other = make_endpoint(store, receiver.url, "order.revert_undone")
    happen(store)
    deliver()
    (received,) = receiver.received
    with pytest.raises(WebhookVerificationError):
        received.verify(other)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(received.body + b" ", received.headers)


def test_during_a_rotation_both_secrets_verify_and_afterwards_the_new_one(
    store: Store, receiver: Receiver, today: time_machine.Traveller
) -> None:
    endpoint, old = make_endpoint(store, receiver.url)
    _, new = rotate_secret(store=store, endpoint_id=endpoint.pk, overlap=timedelta(hours=1), actor=ACTOR, now=NOW)
    happen(store)
    deliver()
    assert len(receiver.received[0].headers["webhook-signature"].split()) == 2
    receiver.received[0].verify(old)
    receiver.received[0].verify(new)

    later = NOW + timedelta(hours=1)
    today.move_to(later)
    happen(store)
    deliver(later)
    receiver.received[1].verify(new)
    with pytest.raises(WebhookVerificationError):
        receiver.received[1].verify(old)


def test_t1_another_stores_endpoint_gets_nothing(store: Store, receiver: Receiver) -> None:
    make_endpoint(make_store(), receiver.url)
    happen(store)
    assert deliver() == counts()
    assert receiver.received == []


@pytest.mark.parametrize("status", [301, 400, 401, 404, 500, 502])
def test_whatever_is_no_success_is_tried_again_with_growing_pauses(
    store: Store, receiver: Receiver, status: int, today: time_machine.Traveller
) -> None:
    receiver.answers(status, "try later", Location="http://127.0.0.1:9/elsewhere")
    _, secret = make_endpoint(store, receiver.url)
    happen(store)
    assert deliver() == counts(postponed=1)
    message = only_message(store)
    assert (message.attempts, message.next_attempt_at) == (1, NOW + OUTBOX.steps[0])
    assert str(status) in message.last_error
    assert deliver(NOW + OUTBOX.steps[0] - SECOND) == counts()
    receiver.answers(200)
    today.move_to(NOW + OUTBOX.steps[0])
    assert deliver(NOW + OUTBOX.steps[0]) == counts(done=1)
    first, second = receiver.received
    second.verify(secret)
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert attempts(store) == [status, 200]
    kept = WebhookAttempt.objects.for_store(store).order_by("id")[0]
    assert (kept.answer, kept.error) == ("try later", "")


def test_410_switches_the_endpoint_off_at_once(store: Store, receiver: Receiver) -> None:
    receiver.answers(410)
    endpoint, _ = make_endpoint(store, receiver.url)
    happen(store, 3)
    assert deliver() == counts(failed=3)
    assert attempts(store) == [410]
    fresh = again(endpoint)
    assert (fresh.disabled_at, fresh.disabled_because) == (NOW, DisabledBecause.GONE)
    entry = JournalEntry.objects.for_store(store).get(event="webhook.changed", data__change="disabled")
    assert (entry.actor, entry.data["because"]) == (f"job:{JOB}", "gone")
    happen(store)
    assert deliver() == counts()


@pytest.mark.parametrize("said", ["120", "Mon, 05 Jan 2026 06:02:00 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_endpoint_is_asked_again_when_it_says(store: Store, receiver: Receiver, status: int, said: str) -> None:
    receiver.answers(status, Retry_After=said)
    make_endpoint(store, receiver.url)
    happen(store, 2)
    assert deliver() == counts(postponed=2)
    assert attempts(store) == [status], "the second one waits without asking"
    turns = set(Message.objects.for_store(store).values_list("attempts", "next_attempt_at"))
    assert turns == {(0, NOW + 2 * MINUTE)}
    receiver.answers(200)
    assert deliver(NOW + 2 * MINUTE) == counts(done=2)


@pytest.mark.parametrize(
    ("said", "pause"),
    [
        ("999999999999", timedelta(days=1)),
        ("soon", OUTBOX.steps[0]),
        ("", OUTBOX.steps[0]),
        ("²", OUTBOX.steps[0]),
        ("Mon, 05 Jan 2015 06:02:00 GMT", SECOND),
        ("Tue, 05 Jan 2077 06:02:00 GMT", timedelta(days=1)),
    ],
)
def test_a_retry_after_that_cannot_be_meant_is_not_taken_at_its_word(
    store: Store, receiver: Receiver, said: str, pause: timedelta
) -> None:
    receiver.answer = lambda _: Response(
        status=429, headers={"Retry-After": said.encode("latin-1", "replace").decode()}
    )
    make_endpoint(store, receiver.url)
    happen(store)
    deliver()
    assert only_message(store).next_attempt_at == NOW + pause


def test_nobody_there_is_tried_again(store: Store) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        make_endpoint(store, f"http://127.0.0.1:{held.getsockname()[1]}/hook")
        happen(store)
        assert deliver() == counts(postponed=1)
    assert attempts(store) == [None]
    assert "cannot be connected to" in only_message(store).last_error
    assert "cannot be connected to" in WebhookAttempt.objects.for_store(store).get().error


def test_an_answer_that_does_not_come_is_tried_again(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = Barrier(2, timeout=20)

    def silent(_request: Request) -> Response:
        release.wait()
        return Response(status=200)

    receiver.answer = silent
    monkeypatch.setattr(delivery, "TIMEOUT_SECONDS", 0.3)
    make_endpoint(store, receiver.url)
    happen(store)
    assert deliver() == counts(postponed=1)
    release.wait()
    assert "did not answer within" in only_message(store).last_error


def test_of_a_long_answer_an_excerpt_is_kept(store: Store, receiver: Receiver) -> None:
    receiver.answers(200, "é\0" + "x" * 2_000_000)
    make_endpoint(store, receiver.url)
    happen(store)
    assert deliver() == counts(done=1)
    answer = WebhookAttempt.objects.for_store(store).get().answer
    assert answer.startswith("é�xxx")
    assert len(answer) <= 500


def test_an_address_that_leads_inside_by_now_is_not_called(
    store: Store, receiver: Receiver, settings: Settings
) -> None:
    make_endpoint(store, receiver.url)
    happen(store)
    settings.OUTGOING_TO_LOCALHOST = False
    assert deliver() == counts(postponed=1)
    assert receiver.received == []


def test_after_three_failures_in_a_row_everything_waits_for_one_attempt(store: Store, receiver: Receiver) -> None:
    receiver.answers(500)
    endpoint, _ = make_endpoint(store, receiver.url)
    happen(store, 10)
    assert deliver() == counts(postponed=10)
    assert attempts(store) == [500, 500, 500]
    fresh = again(endpoint)
    assert (fresh.failures, fresh.failing_since, fresh.paused_until) == (3, NOW, NOW + PARTNERS.steps[0])
    waiting = Message.objects.for_store(store).filter(attempts=0, next_attempt_at=NOW + PARTNERS.steps[0])
    assert waiting.count() == 7

    now = NOW + PARTNERS.steps[0]
    assert deliver(now) == counts(postponed=10)
    assert again(endpoint).paused_until == now + PARTNERS.steps[1]
    assert len(attempts(store)) == 4

    receiver.answers(204)
    assert deliver(now + PARTNERS.steps[1]) == counts(done=10)
    fresh = again(endpoint)
    assert (fresh.failures, fresh.failing_since, fresh.paused_until) == (0, None, None)


def test_an_endpoint_that_fails_does_not_hold_up_another(store: Store, receiver: Receiver) -> None:
    make_endpoint(store, "http://127.0.0.1:9/hook")
    make_endpoint(store, receiver.url)
    happen(store, 5)
    assert deliver()["done"] == 5
    assert len(receiver.received) == 5


def test_after_days_of_failure_the_endpoint_is_switched_off(store: Store, receiver: Receiver) -> None:
    receiver.answers(500)
    endpoint, _ = make_endpoint(store, receiver.url)
    now = NOW
    while now < NOW + FAILING_FOR:
        happen(store, now=now)
        deliver(now)
        assert again(endpoint).disabled_at is None
        now += timedelta(hours=8)
    happen(store, now=now)
    deliver(now)
    fresh = again(endpoint)
    assert (fresh.disabled_at, fresh.disabled_because) == (now, DisabledBecause.FAILING)
    entry = JournalEntry.objects.for_store(store).get(event="webhook.changed", data__change="disabled")
    assert entry.data["because"] == "failing"
    deliver(now + timedelta(days=2))
    assert not Message.objects.for_store(store).filter(status="queued").exists()


def test_one_success_in_between_keeps_the_endpoint(store: Store, receiver: Receiver) -> None:
    endpoint, _ = make_endpoint(store, receiver.url)
    for day, status in ((0, 500), (3, 200), (6, 500)):
        receiver.answers(status)
        happen(store, now=NOW + timedelta(days=day))
        deliver(NOW + timedelta(days=day))
    fresh = again(endpoint)
    assert (fresh.disabled_at, fresh.failing_since) == (None, NOW + timedelta(days=6))


def test_enabling_starts_with_a_clean_slate(store: Store, receiver: Receiver) -> None:
    receiver.answers(410)
    endpoint, _ = make_endpoint(store, receiver.url)
    happen(store)
    deliver()
    receiver.answers(200)
    values = EndpointValues(enabled=True)
    change_endpoint(store=store, endpoint_id=endpoint.pk, values=values, actor=ACTOR, now=NOW)
    replay(store=store, delivery_id=only_message(store).pk, now=NOW)
    assert deliver() == counts(done=1)
    fresh = again(endpoint)
    assert (fresh.disabled_at, fresh.failures, fresh.failing_since) == (None, 0, None)


def test_a_replay_sends_the_same_bytes_under_the_same_id(store: Store, receiver: Receiver) -> None:
    make_endpoint(store, receiver.url)
    happen(store)
    deliver()
    message = only_message(store)
    replay(store=store, delivery_id=message.pk, now=NOW)
    replay(store=store, delivery_id=message.pk, now=NOW)
    assert deliver() == counts(done=1)
    first, second = receiver.received
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert attempts(store) == [204, 204]


def test_a_test_event_arrives_signed(store: Store, receiver: Receiver) -> None:
    endpoint, secret = make_endpoint(store, receiver.url, "order.cancelled")
    send_test(store=store, endpoint_id=endpoint.pk, now=NOW)
    assert deliver() == counts(done=1)
    (received,) = receiver.received
    received.verify(secret)
    assert received.json == {
        "type": "webhook.test",
        "timestamp": "2026-01-05T06:00:00Z",
        "data": {"endpoint": str(endpoint.pk)},
    }


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_deliver_each_once(receiver: Receiver) -> None:
    store = make_store()
    make_endpoint(store, receiver.url)
    happen(store, 20)
    with ThreadPoolExecutor(2) as workers:
        runs = [workers.submit(deliver_on_a_connection_of_its_own) for _ in range(2)]
        assert sum(run.result(timeout=60)["done"] for run in runs) == 20
    ids = [received.headers["webhook-id"] for received in receiver.received]
    assert len(ids) == len(set(ids)) == 20


WORKER = """
import os, signal
import django
django.setup()
from datetime import datetime
from loyalty.jobs.periodic import run_job
from loyalty.webhooks import deliver
# The answer has come, and nothing of it is recorded yet.
deliver._note = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
run_job("loyalty.deliver_outbox", datetime.fromisoformat("{now}"))
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_between_answer_and_record_leads_to_a_repeat_under_the_same_id(
    receiver: Receiver, settings: Settings
) -> None:
    store = make_store()
    make_endpoint(store, receiver.url)
    happen(store)
    # Both processes have to read the secrets that one of them wrote.
    keys = ",".join(settings.CREDENTIALS_KEYS)
    with start("-c", WORKER.format(now=NOW.isoformat()), CREDENTIALS_KEYS=keys) as worker:
        assert worker.wait(timeout=60) == -9
    assert len(receiver.received) == 1
    assert deliver(NOW + LEASES["webhook"] - SECOND) == counts()
    assert deliver(NOW + LEASES["webhook"]) == counts(done=1)
    first, second = receiver.received
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])


def test_payloads_are_small_and_plain_json(store: Store, receiver: Receiver) -> None:
    make_endpoint(store, receiver.url)
    happen(store, now=datetime.fromisoformat("2026-01-05T14:00:00+08:00"))
    deliver()
    body = receiver.received[0].body
    assert len(body) < 1000
    assert json.loads(body)["timestamp"] == "2026-01-05T06:00:00Z"
