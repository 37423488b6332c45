"""E6, E8: the queue of orders whose payment fell through, as the sweep asks for it."""

from typing import Any

import pytest
from django.db import connection

from loyalty.database.named_stores import every_store
from orders.models import Order, PaymentStatus
from orders.services.automation import claim_unpaid
from orders.services.automation.claim_unpaid import waiting_statuses
from tests.factories import NOW, make_customer, make_order, make_store

pytestmark = pytest.mark.django_db


def test_each_store_is_named_once_with_each_status_that_waits() -> None:
    one, other, nobody = (make_customer(make_store(slug)) for slug in ("one", "other", "nobody"))
    for _ in range(3):
        make_order(one, payment_status="failed")
        make_order(one, payment_status="expired")
    make_order(other, payment_status="expired")
    held, was_paid = make_order(other, payment_status="failed"), make_order(nobody, payment_status="failed")
    Order.unscoped.filter(pk=held.pk).update(held_at=NOW)
    Order.unscoped.filter(pk=was_paid.pk).update(paid_before=True)
    make_order(nobody, payment_status="paid")
    with every_store():
        assert waiting_statuses() == {
            (one.store_id, PaymentStatus.EXPIRED),
            (one.store_id, PaymentStatus.FAILED),
            (other.store_id, PaymentStatus.EXPIRED),
        }


def test_the_conditions_that_are_written_out_are_those_of_the_index() -> None:
    claimed: list[Any] = [NOW, [1], "orders.auto_cancel", NOW, 400]
    with every_store(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for statement, values in (
            (claim_unpaid._waiting(), []),
            *((claim_unpaid._claim(status), claimed) for status in (PaymentStatus.EXPIRED, PaymentStatus.FAILED)),
        ):
            cursor.execute(f"EXPLAIN {statement}", values)
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "order_auto_cancel" in plan, plan
