"""Balances that are brought from another system: the command beside COPY and hand-written SQL with the same writes."""

import resource
import sys
import time
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from loyalty.stores.models import Store

# Not the largest, whose requests are measured beside it (`beside.py`).
_STORE: Final = 2
_HEADINGS: Final = "external_id,email,name,kind,amount,currency,granted_on,expires_on,reference\n"
# So many lots each of the people has: one of credits, two of points.
_LOTS: Final = 3


def import_balances(who: str, count: str) -> dict[str, Any]:
    """Import so many people with three lots each, by the command or by the reference."""
    store, people = Store.objects.get(pk=_STORE), int(count)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "balances.csv"
        _write(file, people)
        began, processor = time.time(), time.process_time()
        if who == "ours":
            call_command("import_balances", str(file), store=store.slug, reason="A benchmark.", stdout=StringIO())
        else:
            _reference(file)
        ended, processor = time.time(), time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"orders": people * _LOTS, "began": began, "ended": ended, "peak_mb": peak, "processor": processor}


def command_for(people: int, folder: Path) -> list[str]:
    """The command as it is typed, with the file of so many people that it reads."""
    file, slug = folder / "balances.csv", Store.objects.get(pk=_STORE).slug
    _write(file, people)
    return [sys.executable, "manage.py", "import_balances", "--store", slug, "--reason", "A benchmark.", str(file)]


def _write(file: Path, people: int) -> None:
    with file.open("w") as written:
        written.write(_HEADINGS)
        for number in range(people):
            who = f"M{number},moving.{number}@mail.example,Person {number}"
            day = f"{number % 9 + 1:02}-{number % 28 + 1:02}"
            written.write(f"{who},credits,{number % 90 + 10}.50,USD,2025-{day},2027-{day},C{number}\n")
            written.write(f"{who},points,{number % 900 + 10},,2025-{day},2027-{day},P{number}\n")
            written.write(f"{who},points,{number % 70 + 10},,2025-{day},,Q{number}\n")


def _reference(file: Path) -> None:
    """COPY into a temporary table, then a statement for each table that is written: the rows that are kept, too."""
    names = {"store": _STORE, "now": timezone.now()}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_STAGING)
        with cursor.copy(_COPY) as copy, file.open("rb") as content:
            while piece := content.read(1 << 16):
                copy.write(piece)
        for statement in (
            _IMPORT,
            _ROWS,
            _CUSTOMERS,
            *(sql.format(**kind) for kind in _KINDS for sql in (_LOTS_OF, _KEYS)),
        ):
            cursor.execute(statement, names)


_STAGING: Final = """
CREATE TEMPORARY TABLE staging (
    external_id text, email text, name text, kind text, amount numeric, currency text, granted_on date, expires_on date,
    reference text
) ON COMMIT DROP
"""
_COPY: Final = "COPY staging FROM STDIN WITH (FORMAT csv, HEADER)"
_IMPORT: Final = """
INSERT INTO orders_balanceimport (store_id, state, file_name, size, received, sha256, layout, summary, told, result,
    rows_read, done_until, items, items_done, failure, actor, started_by, taken_back_by, created_at, updated_at,
    started_at)
VALUES (%(store)s, 'done', 'reference', 1, 0, '', '{}', '{}', '[]', '{}', 0, '', 0, 0, '', 'system:reference', '', '',
    %(now)s, %(now)s, %(now)s)
"""
_ROWS: Final = """
INSERT INTO orders_balanceimportrow (store_id, balance_import_id, position, part, what, person, platform, external_id,
    email, name, phone, locale, kind, amount, currency, at, expires_at, type, reason, code, key, problem, "column",
    said)
SELECT %(store)s, (SELECT max(id) FROM orders_balanceimport), row_number() OVER (), 0, 'lot', ':' || external_id, '',
    external_id, email, name, '', '', kind, amount, coalesce(currency, ''), granted_on, expires_on + 1, '', '', '',
    'r:' || reference, '', '', ''
FROM staging
"""
_CUSTOMERS: Final = """
INSERT INTO stores_customer (store_id, external_id, email, name, phone, locale, created_at, updated_at)
SELECT DISTINCT ON (external_id) %(store)s, external_id, email, name, '', '', %(now)s, %(now)s
FROM staging ORDER BY external_id
"""
_KINDS: Final = (
    {"kind": "credits", "lot": "credits_creditlot", "movement": "credits_creditmovement", "amount": "numeric",
     "column": "credit_lot_id", "currency": ", currency"},
    {"kind": "points", "lot": "points_pointlot", "movement": "points_pointmovement", "amount": "bigint",
     "column": "point_lot_id", "currency": ""},
)  # fmt: skip
_LOTS_OF: Final = """
CREATE TEMPORARY TABLE new_{kind} ON COMMIT DROP AS
SELECT nextval(pg_get_serial_sequence('{lot}', 'id')) AS id, customer.id AS customer_id, staging.*
FROM staging JOIN stores_customer AS customer ON customer.store_id = %(store)s
    AND customer.external_id = staging.external_id
WHERE kind = '{kind}';
INSERT INTO {lot} (id, store_id, customer_id, granted, remaining, granted_at, expires_at, origin{currency})
SELECT id, %(store)s, customer_id, amount::{amount}, amount::{amount}, granted_on, expires_on + 1,
    'imported'{currency}
FROM new_{kind};
INSERT INTO {movement} (store_id, customer_id, lot_id, type, amount, balance_after, actor, trigger,
    created_at{currency})
SELECT %(store)s, customer_id, id, 'grant', amount::{amount},
    sum(amount::{amount}) OVER (PARTITION BY customer_id ORDER BY id), 'system:reference', 'import', %(now)s{currency}
FROM new_{kind} ORDER BY id
"""
_KEYS: Final = """
INSERT INTO orders_balanceimportkey (store_id, balance_import_id, kind, key, {column}, taken_back)
SELECT %(store)s, (SELECT max(id) FROM orders_balanceimport), '{kind}', 'r:' || reference, id, false FROM new_{kind}
"""
