"""What a file is at a first look: how it is read, and its first rows; what people chose goes first."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO, Final

from loyalty.importing.csv_rows import guess_separator
from loyalty.importing.encodings import guess_encoding
from loyalty.importing.kinds import CSV, kind_of
from loyalty.importing.read import guess_header_row, read_table
from loyalty.importing.tables import FileShape, Guess, TableRow
from loyalty.importing.xlsx_rows import guess_sheet

# The rows by which amounts and days are judged: as many as a request has time for.
LOOKED_AT: Final = 5_000
_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Look:
    """The file's shape with the evidence for each of its parts, the columns' names and the first rows."""

    shape: FileShape
    guesses: Mapping[str, Guess]
    headings: tuple[str, ...]
    first: tuple[TableRow, ...]


def look_at(file: BinaryIO, chosen: Mapping[str, str]) -> Look:
    """How the file is read. Raises NotATable.

    ``chosen`` are parts of the shape that somebody said: encoding, separator, sheet, header_row.
    """
    kind = kind_of(file)
    guesses: dict[str, Guess] = {}
    shape = FileShape(kind)
    if kind == CSV:
        guesses["encoding"] = guess_encoding(file)
        shape = replace(shape, encoding=chosen.get("encoding") or guesses["encoding"].value)
        guesses["separator"] = guess_separator(file, shape.encoding)
        shape = replace(shape, separator=chosen.get("separator") or guesses["separator"].value)
    else:
        guesses["sheet"] = guess_sheet(file)
        shape = replace(shape, sheet=chosen.get("sheet") or guesses["sheet"].value)
    guesses["header_row"] = guess_header_row(file, shape)
    shape = replace(shape, header_row=int(chosen.get("header_row") or guesses["header_row"].value))
    table = read_table(file, shape)
    return Look(shape, guesses, table.headings, tuple(islice(table.rows, _SHOWN)))


def first_texts(file: BinaryIO, shape: FileShape, headings: Collection[str]) -> dict[str, list[tuple[int, str]]]:
    """For each of these columns the texts in its first rows, each once, with the number of the row that has it first.

    What a spreadsheet holds as a number or a date says itself what it is, and is left out.
    """
    table = read_table(file, shape)
    places = {name: table.headings.index(name) for name in headings if name in table.headings}
    found: dict[str, dict[str, int]] = {name: {} for name in places}
    for row in islice(table.rows, LOOKED_AT):
        if row.fault:
            continue
        for name, place in places.items():
            cell = row.cells[place]
            if isinstance(cell, str) and cell:
                found[name].setdefault(cell, row.number)
    return {name: [(row, text) for text, row in said.items()] for name, said in found.items()}
