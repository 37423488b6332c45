"""A file as a table: the names of its columns, and the rows below them, one after the other."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, Final

from django.utils.translation import gettext as _

from loyalty.core.locales import count_text
from loyalty.importing.csv_rows import csv_rows
from loyalty.importing.kinds import XLSX
from loyalty.importing.tables import (
    MOST_COLUMNS,
    MOST_ROWS,
    Fault,
    FileShape,
    Guess,
    NotATable,
    TableRow,
)
from loyalty.importing.xlsx_rows import xlsx_rows

_LOOKED_AT: Final = 30
_MOST_OF_IT: Final = 0.6
_LETTERS: Final = 26


@dataclass(frozen=True, slots=True)
class Table:
    """The columns' names, each a different one, and the rows below; rows without any cell are left out."""

    headings: tuple[str, ...]
    rows: Iterator[TableRow]


def read_table(file: BinaryIO, shape: FileShape) -> Table:
    """The table, of which only what is asked for is read.

    A row that has more cells than there are columns, or in CSV fewer, says so. Raises NotATable, also while the
    rows are read: for a file that breaks off, and for more than a million rows.
    """
    rows = xlsx_rows(file, shape) if shape.kind == XLSX else csv_rows(file, shape)
    header = next((row for row in rows if row.number >= shape.header_row), None)
    if header is None or not any(header.cells):
        raise NotATable.at("/header_row", _("There are no columns' names in row %(row)s.") % {"row": shape.header_row})
    if len(header.cells) > MOST_COLUMNS:
        raise NotATable.at("/file", _("The table has more than %(most)s columns.") % {"most": MOST_COLUMNS})
    headings = _headings(tuple(str(cell) for cell in header.cells))
    return Table(headings, _below(rows, len(headings), may_be_short=shape.kind == XLSX))


def _headings(said: tuple[str, ...]) -> tuple[str, ...]:
    """A name for every column up to the last that has one: unnamed ones by letter, repeated ones numbered."""
    names = list(said)
    while names and not names[-1]:
        names.pop()
    found: dict[str, int] = {}
    for place, name in enumerate(names):
        plain = " ".join(name.split()) or _("Column %(letter)s") % {"letter": letter_of(place)}
        named, count = plain, 1
        while named in found:
            count += 1
            named = f"{plain} ({count})"
        found[named] = place
    return tuple(found)


def letter_of(place: int) -> str:
    """What a spreadsheet calls the column at this place, from 0: A, B, … Z, AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, _LETTERS)
        letters = chr(ord("A") + rest) + letters
    return letters


def _below(rows: Iterator[TableRow], width: int, *, may_be_short: bool) -> Iterator[TableRow]:
    count = 0
    for row in rows:
        cells = row.cells
        if not row.fault and cells.count("") == len(cells):
            continue
        count += 1
        if count > MOST_ROWS:
            raise NotATable.at(
                "/file",
                _("The file has more than %(most)s rows. Please cut it into several.")
                % {"most": count_text(MOST_ROWS)},
            )
        yield row if len(cells) == width else _fitted(row, width, may_be_short=may_be_short)


def _fitted(row: TableRow, width: int, *, may_be_short: bool) -> TableRow:
    """The row with as many cells as there are columns, or with what is wrong with their number."""
    if row.fault:
        return row
    if len(row.cells) > width:
        fault = Fault.TOO_MANY_CELLS if any(cell != "" for cell in row.cells[width:]) else None
        return TableRow(row.number, row.cells[:width], fault)
    cells = row.cells + ("",) * (width - len(row.cells))
    return TableRow(row.number, cells, None if may_be_short else Fault.TOO_FEW_CELLS)


def guess_header_row(file: BinaryIO, shape: FileShape) -> Guess:
    """The row with the columns' names: the first that is about as wide as the table and holds words alone."""
    rows = xlsx_rows(file, shape) if shape.kind == XLSX else csv_rows(file, shape)
    first = [row for row in islice(rows, _LOOKED_AT) if any(row.cells)]
    if not first:
        raise NotATable.at("/file", _("The file is empty."))
    widths = Counter(sum(cell != "" for cell in row.cells) for row in first)
    usual = max(widths, key=lambda width: (widths[width], width))
    for row in first:
        filled = [cell for cell in row.cells if cell != ""]
        if len(filled) >= usual * _MOST_OF_IT and all(_is_name(str(cell)) for cell in filled):
            return Guess(str(row.number), _("Row %(row)s holds names, not values.") % {"row": row.number})
    return Guess(
        str(first[0].number),
        _("No row looks like the columns' names. Please put their names into the first row."),
        certain=False,
        choices=tuple(str(row.number) for row in first[:5]),
    )


def _is_name(text: str) -> bool:
    return "@" not in text and any(letter.isalpha() for letter in text)
