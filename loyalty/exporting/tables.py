"""What an export is: rows of one store, and the columns they are written as.

A list that is to be exported names its columns; reading in batches, local dates and file formats are here.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Final, TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from loyalty.core.days import last_day_of_use, local_day
from loyalty.core.money import as_stored
from loyalty.languages.own_names import own_words
from loyalty.stores.models import Store

T = TypeVar("T")
Cell = str | int | Decimal | date | datetime | None

# Rows in memory at once. What a batch needs besides its rows is read in a number of statements that is always the same.
BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Viewing:
    """For whom and when an export is made, and what was loaded for the rows of the present batch."""

    store: Store
    now: datetime
    loaded: Any = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, and what stands there for a row. A moment is shown in the store's time zone."""

    title: str
    value: Callable[[Any, Viewing], Cell]


def _as_listed(rows: "QuerySet[Any]", _store: Store) -> "QuerySet[Any]":
    return rows


def _nothing(_rows: Sequence[Any], _viewing: Viewing) -> Any:
    return None


@dataclass(frozen=True, slots=True)
class Export:
    """A list as a file. ``key`` names it in addresses and file names, ``title`` on buttons and sheets.

    ``rows`` makes the rows that are exported out of those of the list (by default the same); ``load`` reads what a
    batch of them needs besides, in a fixed number of statements.
    """

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: Callable[["QuerySet[Any]", Store], "QuerySet[Any]"] = _as_listed
    load: Callable[[Sequence[Any], Viewing], Any] = _nothing

    def file_name(self, store: Store, now: datetime, suffix: str) -> str:
        """The store, what it is, and the day it is there: ``tea-orders-2026-01-05.csv``."""
        return f"{store.slug}-{self.key}-{local_day(now, store.tz).isoformat()}.{suffix}"

    def headings(self, store: Store) -> list[str]:
        """The first line; the time zone of moments stands beside them."""
        return [own_words(column.title).replace("{zone}", store.time_zone) for column in self.columns]

    def lines(self, listed: "QuerySet[Any]", store: Store, *, now: datetime) -> Iterator[list[Cell]]:
        """The rows as cells, read through a cursor on the server so that only a batch of them is in memory."""
        rows = self.rows(listed, store).iterator(chunk_size=BATCH)
        for batch in _batches(rows, BATCH):
            bare = Viewing(store, now)
            viewing = Viewing(store, now, self.load(batch, bare))
            for row in batch:
                yield [_local(column.value(row, viewing), store) for column in self.columns]


def _batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    source = iter(rows)
    while batch := list(islice(source, size)):
        yield batch


def _local(cell: Cell, store: Store) -> Cell:
    return cell.astimezone(store.tz).replace(tzinfo=None, microsecond=0) if isinstance(cell, datetime) else cell


def amount(value: Any, currency: str) -> Cell:
    """An amount as a number: money with its currency's decimals, points whole."""
    return as_stored(Decimal(value), currency) if currency else int(value)


def last_day(expires_at: datetime | None, store: Store) -> date | None:
    """The last day of use (L2); None for value that never expires."""
    return last_day_of_use(expires_at, store.tz)


def yes(value: bool) -> str:
    """A fact as people write it; empty for no."""
    return _("yes") if value else ""
