"""Time limits: what runs into one ends in a clear 503, with nothing written, and succeeds once when it is repeated."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import environ
import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.urls import reverse
from psycopg import errors

from credits.models import CreditLot
from loyalty.api.answers.problems import problem_of
from loyalty.database.busy import is_busy
from loyalty.database.time_limits import limits_of
from loyalty.store_settings.sections import AutoCancelSettings, StoreSettings
from loyalty.stores.keys import create_api_key
from loyalty.stores.models import Role
from loyalty.web.addresses import page_of
from orders.models import Order, Problem, Revert
from orders.services.automation.cancel_unpaid import JOB, auto_cancel
from tests import factories
from tests.loyalty.api.support import ApiClient
from tests.orders.admin.reverts.cases import staff

T = TypeVar("T")


@pytest.fixture
def order(transactional_db: None) -> Order:
    customer = factories.make_customer(factories.make_store())
    factories.grant("credits", customer, 10)
    return factories.make_order(customer, credits="10")


def while_locked(order: Order, call: Callable[[], T], **limits: str) -> T:
    """Make the call on a connection of its own, with limits of its own, while this one holds the order."""

    def run() -> T:
        try:
            with connection.cursor() as cursor:
                for name, limit in ({"lock_timeout": "200ms"} | limits).items():
                    cursor.execute(f"SET {name} = '{limit}'")
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        list(Order.unscoped.filter(pk=order.pk).select_for_update())
        return pool.submit(run).result(timeout=20)


@pytest.mark.parametrize(
    "limits",
    [{"lock_timeout": "200ms"}, {"lock_timeout": "0", "statement_timeout": "200ms"}],
    ids=["lock", "statement"],
)
def test_a_command_that_waits_too_long_is_503_and_is_carried_out_once_when_repeated(
    order: Order, limits: dict[str, str]
) -> None:
    api = ApiClient(create_api_key(store=order.store, name="test", scopes=["*"], now=factories.BEFORE)[1])
    body = {"revert_credits": True}

    def cancel() -> Any:
        return api.command(f"/orders/{order.pk}/cancel/", body, key="once")

    busy = while_locked(order, cancel, **limits)
    assert (busy.status_code, busy.json()["code"], busy["Retry-After"]) == (503, "busy", "5")
    assert not Revert.unscoped.exists()
    first, again = cancel(), cancel()
    assert (first.status_code, again.status_code, again["Idempotent-Replayed"]) == (200, 200, "true")
    assert Revert.unscoped.count() == 1


def test_a_page_that_waits_too_long_is_503_in_plain_words(order: Order) -> None:
    client, _ = staff(order.store, Role.MANAGER)
    address = page_of(order.store, "admin:orders_order_hold", order.pk)
    busy = while_locked(order, lambda: client.post(address))
    assert (busy.status_code, busy["Retry-After"]) == (503, "5")
    assert "What you sent was not saved" in busy.content.decode()
    order.refresh_from_db()
    assert order.held_at is None
    assert client.post(address).status_code == 302
    order.refresh_from_db()
    assert order.held_at is not None


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions cannot be read: what happens before any view."""

    def refuse(*_: object) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", refuse)


@pytest.mark.usefixtures("gone")
def test_a_database_that_is_away_before_a_view_is_503(db: None) -> None:
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "x" * 32
    answer = client.get(reverse("admin:index"))
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "check first whether it went through" in answer.content.decode()


def test_other_failures_are_500_as_before(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the password is rosebud")

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", fail)
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "x" * 32
    answer = client.get(reverse("admin:index"))
    assert answer.status_code == 500
    assert "rosebud" not in answer.content.decode()


def test_e7_an_order_that_is_held_up_is_set_aside_by_the_job_and_tried_again(order: Order) -> None:
    free = factories.make_order(factories.make_customer(order.store))
    expired = Order.unscoped.filter(pk__in=[order.pk, free.pk])
    expired.update(payment_status="expired", payment_changed_at=factories.BEFORE)
    factories.make_settings(order.store, StoreSettings(auto_cancel=AutoCancelSettings(expired="cancel_and_revert")))

    def sweep() -> Any:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '200ms'")
            return auto_cancel(factories.NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        list(CreditLot.unscoped.select_for_update())
        counts = pool.submit(sweep).result(timeout=20)
    assert counts == {"cancelled": 1, "failed": 1}
    problem = Problem.unscoped.get(order=order, job=JOB)
    assert problem.error == "Something else was working on it for too long (OperationalError 55P03)."
    assert auto_cancel(problem.next_attempt_at) == {"cancelled": 1, "failed": 0}
    assert Revert.unscoped.filter(order=order).count() == 1


@pytest.mark.django_db
def test_busy_and_away_are_told_apart() -> None:
    with pytest.raises(OperationalError) as refused, transaction.atomic():
        connection.cursor().execute("SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)")
    assert is_busy(refused.value)
    problem = problem_of(refused.value)
    assert (problem.status, problem.code) == (503, "busy")
    assert not is_busy(OperationalError("the server closed the connection"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "gave_up",
    [
        errors.QueryCanceled,
        errors.LockNotAvailable,
        errors.DeadlockDetected,
        # Django knows this one as InternalError, the others as OperationalError.
        errors.IdleInTransactionSessionTimeout,
    ],
)
def test_whatever_postgresql_gives_up_for_is_503_everywhere(
    monkeypatch: pytest.MonkeyPatch, gave_up: type[Exception]
) -> None:
    store = factories.make_store()
    client, _ = staff(store, Role.MANAGER)
    api = ApiClient(create_api_key(store=store, name="test", scopes=["*"], now=factories.BEFORE)[1])

    def give_up(*_: object, **__: object) -> None:
        with connection.wrap_database_errors:
            raise gave_up

    monkeypatch.setattr(Order.objects, "for_store", give_up)
    page, answer = client.get(page_of(store, "admin:orders_order_changelist")), api.read("/orders/")
    assert (page.status_code, answer.status_code, answer.json()["code"]) == (503, 503, "busy")
    assert (page["Retry-After"], answer["Retry-After"]) == ("5", "5")


@pytest.mark.parametrize(
    ("process", "limits"),
    [
        ("web", "-c statement_timeout=20s -c lock_timeout=5s -c idle_in_transaction_session_timeout=30s"),
        ("worker", "-c statement_timeout=900s -c lock_timeout=10s -c idle_in_transaction_session_timeout=300s"),
        ("command", "-c statement_timeout=0s -c lock_timeout=30s -c idle_in_transaction_session_timeout=600s"),
    ],
)
def test_each_kind_of_process_has_its_limits(process: str, limits: str) -> None:
    assert limits_of(process, environ.Env()) == limits


def test_the_environment_sets_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_LOCK_TIMEOUT_SECONDS", "2")
    assert "-c lock_timeout=2s" in limits_of("web", environ.Env())


@pytest.mark.django_db
def test_the_server_is_told() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
        assert cursor.fetchone() == ("20s", "5s")
