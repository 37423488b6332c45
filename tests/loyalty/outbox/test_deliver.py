"""The outbox: written with its cause, carried out once, tried again with growing pauses, given up in the end."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from io import StringIO
from threading import Event, Semaphore
from time import monotonic
from types import SimpleNamespace

import pytest
import time_machine
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from loyalty.core.errors import NotFound
from loyalty.jobs.prune import prune
from loyalty.jobs.retries import OUTBOX
from loyalty.outbox import deliver
from loyalty.outbox.deliver import LEASE, LEASES, deliver_outbox
from loyalty.outbox.models import Message, MessageStatus
from loyalty.outbox.retry import NotRetryable, retry
from loyalty.outbox.send import Later, send_later
from loyalty.outbox.topics import TOPICS
from loyalty.partners.http import CONNECT_SECONDS
from loyalty.webhooks.deliver import TIMEOUT_SECONDS
from tests.database import as_owner
from tests.factories import NOW, make_customer, make_order, make_store
from tests.loyalty.outbox import handlers
from tests.loyalty.outbox.handlers import TOPIC, queued
from tests.workers import start

SECOND = timedelta(seconds=1)
KEEP = timedelta(days=30)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers.register(monkeypatch)


def counts(done: int = 0, postponed: int = 0, failed: int = 0) -> dict[str, int]:
    return {"done": done, "postponed": postponed, "failed": failed}


@pytest.mark.django_db
def test_a_message_is_carried_out_once() -> None:
    message = queued()
    assert deliver_outbox(NOW) == counts(done=1)
    assert deliver_outbox(NOW + timedelta(days=1)) == counts()
    message.refresh_from_db()
    assert (message.status, message.attempts, message.done_at) == (MessageStatus.DONE, 1, NOW)
    assert handlers.calls == [(message.key, NOW)]


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_handler_works() -> None:
    queued()
    assert deliver_outbox(NOW) == counts(done=1)
    assert handlers.transactions == [False]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_sends_nothing() -> None:
    with transaction.atomic():
        queued()
        transaction.set_rollback(True)
    assert deliver_outbox(NOW) == counts()


@pytest.mark.django_db
def test_a_key_makes_one_message_in_each_store() -> None:
    store, other = make_store(), make_store()
    later = [Later(store.pk, TOPIC, "same"), Later(store.pk, TOPIC, "same"), Later(other.pk, TOPIC, "same")]
    send_later(later, now=NOW)
    send_later(later, now=NOW)
    assert Message.objects.for_store(store).count() == 1
    assert Message.objects.for_store(other).count() == 1


@pytest.mark.django_db
def test_many_are_written_in_one_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    store = make_store()
    with django_assert_num_queries(1):
        send_later([Later(store.pk, TOPIC, str(number)) for number in range(100)], now=NOW)
    assert Message.objects.for_store(store).count() == 100


@pytest.mark.django_db(transaction=True)
def test_t1_a_message_about_another_stores_order_is_refused_by_the_database() -> None:
    order = make_order(make_customer(make_store()))
    with pytest.raises(IntegrityError):
        send_later([Later(make_store().pk, TOPIC, "key", order_id=order.pk)], now=NOW)


@pytest.mark.django_db
def test_a_delayed_message_waits_for_its_time() -> None:
    store = make_store()
    send_later([Later(store.pk, TOPIC, "key", not_before=NOW + timedelta(hours=1))], now=NOW)
    assert deliver_outbox(NOW + timedelta(minutes=59)) == counts()
    assert deliver_outbox(NOW + timedelta(hours=1)) == counts(done=1)


@pytest.mark.django_db
@pytest.mark.parametrize("body", [{"postpone": "They are away."}, {"break": "They are away."}])
def test_failures_mean_growing_pauses_and_then_giving_up(body: dict[str, str]) -> None:
    message, now = queued(body), NOW
    for attempt, pause in enumerate(OUTBOX.steps, start=1):
        assert deliver_outbox(now) == counts(postponed=1)
        message.refresh_from_db()
        assert (message.attempts, message.next_attempt_at) == (attempt, now + pause)
        assert "They are away." in message.last_error
        assert deliver_outbox(now + pause - SECOND) == counts()
        now += pause
    assert deliver_outbox(now) == counts(failed=1)
    message.refresh_from_db()
    assert (message.status, message.next_attempt_at, message.done_at) == (MessageStatus.FAILED, None, None)
    assert "They are away." in message.last_error
    assert sorted(OUTBOX.steps) == list(OUTBOX.steps)


@pytest.mark.django_db
def test_a_time_that_was_named_is_kept_and_the_attempt_does_not_count() -> None:
    message, now = queued({"postpone": "Too many calls.", "seconds": 20}), NOW
    for _ in range(2 * len(OUTBOX.steps)):
        assert deliver_outbox(now) == counts(postponed=1)
        assert deliver_outbox(now + timedelta(seconds=19)) == counts()
        now += timedelta(seconds=20)
        message.refresh_from_db()
        assert (message.attempts, message.next_attempt_at) == (0, now)


@pytest.mark.django_db
def test_a_time_that_is_over_is_the_next_second_and_not_an_endless_loop() -> None:
    message = queued({"postpone": "Too many calls.", "seconds": -60})
    assert deliver_outbox(NOW) == counts(postponed=1)
    message.refresh_from_db()
    assert message.next_attempt_at == NOW + SECOND


@pytest.mark.django_db
def test_what_can_never_be_done_is_given_up_at_once() -> None:
    message = queued({"give_up": "There is no such code."})
    assert deliver_outbox(NOW) == counts(failed=1)
    message.refresh_from_db()
    assert (message.status, message.attempts, message.last_error) == ("failed", 1, "There is no such code.")


@pytest.mark.django_db
def test_one_that_cannot_be_carried_out_does_not_hold_up_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store()
    queued({"break": "bad data"}, store=store)
    send_later([Later(store.pk, "unknown", "nobody's")], now=NOW)
    queued(store=store)
    assert deliver_outbox(NOW) == counts(done=1, postponed=2)
    assert "unknown" in Message.objects.for_store(store).get(key="nobody's").last_error


@pytest.mark.django_db
def test_what_was_given_up_is_tried_again_by_hand_with_all_its_attempts() -> None:
    message = queued({"give_up": "There is no such code."})
    deliver_outbox(NOW)
    with as_owner():
        Message.unscoped.update(body={})
    retry(store=message.store, message_id=message.pk, now=NOW)
    retry(store=message.store, message_id=message.pk, now=NOW)
    assert deliver_outbox(NOW) == counts(done=1)
    message.refresh_from_db()
    assert (message.status, message.attempts, message.last_error) == ("done", 1, "")
    with pytest.raises(NotRetryable):
        retry(store=message.store, message_id=message.pk, now=NOW)


@pytest.mark.django_db
def test_t1_another_stores_message_is_as_an_unknown_one() -> None:
    message = queued({"give_up": "no"})
    deliver_outbox(NOW)
    with pytest.raises(NotFound):
        retry(store=make_store(), message_id=message.pk, now=NOW)
    message.refresh_from_db()
    assert message.status == MessageStatus.FAILED


@pytest.mark.django_db
def test_what_ended_is_deleted_after_its_time_and_what_waits_never() -> None:
    store = make_store()
    queued(store=store, key="done")
    queued({"give_up": "no"}, store=store, key="failed")
    queued({"postpone": "later"}, store=store, key="waits")
    deliver_outbox(NOW)
    assert prune(NOW + KEEP)["outbox.message"] == 0
    assert prune(NOW + KEEP + SECOND)["outbox.message"] == 2
    assert [message.key for message in Message.objects.for_store(store)] == ["waits"]


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_carry_out_each_message_once() -> None:
    store = make_store()
    send_later([Later(store.pk, TOPIC, f"key-{number}") for number in range(30)], now=NOW)
    with ThreadPoolExecutor(4) as workers:
        deliveries = [workers.submit(deliver_on_a_connection_of_its_own) for _ in range(4)]
        assert sum(delivery.result(timeout=30) for delivery in deliveries) == 30
    assert sorted(key for key, _ in handlers.calls) == sorted(f"key-{number}" for number in range(30))


def deliver_on_a_connection_of_its_own() -> int:
    try:
        return deliver_outbox(NOW)["done"]
    finally:
        connection.close()


WORKER = f"""
import django
django.setup()
from datetime import datetime
from loyalty.jobs.periodic import run_job
from loyalty.outbox.topics import TOPICS
from loyalty.partners.http import CONNECT_SECONDS
from loyalty.webhooks.deliver import TIMEOUT_SECONDS
TOPICS[{TOPIC!r}] = "{handlers.__name__}.handle"
run_job("loyalty.deliver_outbox", datetime.fromisoformat("{NOW.isoformat()}"))
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_keeps_nobody_from_trying_again() -> None:
    message = queued({"die": True})
    with start("-c", WORKER) as worker:
        assert worker.wait(timeout=60) == -9
    message.refresh_from_db()
    assert (message.status, message.attempts, message.next_attempt_at) == ("queued", 1, NOW + LEASE)
    with as_owner():
        Message.unscoped.update(body={})
    assert deliver_outbox(NOW + LEASE - SECOND) == counts()
    assert deliver_outbox(NOW + LEASE) == counts(done=1)


@pytest.mark.django_db
def test_one_that_kills_every_worker_is_given_up() -> None:
    message = queued()
    Message.unscoped.update(attempts=len(OUTBOX.steps) + 1)
    assert deliver_outbox(NOW) == counts(failed=1)
    message.refresh_from_db()
    assert message.status == MessageStatus.FAILED
    assert handlers.calls == []


@pytest.mark.django_db
def test_a_worker_whose_lease_ran_out_does_not_overwrite_what_another_one_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    message = queued()

    def overtaken(given: Message, now: object) -> None:
        Message.unscoped.update(status="done", done_at=NOW, next_attempt_at=None)
        raise ConnectionError("too late")

    monkeypatch.setitem(TOPICS, TOPIC, "tests.loyalty.outbox.handlers.handle")
    monkeypatch.setattr(handlers, "handle", overtaken)
    deliver_outbox(NOW)
    message.refresh_from_db()
    assert (message.status, message.last_error) == (MessageStatus.DONE, "")


@pytest.mark.django_db
def test_run_jobs_knows_the_outbox() -> None:
    queued({"postpone": "They are away."})
    output = StringIO()
    with time_machine.travel(NOW, tick=False):
        call_command("run_jobs", "loyalty.deliver_outbox", stdout=output)
    assert output.getvalue() == "loyalty.deliver_outbox: done=0 postponed=1 failed=0\n"


def test_a_webhook_s_lease_is_longer_than_its_call_and_short_enough_to_be_missed_by_nobody() -> None:
    assert TIMEOUT_SECONDS + CONNECT_SECONDS < LEASES["webhook"].total_seconds() <= 30
    assert set(LEASES) <= set(TOPICS)


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    """Six messages that go to one place, of a kind that is taken up together."""
    monkeypatch.setitem(LEASES, TOPIC, SECOND * 30)
    store = make_store()
    return [queued(store=store) for _ in range(6)]


@pytest.mark.django_db
def test_what_goes_to_one_place_is_taken_up_together(
    together: list[Message], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    # Whose turn it is, finding and leasing them, that nothing is left; and each is noted by itself.
    with django_assert_max_num_queries(12 + len(together)):
        assert deliver_outbox(NOW) == counts(done=len(together))
    assert {message.attempts for message in Message.unscoped.all()} == {1}


@pytest.mark.django_db
def test_what_a_slow_partner_leaves_no_time_for_is_given_back_and_counts_no_attempt(
    together: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=monotonic())
    taken: list[int] = []

    def slowly(_message: Message, _now: datetime) -> None:
        clock.now += 5
        taken.append(Message.unscoped.filter(status="queued", attempts=1).count())

    monkeypatch.setattr(deliver, "monotonic", lambda: clock.now)
    monkeypatch.setattr(handlers, "handle", slowly)
    assert deliver_outbox(NOW) == counts(done=len(together))
    # Taken up were all that were left each time, and begun was one.
    assert taken == [6, 5, 4, 3, 2, 1]
    assert {message.attempts for message in Message.unscoped.all()} == {1}


@pytest.mark.django_db
def test_one_that_was_begun_before_is_taken_up_alone(together: list[Message]) -> None:
    Message.unscoped.filter(pk=together[0].pk).update(attempts=1)
    claim = partial(deliver._claim, NOW, lambda: NOW, frozenset(), together[0].store_id)
    assert [[message.pk for message in claim() or ()] for _ in range(2)] == [
        [together[0].pk],
        [message.pk for message in together[1:]],
    ]


@pytest.mark.django_db
def test_one_of_which_nothing_can_be_written_holds_up_none_of_those_beside_it(together: list[Message]) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE division_by_zero; END';"
            f"CREATE TRIGGER broken BEFORE UPDATE ON outbox_message FOR EACH ROW WHEN (OLD.id = {together[2].pk}) "
            "EXECUTE FUNCTION broken()"
        )
    assert deliver_outbox(NOW) == counts(done=len(together) - 1)
    assert Message.unscoped.get(status="queued") == together[2]


@pytest.mark.django_db(transaction=True)
def test_t1_a_store_whose_partner_hangs_keeps_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, other = make_store(), make_store()
    hanging = [queued(store=slow) for _ in range(5)]
    begun, goes_on = Semaphore(0), Event()

    def hang(_message: Message, _now: datetime) -> None:
        begun.release()
        goes_on.wait(20)

    monkeypatch.setattr(handlers, "handle", hang)
    with ThreadPoolExecutor(2) as runs:
        going = [runs.submit(deliver_on_a_connection_of_its_own) for _ in range(2)]
        # Two of the eight places are the most that it gets.
        assert begun.acquire(timeout=20)
        assert begun.acquire(timeout=20)
        monkeypatch.setattr(handlers, "handle", lambda *_: None)
        message = queued(store=other)
        assert deliver_outbox(NOW) == counts(done=1)
        message.refresh_from_db()
        assert message.status == MessageStatus.DONE
        goes_on.set()
        assert sum(run.result(timeout=20) for run in going) == len(hanging)
