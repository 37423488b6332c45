"""What the rows of an import come to together, and with what is here already: marked row by row, then added up.

Set-based SQL over the kept rows of one import; nothing of the ledger is written.
"""

from typing import Any, Final

from django.db import connection

from orders.models import BalanceImport
from orders.services.balance_imports.problems import NO_FAULT
from orders.services.balance_imports.rehearsal.brought_before import brought_before
from orders.services.balance_imports.rehearsal.history import judge_history
from orders.services.balance_imports.rehearsal.stage import BY_EMAIL, CODE, PAST

# How many people who may be one person are named; the rest is counted.
MOST_NAMED: Final = 100

_ROWS: Final = "orders_balanceimportrow AS r"
_MINE: Final = "r.balance_import_id = %(import)s AND r.problem = ''"
_FOLDED: Final = 'casefold(btrim({0}) COLLATE "pg_unicode_fast") COLLATE "default"'
# What there is to ask about: most files have lots alone, of people with a number, in a store without an import so far.
_WHAT_THERE_IS: Final = f"""
SELECT coalesce(array_agg(DISTINCT r.what), '{{}}'), coalesce(bool_or(r.person >= '{BY_EMAIL}'), false),
    EXISTS (SELECT FROM orders_balanceimportkey WHERE store_id = %(store)s),
    coalesce(bool_or(substr(r.key, 2, 1) <> ':'), false)
FROM {_ROWS} WHERE {_MINE}
"""

# Who has a number in one row and only an e-mail address in another is one person, if nobody else has the address.
_JOIN_PEOPLE: Final = f"""
WITH named AS (
    SELECT {_FOLDED.format("r.email")} AS email, min(r.person) AS person, count(DISTINCT r.person) AS people
    FROM {_ROWS} WHERE {_MINE} AND r.person < '{BY_EMAIL}' AND r.email <> '' GROUP BY 1
), marked AS (
    UPDATE orders_balanceimportrow AS r SET problem = 'several-people', "column" = 'email', said = left(r.email, 100)
    FROM named WHERE {_MINE} AND r.person = ('{BY_EMAIL}' || named.email) COLLATE "C" AND named.people > 1
)
UPDATE orders_balanceimportrow AS r SET person = named.person
FROM named WHERE {_MINE} AND r.person = ('{BY_EMAIL}' || named.email) COLLATE "C" AND named.people = 1
"""

# An address that leads to several customers here means none of them (O7).
_SEVERAL_HERE: Final = f"""
UPDATE orders_balanceimportrow AS r SET problem = 'several-people', "column" = 'email', said = left(r.email, 100)
FROM (
    SELECT folded_email FROM stores_customer WHERE store_id = %(store)s AND folded_email <> ''
    GROUP BY folded_email HAVING count(DISTINCT coalesce(merged_into_id, id)) > 1
) AS shared
WHERE {_MINE} AND r.person = ('{BY_EMAIL}' || shared.folded_email) COLLATE "C"
"""

_ALREADY: Final = f"""
UPDATE orders_balanceimportrow AS r SET problem = 'already'
FROM orders_balanceimportkey AS known
WHERE {_MINE} AND r.key <> '' AND known.store_id = %(store)s AND known.kind = r.kind AND known.key = r.key
    AND NOT known.taken_back
"""

# Where in the file something stands, as one number; a row says far fewer things than that.
_PLACE: Final = "(r.position * 1000::bigint + r.part)"
_REPEATED: Final = f"""
UPDATE orders_balanceimportrow AS r
SET problem = CASE r.what WHEN 'code' THEN 'code-repeated' ELSE 'repeated' END,
    "column" = CASE r.what WHEN 'code' THEN 'code' ELSE 'reference' END, said = substr(r.key, 3, 100)
FROM (
    SELECT r.kind, r.key, min({_PLACE}) AS first FROM {_ROWS}
    WHERE {_MINE} AND substr(r.key, 2, 1) = ':' GROUP BY r.kind, r.key HAVING count(*) > 1
) AS again
WHERE {_MINE} AND r.kind = again.kind AND r.key = again.key AND {_PLACE} > again.first
"""

_CODES_HERE: Final = f"""
UPDATE orders_balanceimportrow AS r SET problem = 'code-repeated', "column" = 'code', said = left(r.code, 100)
FROM orders_redemption AS known
WHERE {_MINE} AND r.what = 'code' AND known.store_id = %(store)s AND known.code = r.code
"""

# Balances that are the same in all that can be told, and have no references: each but the first says in which row it
# stood already. They may be two balances, so both are given.
_SAME_AGAIN: Final = f"""
WITH again AS (
    SELECT r.id, r.position, min(r.position) OVER alike AS first
    FROM {_ROWS} WHERE {_MINE} AND r.what = 'lot' AND substr(r.key, 2, 1) <> ':'
    WINDOW alike AS (PARTITION BY r.person, r.kind, r.currency, r.amount, r.at, r.expires_at, r.reason)
), told AS (
    UPDATE orders_balanceimportrow AS r SET said = again.first::text
    FROM again WHERE r.id = again.id AND again.position > again.first
)
SELECT count(DISTINCT position) FROM again WHERE position > first
"""

# A row is imported whole or not at all.
_WHOLE_ROWS: Final = f"""
UPDATE orders_balanceimportrow AS r SET problem = 'row'
FROM (
    SELECT DISTINCT bad.position FROM orders_balanceimportrow AS bad
    WHERE bad.balance_import_id = %(import)s AND bad.problem <> '' AND bad.problem <> ALL(%(no_fault)s)
        AND bad.what <> 'bad'
) AS bad
WHERE {_MINE} AND r.position = bad.position
"""

# Added up by instant first: there are few of them, and of each the month is worked out once.
_TOTALS: Final = f"""
SELECT kind, currency, to_char((expires_at - interval '1 microsecond') AT TIME ZONE %(zone)s, 'YYYY-MM'),
    sum(lots)::bigint, sum(amount)
FROM (
    SELECT r.kind, r.currency, r.expires_at, count(*) AS lots, sum(r.amount) AS amount
    FROM {_ROWS} WHERE {_MINE} AND r.what = 'lot' GROUP BY 1, 2, 3
) AS one GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 NULLS LAST
"""

_PROBLEMS: Final = """
SELECT problem, count(DISTINCT position) FROM orders_balanceimportrow
WHERE balance_import_id = %(import)s AND problem <> '' GROUP BY 1 ORDER BY 2 DESC, 1
"""

_COUNTS: Final = f"""
SELECT count(*), count(DISTINCT r.person), count(*) FILTER (WHERE r.what = 'past'),
    count(*) FILTER (WHERE r.what = 'code'), coalesce(sum(r.amount) FILTER (WHERE r.what = 'code'), 0)
FROM {_ROWS} WHERE {_MINE}
"""

# People of the file who are here already: by a number, else by an address that is one customer's alone.
_KNOWN: Final = f"""
SELECT count(*) FROM (
    SELECT r.person, max(r.platform) AS platform, max(r.external_id) AS external_id,
        {_FOLDED.format("max(r.email)")} AS email
    FROM {_ROWS} WHERE {_MINE} GROUP BY r.person
) AS person
WHERE EXISTS (
    SELECT FROM stores_customer AS c WHERE c.store_id = %(store)s AND person.platform = ''
        AND c.external_id = person.external_id AND person.external_id <> ''
) OR EXISTS (
    SELECT FROM stores_platformid AS p WHERE p.store_id = %(store)s AND p.platform = person.platform
        AND p.external_id = person.external_id
) OR (
    SELECT count(*) = 1 AND bool_and(person.platform <> '' OR person.external_id = '' OR c.external_id IS NULL)
    FROM stores_customer AS c
    WHERE c.store_id = %(store)s AND c.folded_email = person.email AND person.email <> '' AND c.merged_into_id IS NULL
)
"""

# The same address under several numbers: each is a customer of its own, and staff may want to merge them.
_ALIKE: Final = f"""
SELECT {_FOLDED.format("email")} AS email, count(DISTINCT person), min(position), count(*) OVER ()
FROM (
    SELECT r.email, r.person, min(r.position) AS position
    FROM {_ROWS} WHERE {_MINE} AND r.person < '{BY_EMAIL}' AND r.email <> '' GROUP BY 1, 2
) AS one
GROUP BY 1 HAVING count(DISTINCT person) > 1 ORDER BY 3 LIMIT {MOST_NAMED}
"""


def judge(held: BalanceImport) -> dict[str, Any]:
    """Mark the rows that cannot be imported, and answer the summary of the rest. Its rows are held by the caller.

    The summary: ``rows`` of the file, ``bad_rows``, ``items`` to be written, ``people`` and how many of them are
    ``known`` already, ``past`` movements, ``codes`` and their ``code_points``; ``problems`` as [code, rows];
    ``totals`` as {kind, currency, month of expiry or null, lots, amount}; ``alike`` addresses as [address, numbers,
    row], the first :data:`MOST_NAMED`, and ``alike_count``; how many rows seem to have been ``brought_before``, and how
    many say the ``same_again`` as another one of the file.
    """
    names: dict[str, Any] = {
        "import": held.pk,
        "store": held.store_id,
        "zone": held.store.time_zone,
        "no_fault": list(NO_FAULT),
    }
    with connection.cursor() as cursor:
        cursor.execute(_WHAT_THERE_IS, names)
        sorts, by_email, brought_some, unnamed = cursor.fetchone()
        marks = (
            *((_JOIN_PEOPLE, _SEVERAL_HERE) if by_email else ()),
            *((_ALREADY,) if brought_some else ()),
            _REPEATED,
            *((_CODES_HERE,) if CODE in sorts else ()),
        )
        for statement in marks:
            cursor.execute(statement, names)
    if PAST in sorts:
        judge_history(held)
    with connection.cursor() as cursor:
        cursor.execute(_WHOLE_ROWS, names)
        same_again = 0
        if unnamed:
            cursor.execute(_SAME_AGAIN, names)
            (same_again,) = cursor.fetchone()
        return _summary(cursor, names) | {"brought_before": brought_before(held), "same_again": same_again}


def _summary(cursor: Any, names: dict[str, Any]) -> dict[str, Any]:
    cursor.execute(_COUNTS, names)
    items, people, past, codes, points = cursor.fetchone()
    cursor.execute(
        "SELECT count(DISTINCT position), count(DISTINCT position) FILTER (WHERE problem <> '' AND problem <> "
        "ALL(%(no_fault)s)) FROM orders_balanceimportrow WHERE balance_import_id = %(import)s",
        names,
    )
    rows, bad_rows = cursor.fetchone()
    cursor.execute(_KNOWN, names)
    (known,) = cursor.fetchone()
    cursor.execute(_PROBLEMS, names)
    problems = [[code, count] for code, count in cursor.fetchall()]
    cursor.execute(_TOTALS, names)
    totals = [total(*row) for row in cursor.fetchall()]
    cursor.execute(_ALIKE, names)
    alike = cursor.fetchall()
    return {
        "rows": rows,
        "bad_rows": bad_rows,
        "items": items,
        "people": people,
        "known": known,
        "past": past,
        "codes": codes,
        "code_points": int(points),
        "problems": problems,
        "totals": totals,
        "alike": [list(row[:3]) for row in alike],
        "alike_count": alike[0][3] if alike else 0,
    }


def total(kind: str, currency: str, month: str | None, lots: int, amount: Any) -> dict[str, Any]:
    """One line of totals: of a kind, a currency, and a month (YYYY-MM) of expiry, None for never."""
    return {"kind": kind, "currency": currency, "month": month, "lots": lots, "amount": f"{amount.normalize():f}"}
