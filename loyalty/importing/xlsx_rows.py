"""Rows of a sheet of an XLSX file, one after the other, without ever holding the sheet."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import BinaryIO, Final

from django.utils.translation import gettext as _

from loyalty.importing.tables import (
    LONGEST_CELL,
    MOST_COLUMNS,
    BadCell,
    Cell,
    Fault,
    FileShape,
    Guess,
    NotATable,
    TableRow,
)
from loyalty.importing.xlsx_package import DATE, NUMBER, PERCENT, Book, Package, Texts, read_book
from loyalty.importing.xml_parts import Attributes, read_xml

_LETTERS: Final = re.compile(r"[A-Z]{1,3}")
# Rows of a sheet have numbers of up to so many digits.
_MOST_DIGITS: Final = 7
_ROWS: Final = re.compile(r"[A-Z]([0-9]{1,7})")
# Before this the calendar of spreadsheets has a day that never was.
_FIRST_SURE_DAY: Final = 61
_LAST_DAY: Final = 2_958_465
_TRUTH: Final = {"1": "TRUE", "0": "FALSE"}


def xlsx_rows(file: BinaryIO, shape: FileShape) -> Iterator[TableRow]:
    """Every row of the sheet that is written, numbered as the spreadsheet numbers them.

    Raises NotATable for a damaged file, and at the end for cells below the names of the columns that are merged.
    """
    package = Package(file)
    book = read_book(package)
    sheet = next((sheet for sheet in book.sheets if sheet.name == shape.sheet), book.sheets[0])
    with ExitStack() as opened:
        has_texts = bool(book.texts) and package.has(book.texts)
        texts = Texts(opened.enter_context(package.part(book.texts)) if has_texts else None)
        opened.callback(texts.close)
        rows = _Rows(book, texts)
        part = opened.enter_context(package.part(sheet.part))
        for _piece in read_xml(part, start=rows.start, end=rows.end, text=rows.text):
            yield from rows.take()
        rows.refuse_merged(below=shape.header_row)


def guess_sheet(file: BinaryIO) -> Guess:
    """The sheet with the table: the first that is not hidden. Asked when there are several."""
    sheets = read_book(Package(file)).sheets
    shown = [sheet.name for sheet in sheets if not sheet.is_hidden] or [sheets[0].name]
    if len(shown) == 1:
        return Guess(shown[0], _("It is the only sheet."))
    why = _("It is the first of %(count)s sheets.") % {"count": len(shown)}
    return Guess(shown[0], why, certain=False, choices=tuple(shown))


class _Rows:
    """What the parser of a sheet calls back; hands out the rows that are whole."""

    def __init__(self, book: Book, texts: Texts) -> None:
        self._book, self._texts = book, texts
        self._whole: list[TableRow] = []
        self._merged: list[str] = []
        self._cells: list[Cell] = []
        self._row = self._column = 0
        self._kind = self._style = ""
        self._said: list[str] = []
        self._said_length = 0
        self._is_said = self._has_formula = False

    def take(self) -> list[TableRow]:
        """The rows since the last time."""
        whole, self._whole = self._whole, []
        return whole

    def start(self, name: str, attributes: Attributes) -> None:
        """A tag begins."""
        if name == "c":
            self._column = self._column_of(attributes.get("r", ""))
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._said.clear()
            self._said_length = 0
            self._has_formula = False
        elif name in {"v", "t"}:
            self._is_said = True
        elif name == "f":
            self._has_formula = True
        elif name == "row":
            number = attributes.get("r", "")
            self._row = int(number) if number.isdecimal() and len(number) <= _MOST_DIGITS else self._row + 1
            self._cells, self._column = [], 0
        elif name == "mergeCell":
            self._merged.append(attributes.get("ref", ""))

    def text(self, said: str) -> None:
        """A text within a tag, or a piece of it."""
        if self._is_said and self._said_length <= LONGEST_CELL:
            self._said.append(said)
            self._said_length += len(said)

    def end(self, name: str) -> None:
        """A tag ends."""
        if name in {"v", "t"}:
            self._is_said = False
        elif name == "c":
            self._put(self._cell("".join(self._said)))
        elif name == "row":
            self._whole.append(TableRow(self._row, tuple(self._cells)))

    def refuse_merged(self, *, below: int) -> None:
        """Raise NotATable for merged cells below this row, for nobody knows whose they are."""
        for merged in self._merged:
            rows = [int(number) for number in _ROWS.findall(merged.upper())]
            if rows and max(rows) > below:
                raise NotATable.at(
                    "/file",
                    _("The cells %(cells)s are merged. Unmerge them, and fill each of them in.") % {"cells": merged},
                )

    def _column_of(self, reference: str) -> int:
        """The column of a cell from 1: as it says, or the next."""
        return _place(reference.rstrip("0123456789")) or self._column + 1

    def _put(self, cell: Cell) -> None:
        if cell == "" or self._column < 1:
            return
        if self._column > MOST_COLUMNS:
            raise NotATable.at("/file", _("The sheet has more than %(most)s columns.") % {"most": MOST_COLUMNS})
        self._cells.extend([""] * (self._column - len(self._cells)))
        self._cells[self._column - 1] = cell

    def _cell(self, said: str) -> Cell:
        if self._has_formula:
            # One that no spreadsheet has worked out yet is no empty cell.
            return BadCell(said or "=", Fault.FORMULA)
        if self._kind in {"s", "str", "inlineStr"}:
            return _text(self._texts[int(said)] if self._kind == "s" and said.isdecimal() else said)
        if self._kind == "e":
            return BadCell(said, Fault.SPREADSHEET_ERROR)
        if self._kind == "b":
            return _TRUTH.get(said, said)
        if self._kind == "d":
            return said
        return self._number(said) if said else ""

    def _number(self, said: str) -> Cell:
        """A number to the 15 digits that spreadsheets count with, a date, or a percentage as a text."""
        try:
            number = float(said)
            exact = Decimal(f"{number:.15g}")
        except (ValueError, ArithmeticError):
            return BadCell(said, Fault.SPREADSHEET_ERROR)
        if not exact.is_finite():
            return BadCell(said, Fault.SPREADSHEET_ERROR)
        meaning = self._book.styles[int(self._style)] if self._has_style() else NUMBER
        if meaning == PERCENT:
            return f"{number * 100:.15g}%"
        return self._date(number, said) if meaning == DATE else exact

    def _has_style(self) -> bool:
        return self._style.isdecimal() and int(self._style) < len(self._book.styles)

    def _date(self, number: float, said: str) -> Cell:
        moment = date_of(number, self._book.first_day)
        return BadCell(said, Fault.SPREADSHEET_ERROR) if moment is None else moment


@lru_cache(maxsize=MOST_COLUMNS)
def _place(letters: str) -> int:
    """The column that these letters name, from 1; 0 for what names none."""
    if not _LETTERS.fullmatch(letters):
        return 0
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - ord("A") + 1
    return place


def date_of(number: float, first_day: datetime) -> datetime | None:
    """The moment that a spreadsheet means by a number, to the second; None where spreadsheets disagree."""
    if not _FIRST_SURE_DAY <= number <= _LAST_DAY:
        return None
    return first_day + timedelta(days=int(number), seconds=round((number - int(number)) * 86_400))


def _text(said: str) -> Cell:
    text = said.strip()
    if len(text) > LONGEST_CELL:
        return BadCell(text, Fault.TOO_LONG)
    return BadCell(text.replace("\x00", "\ufffd"), Fault.HOLDS_NUL) if "\x00" in text else text
