"""Row-level security: PostgreSQL shows and takes rows of the stores that are named, and no others (T1).

Made by the tables' owner after every migration, for every table with a store. The owner is not held to it, so that
migrations see all rows; the web's role is, whatever SQL it sends.
"""

from collections.abc import Iterator
from typing import Any, Final

from django.apps import apps
from django.db import connection, models
from psycopg import sql

from loyalty.database.named_stores import EVERY, SETTING

POLICY: Final = "of_the_stores_named"
_SAID: Final = f"current_setting('{SETTING}', true)"
_NAMED: Final = f"CASE WHEN {_SAID} LIKE '{{%' THEN {_SAID}::bigint[] END"
# Each part in brackets with SELECT is worked out once a statement, not once a row. The first is all that a row costs
# where one store is named; an array is gone through for every row.
_ALLOWS: Final = f"""
store_id = (SELECT ({_NAMED})[1])
OR (SELECT {_SAID} = '{EVERY}')
OR store_id = ANY ((SELECT {_NAMED})::bigint[])
"""
# A letter to somebody who signs in is of no store.
_OR_NONE: Final = " OR store_id IS NULL"
_HELD: Final = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relrowsecurity
    AND EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid AND polname = %s)
"""


def tables_of_stores() -> dict[str, type[models.Model]]:
    """Every table of which each row belongs to a store."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        columns = {getattr(field, "column", None) for field in model._meta.concrete_fields}
        if "store_id" in columns and model._meta.managed and not model._meta.proxy:
            found[model._meta.db_table] = model
    return found


def tables_without_policy() -> list[str]:
    """The tables with a store that do not hold to the stores that are named."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [POLICY])
        held = {name for (name,) in cursor.fetchall()}
    return sorted(set(tables_of_stores()) - held)


def statements(cursor: Any) -> Iterator[sql.Composed]:
    """What makes every table with a store hold to the stores that are named. Half-way tables are left for the end."""
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    there = {name for (name,) in cursor.fetchall()}
    missing = set(tables_without_policy())
    for table, model in tables_of_stores().items():
        if table in there & missing:
            name = sql.Identifier(table)
            yield sql.SQL("DROP POLICY IF EXISTS {} ON {}").format(sql.Identifier(POLICY), name)
            allows = sql.SQL(_ALLOWS + (_OR_NONE if model._meta.get_field("store").null else ""))
            yield sql.SQL("CREATE POLICY {} ON {} USING ({})").format(sql.Identifier(POLICY), name, allows)
            yield sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(name)
