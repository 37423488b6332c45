"""What the tables hold, so that what was put back can be held against what was taken."""

from collections.abc import Iterator
from typing import Any, Final

from loyalty.backups.manifest import TableSum

_SIZES: Final = """
SELECT relname, pg_table_size(oid) FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' ORDER BY relname
"""
# PostgreSQL keeps this function as it is from version to version, because partitions stand on it. What rows look like
# as texts depends on the session.
_SUM: Final = "SELECT count(*), coalesce(sum(hashtextextended(of::text, 0)::numeric), 0)::text FROM {} AS of"
_ALIKE: Final = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'"


def table_sizes(connection: Any) -> dict[str, int]:
    """Every table, with its bytes on disk."""
    with connection.cursor() as cursor:
        cursor.execute(_SIZES)
        return dict(cursor.fetchall())


def sums_of_tables(connection: Any) -> Iterator[tuple[str, TableSum]]:
    """Every table with its sum, one by one; each is read once, by the server."""
    names = table_sizes(connection)
    with connection.cursor() as cursor:
        cursor.execute(_ALIKE)
        for name in names:
            cursor.execute(_SUM.format(connection.ops.quote_name(name)))
            yield name, TableSum(*cursor.fetchone())
