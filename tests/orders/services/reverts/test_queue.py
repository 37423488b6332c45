"""The queue: what waits, in which order, and to whom it is handed (B2)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.stores.actors import Actor, ActorType
from loyalty.stores.models import Customer, Store
from orders.models import Look, Order
from orders.services.intake.change import change_order
from orders.services.reverts.apply import Details
from orders.services.reverts.cancel import cancel_many
from orders.services.reverts.queue import LOOK_LASTS, hand_out, look_at, looks, stop_looking, waiting
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

ANA, BO = Actor(ActorType.USER, "1"), Actor(ActorType.USER, "2")


@pytest.fixture
def customer(store: Store) -> Customer:
    customer = factories.make_customer(store)
    factories.grant("credits", customer, "100")
    return customer


def cancelled(customer: Customer, *, hours_ago: int) -> Order:
    order = factories.make_order(customer, credits="5")
    moment = NOW - timedelta(hours=hours_ago)
    cancel_many(store=order.store, order_ids=[order.pk], details=Details(), actor=factories.ACTOR, now=moment)
    return order


def refunded(customer: Customer, *, hours_ago: int) -> Order:
    order = factories.make_order(customer, credits="5")
    values, moment = {"payment_status": "refunded"}, NOW - timedelta(hours=hours_ago)
    change_order(store=order.store, order_id=order.pk, values=values, actor=factories.ACTOR, now=moment)
    return order


def handed(store: Store, actor: Actor = ANA, now: datetime = NOW, **options: Any) -> int | None:
    order = hand_out(store, actor=actor, now=now, **options)
    return order.pk if order else None


def test_b2_what_waits_longest_comes_first_whether_cancelled_or_refunded(store: Store, customer: Customer) -> None:
    young, old, middle = (
        cancelled(customer, hours_ago=1),
        cancelled(customer, hours_ago=9),
        refunded(customer, hours_ago=5),
    )
    factories.cancel(factories.make_order(customer, credits="1"))

    found = [order.pk for order in waiting(store)]

    assert found == [old.pk, middle.pk, young.pk]
    assert found == [handed(store, Actor(ActorType.USER, str(number))) for number in range(3)]


def test_b2_a_second_person_gets_the_next_and_then_nothing(store: Store, customer: Customer) -> None:
    first, second = cancelled(customer, hours_ago=2), cancelled(customer, hours_ago=1)
    assert (handed(store, ANA), handed(store, BO)) == (first.pk, second.pk)
    assert handed(store, Actor(ActorType.USER, "3")) is None
    assert handed(store, ANA) == first.pk


def test_b2_a_look_lapses_after_some_minutes_and_is_renewed_by_looking(store: Store, customer: Customer) -> None:
    order = cancelled(customer, hours_ago=2)
    assert handed(store, ANA) == order.pk
    later = NOW + LOOK_LASTS - timedelta(microseconds=1)
    assert handed(store, BO, later) is None

    assert look_at(order, actor=ANA, now=later) is None

    assert looks(store, [order.pk], now=later)[order.pk].created_at == NOW
    assert handed(store, BO, NOW + LOOK_LASTS) is None
    assert handed(store, BO, later + LOOK_LASTS) == order.pk
    assert looks(store, [order.pk], now=later + LOOK_LASTS)[order.pk].actor == BO.ref


def test_b2_who_opens_an_order_that_somebody_looks_at_is_told(store: Store, customer: Customer) -> None:
    order = cancelled(customer, hours_ago=2)
    handed(store, ANA)

    other = look_at(order, actor=BO, now=NOW + timedelta(minutes=1))

    assert other is not None
    assert (other.actor, other.created_at) == (ANA.ref, NOW)
    stop_looking(store, actor=ANA)
    assert look_at(order, actor=BO, now=NOW + timedelta(minutes=2)) is None


def test_b2_going_on_gives_the_order_before_free(store: Store, customer: Customer) -> None:
    first, second = cancelled(customer, hours_ago=2), cancelled(customer, hours_ago=1)
    handed(store, ANA)
    assert handed(store, ANA, passed=[first.pk]) == second.pk
    assert handed(store, BO) == first.pk
    assert Look.unscoped.count() == 2


def test_t1_another_stores_queue_is_its_own(store: Store, customer: Customer) -> None:
    cancelled(customer, hours_ago=1)
    assert handed(factories.make_store()) is None


def test_the_queue_is_read_from_its_index(store: Store, customer: Customer) -> None:
    for hours in range(3):
        cancelled(customer, hours_ago=hours)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
    assert "order_queue" in waiting(store)[:50].explain()


def test_handing_out_takes_few_statements(store: Store, customer: Customer) -> None:
    for hours in range(3):
        cancelled(customer, hours_ago=hours)
    with CaptureQueriesContext(connection) as queries:
        handed(store)
    assert len(queries) <= 6
