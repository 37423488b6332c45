"""Row-level security: the web's role sees and writes the rows of the stores that are named, whatever SQL it sends (T1)."""

from typing import Final

import pytest
from django.db import connection

from loyalty.database.policies import tables_of_stores, tables_without_policy
from loyalty.stores.scoping import StoreOwned
from tests.database import as_owner

TABLES: Final = tables_of_stores()


def test_t1_every_table_of_a_store_is_meant() -> None:
    owned = {model._meta.db_table for model in TABLES.values() if issubclass(model, StoreOwned)}
    assert len(owned) > 30
    assert set(TABLES) - owned == {"stores_membership", "accounts_letter"}


@pytest.mark.django_db
def test_t1_every_table_with_a_store_holds_to_the_stores_that_are_named() -> None:
    assert tables_without_policy() == []
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE another_of_store (store_id bigint)")
        cursor.execute('ALTER TABLE "orders_order" DISABLE ROW LEVEL SECURITY')
    assert tables_without_policy() == ["orders_order"]
