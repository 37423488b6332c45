"""What a store's rows come to, by kind and currency: said by a bundle, and proved where it arrives."""

from collections.abc import Mapping
from typing import Any, Final

from orders.services.bundles.manifest import Sums
from orders.services.bundles.tables import TRAVELS, Table

SUMMED: Final = tuple(table for table in TRAVELS if table.sums)


def sums_of(cursor: Any, store_id: int) -> dict[str, Sums]:
    """The sums of every table that has some, as the database adds them up."""
    return {table.name: _sums(cursor, table, store_id) for table in SUMMED}


def _sums(cursor: Any, table: Table, store_id: int) -> Sums:
    names = [*table.by, *table.sums]
    picked = ", ".join([*(f"mine.{name}" for name in table.by), *(f"sum(mine.{name})::text" for name in table.sums)])
    grouped = f"GROUP BY {', '.join(table.by)} ORDER BY {', '.join(table.by)}" if table.by else "HAVING count(*) > 0"
    source = f'"{table.model._meta.db_table}" AS mine WHERE mine.store_id = %s AND {table.rows}'
    cursor.execute(f"SELECT {picked} FROM {source} {grouped}", [store_id])
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def differing(said: Mapping[str, Sums], found: Mapping[str, Sums]) -> str:
    """The first sum that is not what was said, in words; empty when all are."""
    for table in sorted(said.keys() | found.keys()):
        before, after = (_by_group(table, sums.get(table, ())) for sums in (said, found))
        for group in sorted(before.keys() | after.keys()):
            if before.get(group) != after.get(group):
                where = " ".join([table, *filter(None, group)])
                said_words, found_words = _words(before.get(group)), _words(after.get(group))
                return f"{where}: the manifest says {said_words}, the rows come to {found_words}"
    return ""


def _by_group(table: str, sums: Sums) -> dict[tuple[str, ...], dict[str, str]]:
    by = next((one.by for one in SUMMED if one.name == table), ())
    return {
        tuple(group.get(name, "") for name in by): {name: value for name, value in group.items() if name not in by}
        for group in sums
    }


def _words(sums: Mapping[str, str] | None) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(sums.items())) if sums else "nothing"
