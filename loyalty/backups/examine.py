"""What must hold of a database that was restored, beyond its rows: sequences, policies, rights, the books (H5)."""

from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.db import connection

from loyalty.core.clock import read_clock
from loyalty.database.granting import differences
from loyalty.database.named_stores import every_store
from loyalty.database.policies import tables_without_policy
from loyalty.proof.outcomes import Outcome
from loyalty.proof.prove import faults_of
from loyalty.stores.models import Store

_SEQUENCES: Final = """
SELECT owning.relname, attname, coalesce(pg_sequence_last_value(sequence.oid), 0)
FROM pg_class AS sequence
JOIN pg_depend ON objid = sequence.oid AND classid = 'pg_class'::regclass AND deptype IN ('a', 'i')
JOIN pg_class AS owning ON owning.oid = refobjid
JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
WHERE sequence.relkind = 'S' AND sequence.relnamespace = current_schema()::regnamespace
"""


def faults_of_database() -> Iterator[str]:
    """What would stop the installation from working as it did, a sentence each."""
    yield from (f"the next id of {table} is one that is taken" for table in _sequences_behind())
    yield from (f"no policy keeps the stores apart in {table}" for table in tables_without_policy())
    if has_web_role():
        yield from (f"the rights on {name} are not those declared" for name in differences(settings.DATABASE_WEB_ROLE))


def faults_of_books() -> int:
    """How many faults ``check_ledger`` finds; the outcome is kept as its own is."""
    with every_store():
        outcome = Outcome()
        for _ in outcome.noting(faults_of(None)):
            pass
        outcome.keep(Store.objects.all(), read_clock())
    return outcome.faults.total()


def has_web_role() -> bool:
    """Whether the web is to be another role than whoever restores."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_regrole(%(role)s) IS NOT NULL AND current_user <> %(role)s",
            {"role": settings.DATABASE_WEB_ROLE},
        )
        return bool(cursor.fetchone()[0])


def _sequences_behind() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(_SEQUENCES)
        for table, column, last in cursor.fetchall():
            quoted = [connection.ops.quote_name(name) for name in (column, table)]
            cursor.execute("SELECT coalesce(max({}), 0) > %s FROM {}".format(*quoted), [last])
            if cursor.fetchone()[0]:
                yield table
