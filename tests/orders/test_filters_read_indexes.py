"""Whatever orders are narrowed to, found or not, costs what is found: no filter of any list goes through a store."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from django.db import connection
from django.db.models import UniqueConstraint
from django.test.utils import CaptureQueriesContext

from benchmarks.lists import asked_on_the_page, asked_over_rest, read_over_rest, reader_of_the_page
from loyalty.database.named_stores import in_store
from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.stores.models import Store
from orders.api.orders.orders import OrderListView
from orders.models import Order
from orders.services.reverts.apply import Details
from orders.services.reverts.cancel import cancel_order
from orders.services.reverts.choices import CancelChoice
from tests import factories
from tests.database import as_owner
from tests.factories import NOW

pytestmark = pytest.mark.django_db

ROOT: Final = Path(__file__).parents[2]

ORDERS: Final = 3000
# A page holds 51; the tags of the newest 1,000 are looked at, and nothing else may be.
MOST_READ: Final = 1100
# Nearly every order is one of these, so that a page of them is always near.
_NEARLY_ALL: Final = {"false"}
_TEXTS: Final = ("nothing",)
_INSTANTS: Final = ("2001-01-01T00:00:00Z", "2040-01-01T00:00:00Z")


@pytest.fixture
def store() -> Iterator[Store]:
    """A store with thousands of orders that are all alike, and another one where everything is what is rare here.

    So the database believes that there is plenty of it everywhere.
    """
    store, other = factories.make_store(), factories.make_store()
    factories.make_order(factories.make_customer(store), payment_status="paid", status="confirmed")
    customer = factories.make_customer(other)
    factories.grant("credits", customer, "10.00")
    factories.grant("points", customer, 10)
    spent = factories.make_order(customer, credits="10.00", points=10, tags=["nothing"])
    cancel_order(
        store=other,
        order_id=spent.pk,
        choice=CancelChoice(),
        details=Details(),
        token=None,
        act=Act(Actor.job("tests"), Trigger.API, NOW),
    )
    own = {"id", "number", "external_id", "placed_at", "created_at", "updated_at"}
    columns = ", ".join(str(f.column) for f in Order._meta.concrete_fields if not f.generated and f.name not in own)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO orders_order (number, placed_at, created_at, updated_at, {columns})"
            " SELECT 'copy ' || i, placed_at - minutes, created_at, updated_at - minutes,"
            f" {columns} FROM orders_order, generate_series(1, %s) AS i, make_interval(mins => i) AS minutes",
            [ORDERS],
        )
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_order")
    with in_store(store.pk):
        yield store


def _orders_read(queries: CaptureQueriesContext) -> int:
    """How many orders the statements that were captured looked at, when they are carried out again."""
    read = 0
    for query in list(queries):
        if f'"{Order._meta.db_table}"' in query["sql"] or "FROM orders_order" in query["sql"]:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql'].replace('%', '%%')}")
                (plan,) = cursor.fetchone()
            read += _read((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
    return read


def _read(node: dict[str, Any]) -> int:
    of_orders = node.get("Relation Name") == Order._meta.db_table
    here = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"] if of_orders else 0
    return int(here) + sum(_read(child) for child in node.get("Plans", ()))


def test_o4_no_filter_over_rest_goes_through_a_store(store: Store) -> None:
    read = {}
    for name, value in asked_over_rest():
        if value not in _NEARLY_ALL:
            with CaptureQueriesContext(connection) as queries:
                read_over_rest(store, {name: value}, OrderListView.orderings[0])
            read[name, value] = _orders_read(queries)
    assert {asked: rows for asked, rows in read.items() if rows > MOST_READ} == {}


def test_o4_no_ordering_over_rest_goes_through_a_store(store: Store) -> None:
    read = {}
    for ordering in OrderListView.orderings:
        with CaptureQueriesContext(connection) as queries:
            read_over_rest(store, {"ordering": ordering.name}, ordering)
        read[ordering.name] = _orders_read(queries)
    assert {name: rows for name, rows in read.items() if rows > MOST_READ} == {}


def test_o4_no_filter_of_the_page_goes_through_a_store(store: Store) -> None:
    read = {}
    for name, value in asked_on_the_page(store):
        with CaptureQueriesContext(connection) as queries:
            reader_of_the_page(store, name, value)()
        read[name, value] = _orders_read(queries)
    assert {asked: rows for asked, rows in read.items() if rows > MOST_READ} == {}


def test_each_index_of_orders_says_what_reads_it() -> None:
    kept = [*Order._meta.indexes, *(c for c in Order._meta.constraints if isinstance(c, UniqueConstraint))]
    _, _, told = (ROOT / "docs" / "scaling.md").read_text().partition("## What reads each index of orders")
    table, _, _ = told.partition("\n## ")
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    named = [name for _, first, *_ in rows for name in re.findall(r"`(\w+)`", first)]
    assert sorted(named) == sorted([f"{Order._meta.db_table}_pkey", *(one.name for one in kept)])
