"""Facts that change from outside (O1), and the statuses that follow from facts alone (O3)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from loyalty.core.errors import VersionConflict
from loyalty.journal.models import JournalEntry
from loyalty.stores.models import Store
from orders.models import Order, OrderStatus, PaymentStatus
from orders.services.intake.change import UseCancel, UseReinstate, change_order
from tests import factories
from tests.factories import ACTOR, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(store: Store) -> Order:
    return factories.make_order(factories.make_customer(store), tags=["vip"])


def change(order: Order, version: int | None = None, **values: Any) -> Order:
    return change_order(store=order.store, order_id=order.pk, values=values, actor=ACTOR, now=NOW, version=version)


def test_o1_what_is_left_out_stays(order: Order) -> None:
    due = NOW + timedelta(hours=2)
    changed = change(order, payment_status="paid", tags=["b", " B", "a"], refunded_total=Decimal(3), payment_due_at=due)
    assert (changed.payment_status, changed.tags, changed.tag_keys) == ("paid", ["b", "a"], ["b", "a"])
    assert (changed.refunded_total, changed.payment_due_at, changed.status) == (3, due, "pending")
    assert (changed.version, changed.updated_at) == (order.version + 1, NOW)
    entry = JournalEntry.unscoped.latest("id")
    assert entry.event == "order.updated"
    assert entry.data["payment_status"] == {"from": "pending", "to": "paid"}


def test_o1_nothing_new_writes_nothing(order: Order) -> None:
    before = JournalEntry.unscoped.count()
    assert change(order, tags=[" vip "], status="pending").version == order.version
    assert JournalEntry.unscoped.count() == before


def test_m1_cancelling_and_reinstating_have_calls_of_their_own(order: Order) -> None:
    with pytest.raises(UseCancel):
        change(order, status="cancelled")
    Order.unscoped.filter(pk=order.pk).update(status="cancelled", cancelled_at=NOW)
    assert change(order, status="cancelled", tags=[]).tags == []
    with pytest.raises(UseReinstate):
        change(order, status="confirmed")


def test_o1_an_old_version_is_refused(order: Order) -> None:
    changed = change(order, version=order.version, status="confirmed")
    with pytest.raises(VersionConflict):
        change(order, version=order.version, status="completed")
    assert change(order, version=changed.version, status="completed").status == "completed"


AMOUNTS = [(0, 0), (10, 0), (10, 4), (10, 10)]


@pytest.mark.parametrize("kind", ["credits", "points"])
@pytest.mark.parametrize("payment", PaymentStatus.values)
@pytest.mark.parametrize("status", OrderStatus.values)
def test_o3_the_status_follows_from_the_facts(order: Order, status: str, payment: str, kind: str) -> None:
    name = "credit_revert_status" if kind == "credits" else "points_revert_status"
    for used, back in AMOUNTS:
        facts: dict[str, Any] = {
            "status": status,
            "payment_status": payment,
            "cancelled_at": NOW if status == "cancelled" else None,
            f"{kind}_applied": used,
            f"{kind}_reverted": back,
        }
        Order.unscoped.filter(pk=order.pk).update(**facts)
        row = Order.unscoped.get(pk=order.pk)
        fell_through = status == "cancelled" or payment == "refunded"
        expected = "reverted" if back else "not_reverted" if fell_through and used else None
        assert getattr(row, name) == expected
        assert row.completeness == (None if not back else "full" if back == used else "partial")
        assert row.needs_revert == (fell_through and back < used)
        assert row.fell_through == fell_through


@pytest.mark.parametrize("decision", ["declined", "expired_left", "dismissed"])
def test_b2_a_decided_remainder_leaves_the_queue(order: Order, decision: str) -> None:
    rows = Order.unscoped.filter(pk=order.pk)
    rows.update(payment_status="refunded", credits_applied=5, points_applied=5, credits_decision=decision)
    assert rows.get().needs_revert
    rows.update(points_decision=decision)
    assert not rows.get().needs_revert
    rows.update(points_decision="deferred")
    assert rows.get().needs_revert


@pytest.mark.parametrize("column", ["credit_revert_status", "points_revert_status", "completeness", "needs_revert"])
def test_o3_no_code_path_can_set_a_derived_status(order: Order, column: str) -> None:
    value = "true" if column == "needs_revert" else "'reverted'"
    with pytest.raises(DatabaseError, match="can only be updated to DEFAULT"), connection.cursor() as cursor:
        cursor.execute(f"UPDATE orders_order SET {column} = {value} WHERE id = %s", [order.pk])


@pytest.mark.parametrize(
    "values",
    [
        {"credits_applied": 5, "credits_reverted": 6},
        {"points_applied": 5, "points_reverted": -1},
        {"status": "cancelled"},
        {"cancelled_at": NOW},
        {"status": "lost"},
        {"payment_status": "lost"},
        {"refunded_total": -1},
        {"customer": None, "points_applied": 1},
    ],
)
def test_o3_the_database_holds_the_bounds(order: Order, values: dict[str, Any]) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        Order.unscoped.filter(pk=order.pk).update(**values)
