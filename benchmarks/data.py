"""The measured data: made by SQL from three numbers, the same on every machine, and passing `check_ledger`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.db import connection

from credits.ledger import CREDITS
from loyalty.ledger.ledger import Ledger
from points.ledger import POINTS

NOW: Final = datetime(2026, 6, 1, tzinfo=UTC)
STORES: Final = 200
SQL: Final = Path(__file__).parent / "sql"

_TABLES: Final = [
    "points_pointmovement",
    "points_pointallocation",
    "points_pointlot",
    "credits_creditmovement",
    "credits_creditallocation",
    "credits_creditlot",
    "orders_redemption",
    "orders_reward",
    "orders_revert",
    "orders_problem",
    "orders_order",
    "journal_journalentry",
    "notices_notice",
    "stores_remark",
    "stores_customer",
    "stores_settingsversion",
    "stores_apikey",
    "api_commandanswer",
    "stores_membership",
    "stores_store",
]
_AMOUNTS: Final = {"credits": ("10.00", "5.00"), "points": ("60", "40")}


def kind_sql(ledger: Ledger) -> dict[str, str]:
    """What the placeholders of the SQL files stand for, for one kind."""
    usd = ledger.tables.has_currency
    first, second = _AMOUNTS[ledger.kind]
    return ledger.tables.sql | {
        "kind": ledger.kind,
        "letter": ledger.kind[0],
        "first": first,
        "second": second,
        "currency": ", currency" if usd else "",
        "usd": ", 'USD'" if usd else "",
        "code": "'USD'" if usd else "''",
        "place": "1" if usd else "0",
        "back_currency": ", back.currency" if usd else "",
    }


def generate(orders: int, *, stores: int = STORES, now: datetime = NOW, varied: bool = False) -> None:
    """Empty the database and fill it with ``orders`` orders of ``stores`` stores, as of ``now``.

    ``varied`` as those of shops: of every status, with tags, codes, returns in part, and people with long histories.
    """
    parameters: dict[str, Any] = {"stores": stores, "orders": orders, "now": now, "varied": varied}
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(_TABLES)} RESTART IDENTITY CASCADE")
        cursor.execute("DROP TABLE IF EXISTS plan, person, buyer")
        for statement in (SQL / "generate.sql").read_text().split(";\n"):
            if statement.strip():
                cursor.execute(statement, parameters)
        template = (SQL / "generate_kind.sql").read_text()
        for ledger in (CREDITS, POINTS):
            for statement in template.format(**kind_sql(ledger)).split(";\n"):
                if statement.strip():
                    cursor.execute(statement, parameters)
        for table in _TABLES:
            _continue_sequence(table)
        cursor.execute("ANALYZE")


def _continue_sequence(table: str) -> None:
    """Let the next row of ``table`` get the id after the highest one."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence(%s, 'id'), coalesce(max(id), 0) + 1, false) FROM {table}", [table]
        )


def install_reference() -> None:
    """Make the hand-written reference available in this connection, with plans for any values.

    Those for given values took up to three times as long, and so did those of tables that were small when a plan was
    made (both were tried): a cancel 2.9 against 7 to 11 ms of processor time, the sweep 0.47 against 1.5 ms an order.
    """
    kind = (SQL / "reference_kind.sql").read_text()
    kinds = "".join(kind.format(**kind_sql(ledger)) for ledger in (CREDITS, POINTS))
    with connection.cursor() as cursor:
        cursor.execute("SET plan_cache_mode = force_generic_plan")
        cursor.execute((SQL / "reference.sql").read_text().format(kinds=kinds))
