"""The ledger's verbs on PostgreSQL: lots, movements and running balances (L1-L6, H1)."""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from credits.ledger import CREDITS
from credits.models import CreditAllocation, CreditLot, CreditMovement
from loyalty.core.errors import Invalid, NotFound
from loyalty.jobs.periodic import run_job
from loyalty.journal.models import JournalEntry
from loyalty.ledger.adjust import Adjustment, adjust
from loyalty.ledger.ledger import Kind
from loyalty.ledger.models import Origin
from loyalty.ledger.planner import Amount, InsufficientBalance
from loyalty.ledger.posting import NewLot, Posted, lock_customers
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Customer, Remark, Store
from orders.kinds import LEDGERS
from points.models import PointLot, PointMovement
from tests import factories
from tests.books import find_faults
from tests.database import as_owner
from tests.factories import ACTOR, BEFORE, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(store: Store) -> Customer:
    return factories.make_customer(store)


def change(customer: Customer, kind: Kind, amount: Amount, **values: Any) -> list[Posted]:
    facts: dict[str, Any] = {"reason": "Sorry", "currency": "USD" if kind == "credits" else ""}
    return adjust(
        LEDGERS[kind],
        store=customer.store,
        customer_id=customer.pk,
        adjustment=Adjustment(amount, **(facts | values)),
        act=Act(ACTOR, Trigger.ADMIN, NOW),
    )


def history(model: Any, customer: Customer) -> list[tuple[str, Any, Any]]:
    rows = model.objects.for_store(customer.store).filter(customer=customer).order_by("id")
    return list(rows.values_list("type", "amount", "balance_after"))


def sound(customer: Customer) -> None:
    assert find_faults(customer.store) == []


def test_l1_a_gift_is_a_lot_and_a_movement(customer: Customer) -> None:
    expires_at = NOW + timedelta(days=3)
    (posted,) = change(customer, "credits", Decimal("12.50"), note="She waited.", expires_at=expires_at)
    lot = CreditLot.unscoped.get(pk=posted.lot_id)
    assert (lot.granted, lot.remaining, lot.currency, lot.origin) == (Decimal("12.5"), Decimal("12.5"), "USD", "grant")
    assert (lot.granted_at, lot.expires_at, lot.store_id) == (NOW, expires_at, customer.store_id)
    movement = CreditMovement.unscoped.get(pk=posted.id)
    assert (movement.actor, movement.trigger, movement.created_at) == (ACTOR.ref, "admin", NOW)
    remark = Remark.unscoped.get(pk=movement.remark_id)
    assert (remark.reason, remark.note) == ("Sorry", "She waited.")
    assert JournalEntry.unscoped.get().event == "customer.balance_changed"


def test_l6_removing_takes_from_the_lots_that_expire_first(customer: Customer) -> None:
    never = factories.grant("credits", customer, "10")
    soon = factories.grant("credits", customer, "10", until=date(2026, 2, 1))
    posted = change(customer, "credits", Decimal(-14))
    assert [(row.lot_id, row.amount, row.balance_after) for row in posted] == [(soon.pk, -10, 10), (never.pk, -4, 6)]
    assert history(CreditMovement, customer)[2:] == [("adjust", -10, 10), ("adjust", -4, 6)]
    sound(customer)


def test_l6_removing_never_goes_below_zero_and_writes_nothing_then(customer: Customer) -> None:
    factories.grant("points", customer, 10)
    factories.grant("points", customer, 10, until=date(2026, 1, 4))
    before = JournalEntry.unscoped.count(), Remark.unscoped.count()
    with pytest.raises(InsufficientBalance, match="does not have 11 points: the balance is 10 points"):
        change(customer, "points", -11)
    assert PointMovement.unscoped.count() == 2
    assert (JournalEntry.unscoped.count(), Remark.unscoped.count()) == before


@pytest.mark.parametrize(
    ("amount", "expires_at", "code"), [(0, None, "zero"), (5, BEFORE, "in-the-past"), (5, NOW, "in-the-past")]
)
def test_l6_what_changes_nothing_is_refused(customer: Customer, amount: int, expires_at: Any, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        change(customer, "points", amount, expires_at=expires_at)
    assert [error.code for error in refused.value.errors] == [code]
    assert not PointMovement.unscoped.exists()


def test_t1_a_customer_of_another_store_is_unknown(customer: Customer) -> None:
    with pytest.raises(NotFound):
        adjust(
            CREDITS,
            store=factories.make_store(),
            customer_id=customer.pk,
            adjustment=Adjustment(Decimal(1), "", currency="USD"),
            act=Act(ACTOR, Trigger.API, NOW),
        )


def test_l4_currencies_have_balances_of_their_own(customer: Customer) -> None:
    factories.grant("credits", customer, "10")
    factories.grant("credits", customer, "7", currency="EUR")
    change(customer, "credits", Decimal(-1), currency="EUR")
    assert CREDITS.available([customer.pk], now=NOW) == {(customer.pk, "USD"): 10, (customer.pk, "EUR"): 6}
    assert [row[2] for row in history(CreditMovement, customer)] == [10, 7, 6]
    with pytest.raises(InsufficientBalance):
        change(customer, "credits", Decimal(-7), currency="EUR")
    sound(customer)


def test_l5_a_write_first_posts_what_has_lapsed_of_every_currency(customer: Customer) -> None:
    factories.grant("credits", customer, "10", until=date(2026, 1, 3))
    factories.grant("credits", customer, "4", until=date(2026, 1, 2))
    factories.grant("credits", customer, "3", until=date(2026, 1, 1), currency="EUR")
    factories.grant("points", customer, 5, until=date(2026, 1, 1))
    assert factories.balance("credits", customer, now=NOW) == 0
    posted = change(customer, "credits", Decimal(2))
    assert posted[-1].balance_after == 2
    assert history(CreditMovement, customer)[3:] == [
        ("expire", -3, 0),
        ("expire", -4, 10),
        ("expire", -10, 0),
        ("grant", 2, 2),
    ]
    assert PointLot.unscoped.get().remaining == 5
    sound(customer)


def test_l5_the_job_posts_each_lapsed_lot_once(store: Store) -> None:
    for _ in range(3):
        factories.grant("credits", factories.make_customer(store), "5", until=date(2026, 1, 4))
    factories.grant("credits", factories.make_customer(store), "5", until=date(2026, 1, 5))
    assert run_job("credits.expire_lots", NOW) == {"lots": 3, "failed": 0}
    assert run_job("credits.expire_lots", NOW) == {"lots": 0, "failed": 0}
    rows = CreditMovement.unscoped.filter(type="expire")
    assert {(row.amount, row.balance_after, row.trigger, row.actor) for row in rows} == {
        (-5, 0, "", "job:credits.expire_lots")
    }
    assert find_faults(store) == []


def test_l5_the_sum_of_movements_is_what_remains_until_it_is_posted(customer: Customer) -> None:
    factories.grant("points", customer, 10, until=date(2026, 1, 4))
    factories.make_order(customer, points=4)
    assert sum(PointMovement.unscoped.values_list("amount", flat=True)) == PointLot.unscoped.get().remaining == 6
    assert factories.balance("points", customer, now=NOW) == 0


def test_l3_a_spend_stores_an_allocation_for_each_lot(customer: Customer) -> None:
    first = factories.grant("credits", customer, "3", until=date(2026, 2, 1))
    second = factories.grant("credits", customer, "3")
    order = factories.make_order(customer, credits="5")
    rows = CreditAllocation.unscoped.order_by("id").values_list("order", "lot", "amount", "returned", "deduction")
    assert list(rows) == [(order.pk, first.pk, 3, 0, 0), (order.pk, second.pk, 2, 0, 0)]
    spends = CreditMovement.unscoped.filter(type="spend").order_by("id")
    assert [(row.order_id, row.allocation.amount, row.balance_after) for row in spends] == [
        (order.pk, 3, 3),
        (order.pk, 2, 1),
    ]


def test_l5_many_customers_and_currencies_are_one_statement(store: Store) -> None:
    customers = [factories.make_customer(store) for _ in range(5)]
    for customer in customers:
        factories.grant("credits", customer, "1", until=date(2026, 1, 4))
        factories.grant("credits", customer, "2", until=date(2026, 1, 4), currency="EUR")
    with CaptureQueriesContext(connection) as queries:
        assert CREDITS.post_due([customer.pk for customer in customers], actor=ACTOR, now=NOW) == 10
    assert len(queries) == 1


def test_l5_a_gift_is_two_statements_of_the_engine(customer: Customer) -> None:
    with CaptureQueriesContext(connection) as queries:
        CREDITS.grant(
            customer,
            Decimal(1),
            currency="USD",
            new_lot=NewLot(Origin.GRANT, None),
            remark_id=None,
            act=Act(ACTOR, Trigger.API, NOW),
        )
    assert len(queries) == 2


def test_m7_customers_are_locked_in_id_order_and_inserts_do_not_wait(store: Store) -> None:
    ids = [factories.make_customer(store).pk for _ in range(3)]
    with CaptureQueriesContext(connection) as queries:
        lock_customers(reversed(ids))  # type: ignore[arg-type]
    (query,) = queries
    assert re.search(r"ORDER BY id FOR NO KEY UPDATE$", query["sql"].strip())


@pytest.mark.parametrize("verb", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}"])
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("credits_creditmovement", "amount"),
        ("points_pointmovement", "amount"),
        ("orders_revert", "amount"),
        ("journal_journalentry", "event"),
    ],
)
def test_h1_what_was_booked_is_insert_only_for_the_owner_too(
    customer: Customer, table: str, column: str, verb: str
) -> None:
    booked_order(customer)
    with pytest.raises(DatabaseError, match="Cannot update or delete rows"), as_owner():
        connection.cursor().execute(verb.format(table=table, column=column))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE credits_creditlot SET granted = granted + 1",
        "UPDATE credits_creditlot SET expires_at = now()",
        "UPDATE points_pointlot SET customer_id = customer_id + 1",
        "UPDATE credits_creditallocation SET amount = amount + 1",
        "UPDATE points_pointallocation SET lot_id = lot_id + 1",
        "DELETE FROM credits_creditlot",
        "DELETE FROM points_pointallocation",
        "UPDATE credits_creditlot SET remaining = -1",
        "UPDATE points_pointlot SET remaining = granted + 1",
        "UPDATE credits_creditallocation SET returned = amount + 1",
        "UPDATE points_pointallocation SET returned = -1",
    ],
)
def test_l1_the_database_holds_lots_and_allocations(customer: Customer, statement: str) -> None:
    booked_order(customer)
    with pytest.raises(DatabaseError), transaction.atomic(), as_owner(), connection.cursor() as cursor:
        cursor.execute(statement)


def booked_order(customer: Customer) -> None:
    factories.grant("credits", customer, "10")
    factories.grant("points", customer, 10)
    order = factories.make_order(customer, credits="4", points=4)
    factories.cancel_and_return(order)
