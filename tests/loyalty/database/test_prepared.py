"""Statements that PostgreSQL keeps: planned once, planned again soon, and never by going through a store."""

import re
import tracemalloc
from time import monotonic
from typing import Any

import pytest
from django.db import DataError, connection, transaction

from loyalty.database.backend.base import PLANS_LAST_SECONDS
from loyalty.database.prepared import ask
from loyalty.stores.actors import Act, Actor, Trigger
from orders.services.reverts.apply import Details
from orders.services.reverts.cancel import cancel_order
from orders.services.reverts.choices import CancelChoice
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

_TABLES = r"(?:orders_order|\w+lot|\w+allocation|\w+movement|stores_customer)\b"
_READS = re.compile(rf'(?:FROM|UPDATE) "?{_TABLES}')
_GOES_THROUGH = re.compile(rf"(?:Seq Scan on|Scan using \w+ on) {_TABLES}")
_BY_STORE = re.compile(r"Index Cond: .*store_id")

_ASKS = "SELECT id FROM grown WHERE id = ANY(%s::bigint[]) ORDER BY id"
_KEPT = "SELECT name, statement, generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE %s"


def _ask() -> None:
    ask(_ASKS, ["{1}"])


def _rows(statement: str, *parameters: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return list(cursor.fetchall())


def _forget_others() -> None:
    """Have the driver throw away what tests before this one have left."""
    connection.ensure_connection()
    connection.connection._prepared.clear()


def _is_through_the_table() -> bool:
    ((name, *_),) = _rows(_KEPT, "%FROM grown%")
    return any("Seq Scan" in line for (line,) in _rows(f"EXPLAIN EXECUTE {name} ('{{1}}')"))


def test_a_statement_is_planned_once_and_again_when_its_plan_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [monotonic()]
    monkeypatch.setattr("loyalty.database.backend.base.monotonic", lambda: clock[0])
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE grown (id bigint PRIMARY KEY)")
        cursor.execute("SET LOCAL enable_indexscan = off")
        cursor.execute("SET LOCAL enable_indexonlyscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        _ask()
        for method in ("indexscan", "indexonlyscan", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{method} = on")
        cursor.execute("SET LOCAL enable_seqscan = off")
    _ask()
    assert _is_through_the_table(), "kept as it was made"
    ((*_, for_any_values, for_these),) = _rows(_KEPT, "%FROM grown%")
    assert for_any_values
    assert for_these == 0

    clock[0] += PLANS_LAST_SECONDS + 1
    _ask()
    assert not _is_through_the_table()


@pytest.mark.django_db(transaction=True)
def test_a_rollback_leaves_what_is_kept() -> None:
    _forget_others()
    for number in range(2):
        with transaction.atomic():
            assert ask("SELECT %s::bigint", [number]).rows() == [(number,)]
            transaction.set_rollback(True)
    ((*_, for_any_values, for_these),) = _rows(_KEPT, "%::bigint")
    assert (for_any_values, for_these) == (2, 0)


@pytest.mark.django_db(transaction=True)
def test_of_what_fails_nothing_stays_prepared() -> None:
    _forget_others()
    for _ in range(3):
        assert ask("SELECT %s::text", ["kept"]).rows() == [("kept",)]
        with pytest.raises(DataError), transaction.atomic():
            ask("SELECT 1 / %s::bigint", [0]).rows()
    assert ask("SELECT %s::text", ["kept"]).rows() == [("kept",)]
    assert len(_rows(_KEPT, "%::bigint")) == 0


def test_of_other_statements_nothing_stays_in_memory() -> None:
    tracemalloc.start()
    try:
        with connection.cursor() as cursor:
            for number in range(10):
                cursor.execute("SELECT length(%s)", [f"{number}" * 1_000_000])
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The last one at most, in as many forms as the driver makes of it.
    assert kept < 4_000_000


def test_a_cancel_finds_its_rows_by_their_keys_whatever_the_store_is_like() -> None:
    _forget_others()
    store = factories.make_store()
    customer = factories.make_customer(store)
    factories.grant("credits", customer, "10.00")
    factories.grant("points", customer, 10)
    order = factories.make_order(customer, credits="10.00", points=10)
    cancel_order(
        store=store,
        order_id=order.pk,
        choice=CancelChoice(returns={"credits": True, "points": True}),
        details=Details(),
        token=None,
        act=Act(Actor.job("tests"), Trigger.API, NOW),
    )
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    # Longer ones the driver takes apart anew each time. It counts the names of the values too, which are numbers here.
    assert max(len(statement) for _, statement, *_ in _rows(_KEPT, "%")) < 3880
    kept = [statement for _, statement, *_ in _rows(_KEPT, "%") if _READS.search(statement)]
    assert len(kept) >= 3
    for statement in kept:
        plan = [line for (line,) in _rows(f"EXPLAIN (GENERIC_PLAN) {statement.replace('%', '%%')}")]
        for place, line in enumerate(plan):
            if _GOES_THROUGH.search(line):
                assert "Seq Scan" not in line, "\n".join(plan)
                assert not _BY_STORE.search(plan[place + 1]), "\n".join(plan)
