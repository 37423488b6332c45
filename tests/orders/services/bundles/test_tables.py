"""What travels in a bundle and what stays: nothing of a store is forgotten, no secret travels."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

from django.db import models

import loyalty
from loyalty.core.encryption import EncryptedField
from loyalty.database.policies import tables_of_stores
from orders.services.bundles.tables import STAYS, TRAVELS

TABLES: Final = {table.model._meta.db_table: table for table in TRAVELS}
# JSON that holds no ids of ours: people's settings, and what platforms and clients said.
WITHOUT_IDS: Final = {
    "stores_settingsversion.data",
    "orders_order.lines",
    "orders_order.platform_data",
    "orders_order.rules_news",
    "platforms_inbounddelivery.headers",
    "platforms_privacyrequest.facts",
    "orders_keptlayout.layout",
    *(f"orders_balanceimport.{name}" for name in ("layout", "summary", "told", "result")),
}


def columns(kind: Any) -> set[str]:
    found = [(name, column) for name, table in TABLES.items() for column in table.fields if isinstance(column, kind)]
    return {f"{name}.{column.column}" for name, column in found}


def test_every_table_of_a_store_travels_or_says_why_it_stays() -> None:
    """A new table stands in ``orders/services/bundles/tables.py``, or a store would lose it when it moves."""
    assert set(TABLES) | set(STAYS) == set(tables_of_stores())
    assert not set(TABLES) & set(STAYS)
    assert all(reason for reason in STAYS.values())


def test_no_secret_travels() -> None:
    assert columns(EncryptedField) == set()
    names = {column.column for table in TRAVELS for column in table.fields}
    assert not {name for name in names if re.search("secret|hash|token|password", name)}


def test_json_that_may_name_rows_is_read_for_their_ids() -> None:
    read = {f"{name}.{column}" for name, table in TABLES.items() for column in table.ids}
    assert columns(models.JSONField) == read | WITHOUT_IDS


def test_every_column_of_who_did_it_is_read_as_such() -> None:
    """A reference such as user:12 would name somebody else where it arrives."""
    read = {f"{name}.{column}" for name, table in TABLES.items() for column in table.actors}
    texts = {column for column in columns(models.CharField) if re.search(r"\.actor$|_by$", column)}
    # What caused a cancel, not who.
    assert texts - {"orders_order.cancelled_by"} == read


def test_whoever_is_referred_to_comes_first() -> None:
    before: set[str] = set()
    for table in TRAVELS:
        assert set(table.keys.values()) <= before | {table.name}
        before.add(table.name)


def test_the_version_that_bundles_name_is_the_product_s() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    assert project["version"] == loyalty.__version__
