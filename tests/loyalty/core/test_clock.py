"""The one clock of all processes, whatever their machines' clocks say."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django import Settings

from loyalty.core import clock
from loyalty.core.clock import DatabaseClock, later_than, read_clock
from loyalty.jobs.periodic import run_job
from orders.models import Order
from tests import factories
from tests.examples import open_shop
from tests.factories import bring_back, cancel_and_return, grant, make_customer, make_order, make_store

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
AHEAD = timedelta(minutes=2)


@contextmanager
def process(offset: timedelta = timedelta(0)) -> Iterator[None]:
    """Another process, whose machine's clock is wrong by so much."""
    with (
        time_machine.travel(datetime.now(UTC) + offset),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(clock, "_shared", DatabaseClock())
        yield


@pytest.fixture
def one_clock(settings: Settings) -> None:
    """As outside of tests."""
    settings.CLOCK_OF_DATABASE = True


def time_of_database() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        ((time,),) = cursor.fetchall()
    assert isinstance(time, datetime)
    return time


@pytest.mark.parametrize("offset", [AHEAD, -AHEAD, timedelta(days=400)])
def test_a_process_whose_machine_is_wrong_goes_by_the_database(one_clock: None, offset: timedelta) -> None:
    with process(offset):
        before, read, after = time_of_database(), read_clock(), time_of_database()
        assert before - SECOND < read < after + SECOND
        assert abs(timezone.now() - read - offset) < 5 * SECOND


def test_the_database_is_not_asked_for_every_operation(one_clock: None, django_assert_num_queries: Any) -> None:
    with process():
        read_clock()
        with django_assert_num_queries(0):
            assert read_clock() <= read_clock()


def test_a_database_that_does_not_answer_stops_no_clock(one_clock: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with process(AHEAD):
        known = read_clock()

        def away() -> None:
            raise OperationalError

        monkeypatch.setattr(clock, "_one_reading", away)
        monkeypatch.setattr(clock, "_ASK_EVERY", -1.0)
        assert timedelta(0) < read_clock() - known < 5 * SECOND
        # One that has never been asked has nothing but its own, and nothing to write to either.
        monkeypatch.setattr(clock, "_shared", DatabaseClock())
        assert abs(read_clock() - timezone.now()) < 5 * SECOND


def test_e5_an_order_reinstated_by_a_process_ahead_is_cancelled_when_its_payment_fails(one_clock: None) -> None:
    shop = open_shop()
    customer = make_customer(shop.store)
    grant("credits", customer, "10")
    order = make_order(customer, credits="10", status="confirmed")
    with process(AHEAD):
        cancel_and_return(order, now=read_clock())
        bring_back(order, now=read_clock())
    with process():
        shop.send("PATCH", f"/orders/{order.pk}/", {"payment_status": "failed"})
        assert run_job("orders.auto_cancel", read_clock() + SECOND)["cancelled"] == 1
    assert Order.unscoped.get(pk=order.pk).status == "cancelled"


def test_e5_who_waited_for_the_order_comes_after_who_held_it(frozen_clock: time_machine.Traveller) -> None:
    """One reads the clock, waits for the order's lock, and writes after another who read the clock later."""
    shop = open_shop()
    customer = make_customer(shop.store)
    grant("credits", customer, "10")
    order = make_order(customer, credits="10", status="confirmed")
    now = timezone.now()
    cancel_and_return(order, now=now)
    bring_back(order, now=now + AHEAD)
    shop.send("PATCH", f"/orders/{order.pk}/", {"payment_status": "failed"})
    assert run_job("orders.auto_cancel", now + SECOND)["cancelled"] == 0
    assert run_job("orders.auto_cancel", now + AHEAD + SECOND)["cancelled"] == 1


def test_l2_an_expiry_run_ahead_takes_nothing_that_others_count_as_valid(one_clock: None) -> None:
    soon = time_of_database() + AHEAD / 2
    # Nobody's midnight is that near, so the lot is given until a moment.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factories, "end_of_day", lambda *_: soon)
        grant("credits", make_customer(make_store()), "10", until=soon.date())
    with process(AHEAD):
        assert run_job("credits.expire_lots", read_clock())["lots"] == 0
    with process(-AHEAD):
        assert run_job("credits.expire_lots", read_clock() + AHEAD)["lots"] == 1


def test_later_than_is_now_unless_that_was_before() -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    assert later_than(None, now) == later_than(now - SECOND, now) == now
    assert later_than(now, now) > now
    assert later_than(now + SECOND, now) > now + SECOND
