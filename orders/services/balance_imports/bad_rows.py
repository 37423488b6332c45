"""The rows of an import that cannot be imported, as they stand in its file, with what is wrong: to mend and send again.

Streamed: the file is read along with what was found, so a million bad rows need the memory of one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import BinaryIO, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from loyalty.core.phrases import sentences
from loyalty.exporting.tables import Cell
from loyalty.importing.read import read_table
from orders.models import BalanceImport, BalanceImportRow
from orders.services.balance_imports.layouts.layout import Layout
from orders.services.balance_imports.layouts.suggest import suggest
from orders.services.balance_imports.problems import NO_FAULT, words_in_place
from orders.services.balance_imports.stored_file import stored_file

_CHUNK: Final = 2_000


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row of the file that is not imported: its number, and what is wrong with it in one text."""

    position: int
    words: str


def faults_of(held: BalanceImport) -> "QuerySet[BalanceImportRow]":
    """What is wrong with the rows of an import, in their order; what is as it should be is not among it."""
    rows = BalanceImportRow.objects.for_store(held.store).filter(balance_import=held).exclude(problem="")
    return rows.exclude(problem__in=NO_FAULT).order_by("position", "part", "id")


def bad_rows(held: BalanceImport) -> Iterator[BadRow]:
    """The rows that are not imported, in their order."""
    with stored_file(held) as file:
        layout = layout_of(held, file)
    found = faults_of(held).values_list("position", "problem", "column", "said").iterator(_CHUNK)
    for position, some in groupby(found, key=lambda one: one[0]):
        wrong = {words_in_place(code, layout.heading(column), said): code != "row" for _, code, column, said in some}
        # What is wrong with another part of the row says more than that something is.
        yield BadRow(position, sentences(words for words, tells in wrong.items() if tells or not any(wrong.values())))


def bad_rows_table(held: BalanceImport) -> tuple[list[str], Iterator[list[Cell]]]:
    """The same as a table: the columns of the file, then what is wrong and the number that the row had.

    Sent again like that, the two further columns are passed over. Its store must be named while it is read.
    """
    with stored_file(held) as file:
        headings = [*read_table(file, layout_of(held, file).shape).headings, _("What is wrong"), _("Row")]
    return headings, _lines(held, len(headings) - 2)


def _lines(held: BalanceImport, width: int) -> Iterator[list[Cell]]:
    wrong = bad_rows(held)
    with stored_file(held) as file:
        rows = read_table(file, layout_of(held, file).shape).rows
        for bad in wrong:
            row = next((row for row in rows if row.number >= bad.position), None)
            cells = list(row.cells[:width]) if row is not None and row.number == bad.position else []
            yield [*cells, *[""] * (width - len(cells)), bad.words, bad.position]


def layout_of(held: BalanceImport, file: BinaryIO) -> Layout:
    """How the file of an import is read: as somebody said it, else as its columns' names say."""
    if held.layout.get("columns"):
        return Layout.from_json(held.layout)
    return suggest(file, {}, held.store).layout
