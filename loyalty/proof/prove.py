"""Proving the books: what `check_ledger` runs (H5).

A check is data: statements that count what was looked at, and rules, each one statement whose every row is a fault.
Each app that keeps books names its check here; a rule is one statement, so it sees one moment and needs no locks.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.utils.module_loading import import_string

from loyalty.stores.models import Store

# Named as strings, because the foundation imports none of the apps that stand on it.
CHECKS: Final = (
    "loyalty.proof.stores.CHECK",
    "credits.proof.CHECK",
    "points.proof.CHECK",
    "orders.proof.orders.CHECK",
    "orders.proof.redemptions.CHECK",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that must hold: ``sql`` answers the rows that break it, ``sentence`` takes their columns.

    The first column is the store's slug. :func:`scope` writes the condition on the store.
    """

    sentence: str
    sql: str


@dataclass(frozen=True, slots=True)
class Check:
    """What one app has to prove: its rules, and statements that count its rows by name."""

    counted: Mapping[str, str]
    rules: Sequence[Rule]


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that does not agree: the slug of its store, and a sentence that names it."""

    slug: str
    sentence: str

    def __str__(self) -> str:
        return f"store {self.slug}: {self.sentence}"


_COUNT: Final = 'SELECT count(*) FROM "{table}" AS counted WHERE {scope}'


def counting(table: str) -> str:
    """The statement that counts a table's rows in scope."""
    return _COUNT.format(table=table, scope=scope("counted"))


def scope(alias: str) -> str:
    """The condition that keeps a statement to the store that was asked for, or to none."""
    return f"(%(store)s::bigint IS NULL OR {alias}.store_id = %(store)s)"


def all_checks() -> list[Check]:
    """The checks of every app."""
    return [import_string(name) for name in CHECKS]


def count_rows(store: Store | None) -> Counter[str]:
    """How many rows the checks look at, by name."""
    counts: Counter[str] = Counter()
    with connection.cursor() as cursor:
        for check in all_checks():
            for name, sql in check.counted.items():
                cursor.execute(sql, _parameters(store))
                counts[name] += cursor.fetchone()[0]
    return counts


def find_faults(store: Store | None) -> Iterator[str]:
    """One line for every row that does not agree, in ``store`` or everywhere; memory does not grow with them."""
    return (str(fault) for fault in faults_of(store))


def faults_of(store: Store | None) -> Iterator[Fault]:
    """As :func:`find_faults`, with the store that each is in."""
    for check in all_checks():
        for rule in check.rules:
            yield from _broken(rule, store)


def _broken(rule: Rule, store: Store | None) -> Iterator[Fault]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            # All rows are wanted, so the planner must not favour a plan whose first rows come early.
            cursor.execute("SET LOCAL cursor_tuple_fraction = 1")
        with connection.chunked_cursor() as cursor:
            cursor.execute(rule.sql, _parameters(store))
            while rows := cursor.fetchmany(1000):
                yield from (Fault(row[0], rule.sentence.format(*row[1:])) for row in rows)


def _parameters(store: Store | None) -> dict[str, Any]:
    return {"store": store.pk if store else None}
