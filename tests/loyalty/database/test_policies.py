"""Row-level security: the web's role sees and writes the rows of the stores that are named, by whatever SQL (T1)."""

from typing import Any, Final

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction
from psycopg.errors import InsufficientPrivilege

from loyalty.database.named_stores import SETTING, every_store, in_store, in_stores, no_store
from loyalty.database.policies import tables_of_stores, tables_without_policy
from loyalty.jobs.periodic import run_job
from loyalty.stores.keys import create_api_key
from loyalty.stores.models import Customer, Role, Store
from loyalty.stores.scoping import StoreOwned
from loyalty.web.addresses import page_of
from tests import factories
from tests.database import as_owner, connect_as_the_web
from tests.loyalty.api.support import ApiClient
from tests.orders.admin.reverts.cases import staff

TABLES: Final = tables_of_stores()
pytestmark = pytest.mark.django_db


def test_t1_every_table_of_a_store_is_meant() -> None:
    owned = {table for table, model in TABLES.items() if issubclass(model, StoreOwned)}
    assert len(owned) > 30
    assert set(TABLES) - owned == {"stores_membership", "accounts_letter"}


def test_t1_every_table_with_a_store_holds_to_the_stores_that_are_named() -> None:
    assert tables_without_policy() == []
    with as_owner(), connection.cursor() as cursor:
        cursor.execute('ALTER TABLE "orders_order" DISABLE ROW LEVEL SECURITY')
    assert tables_without_policy() == ["orders_order"]


@pytest.fixture
def filled() -> tuple[Store, Store]:
    """Two stores with a row in every table of stores; what else their rows say is of no matter here."""
    stores = factories.make_store(), factories.make_store()
    with as_owner(), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
            _without_constraints(cursor, table)
            for store in stores:
                cursor.execute(f'INSERT INTO "{table}" (store_id) VALUES (%s)', [store.pk])
    return stores


def _without_constraints(cursor: Any, table: str) -> None:
    cursor.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('c', 'f', 'u')",
        [table],
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT IF EXISTS "{name}" CASCADE')
    cursor.execute(
        "SELECT indexrelid::regclass FROM pg_index WHERE indrelid = %s::regclass AND indisunique AND NOT indisprimary",
        [table],
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f"DROP INDEX {name}")
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND attnotnull "
        "AND attname NOT IN ('id', 'store_id') AND attidentity = '' AND attgenerated = ''",
        [table],
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f'ALTER TABLE "{table}" ALTER COLUMN "{name}" DROP NOT NULL')


def test_t1_each_table_shows_and_takes_rows_of_the_stores_that_are_named_alone(filled: tuple[Store, Store]) -> None:
    mine, other = filled
    wrong = []
    for table in TABLES:
        with connection.cursor() as cursor:

            def seen(table: str = table, cursor: Any = cursor) -> list[int]:
                cursor.execute(f'SELECT store_id FROM "{table}" WHERE store_id IN (%s, %s)', [mine.pk, other.pk])
                return sorted(store_id for (store_id,) in cursor.fetchall())

            with no_store():
                nothing = seen()
            with in_store(mine.pk):
                own = seen()
                try:
                    with transaction.atomic():
                        cursor.execute(f'INSERT INTO "{table}" (store_id) VALUES (%s)', [other.pk])
                    refused = False
                except ProgrammingError as error:
                    refused = isinstance(error.__cause__, InsufficientPrivilege) and "row-level security" in str(error)
            with in_stores([mine.pk, other.pk]):
                both = seen()
            with every_store():
                all_of_them = seen()
        two = [mine.pk, other.pk]
        if (nothing, own, refused, both, all_of_them) != ([], [mine.pk], True, two, two):
            wrong.append((table, nothing, own, refused, both, all_of_them))
    assert wrong == []


def test_t1_rows_of_another_store_are_neither_changed_nor_deleted() -> None:
    customer = factories.make_customer(factories.make_store())
    with in_store(factories.make_store().pk):
        assert Customer.unscoped.filter(pk=customer.pk).update(name="Mallory") == 0
        assert list(Customer.unscoped.all()) == []


@pytest.mark.parametrize("word", ["", "{}", "everyone", "{1", "0"])
def test_t1_a_setting_that_names_no_store_shows_nothing(transactional_db: None, word: str) -> None:
    factories.make_customer(factories.make_store())
    with connect_as_the_web() as web:
        web.execute("SELECT set_config(%s, %s, false)", [SETTING, word])
        try:
            seen = web.execute("SELECT count(*) FROM stores_customer").fetchone()
        except psycopg.DataError:
            seen = (0,)
        assert seen == (0,)


def test_t1_who_connects_and_names_no_store_sees_nothing(transactional_db: None) -> None:
    factories.make_customer(factories.make_store())
    with connect_as_the_web() as web:
        assert web.execute("SELECT count(*) FROM stores_customer").fetchone() == (0,)


def test_t1_what_was_named_comes_and_goes_with_transactions() -> None:
    mine, other = (factories.make_customer(factories.make_store()) for _ in range(2))
    for _ in range(2):
        with in_store(mine.store_id):
            with transaction.atomic(), in_store(other.store_id):
                assert list(Customer.unscoped.all()) == [other]
                transaction.set_rollback(True)
            assert list(Customer.unscoped.all()) == [mine]
    assert set(Customer.unscoped.all()) == {mine, other}


def test_t1_requests_of_two_stores_in_turn_on_one_connection_see_their_own() -> None:
    stores = factories.make_store(), factories.make_store()
    people = [factories.make_customer(store) for store in stores]
    keys = [create_api_key(store=store, name="test", scopes=["*"], now=factories.BEFORE)[1] for store in stores]
    clients = [staff(store, Role.OWNER)[0] for store in stores]
    with no_store():
        for _ in range(2):
            for store, person, key, client in zip(stores, people, keys, clients, strict=True):
                listed = ApiClient(key).read("/customers/").json()["results"]
                assert [row["id"] for row in listed] == [str(person.pk)]
                assert Customer.unscoped.count() == 0
                page = client.get(page_of(store, "admin:stores_customer_changelist")).content.decode()
                assert [other.email in page for other in people] == [other is person for other in people]
                assert Customer.unscoped.count() == 0


def test_t1_a_job_leaves_no_store_behind() -> None:
    customer = factories.make_customer(factories.make_store())
    factories.grant("credits", customer, 10)
    with no_store():
        run_job("credits.expire_lots", factories.NOW)
        assert Customer.unscoped.count() == 0
