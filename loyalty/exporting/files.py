"""Writing tables of cells as CSV and XLSX, in constant memory, safe to open in a spreadsheet.

A spreadsheet takes a text that begins like a formula for one, and runs it: whoever can name an order or a customer
could have somebody's spreadsheet call out. In CSV such a text gets an apostrophe in front; in XLSX it is a text cell.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, Final

from xlsxwriter import Workbook

from loyalty.core.money import decimals_in
from loyalty.exporting.tables import Cell

# The wide forms are taken for formulas in some languages.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
# A sheet ends at 1,048,576 rows.
ROWS_A_SHEET: Final = 1_000_000
_LONGEST_TEXT: Final = 32_767
# Older days are no dates to a spreadsheet.
_FIRST_DAY: Final = date(1900, 3, 1)
_LINES_AT_ONCE: Final = 200
_LONGEST_SHEET_NAME: Final = 31
_NOT_IN_SHEET_NAMES: Final = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_WIDTH: Final = 16


class _Lines:
    """A file for the CSV writer that hands back what was written to it."""

    def __init__(self) -> None:
        self.waiting: list[str] = ["\ufeff"]  # Spreadsheets know UTF-8 by this mark.

    def write(self, text: str) -> None:
        self.waiting.append(text)

    def take(self) -> str:
        text = "".join(self.waiting)
        self.waiting.clear()
        return text


def csv_parts(headings: Sequence[str], lines: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """A CSV file in parts: UTF-8 with a mark, commas, lines ended as RFC 4180 says."""
    out = _Lines()
    writer = csv.writer(out)
    writer.writerow(headings)
    for number, line in enumerate(lines, 1):
        writer.writerow([_csv_cell(cell) for cell in line])
        if number % _LINES_AT_ONCE == 0:
            yield out.take()
    yield out.take()


def _csv_cell(cell: Cell) -> Any:
    """Texts are made safe; numbers stay numbers, negative ones too."""
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    return f"{cell:f}" if isinstance(cell, Decimal) else cell


def write_xlsx(file: IO[bytes], title: str, headings: Sequence[str], lines: Iterable[Sequence[Cell]]) -> None:
    """Write an XLSX file; rows go to a temporary file one by one, and a further sheet begins where one is full."""
    book = Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    writer = _SheetWriter(book, title, headings)
    for line in lines:
        writer.write(line)
    book.close()


def _sheet_name(title: str, number: int) -> str:
    """What a spreadsheet takes as a sheet's name: no more than 31 characters, and none that formulas need."""
    more = "" if number == 1 else f" {number}"
    return _NOT_IN_SHEET_NAMES.sub("", title)[: _LONGEST_SHEET_NAME - len(more)].strip("' ") + more or str(number)


class _SheetWriter:
    """Puts lines into sheets."""

    def __init__(self, book: Workbook, title: str, headings: Sequence[str]) -> None:
        self.book, self.title, self.headings = book, title, headings
        self.bold = book.add_format({"bold": True})
        self.day = book.add_format({"num_format": "yyyy-mm-dd"})
        self.moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self.amounts: dict[int, Any] = {}
        self.sheets = 0
        self._begin()

    def _begin(self) -> None:
        self.sheets += 1
        self.sheet = self.book.add_worksheet(_sheet_name(self.title, self.sheets))
        self.sheet.freeze_panes(1, 0)
        self.sheet.set_column(0, len(self.headings) - 1, _WIDTH)
        for column, heading in enumerate(self.headings):
            self.sheet.write_string(0, column, heading, self.bold)
        self.row = 1

    def write(self, line: Sequence[Cell]) -> None:
        """The next line."""
        if self.row > ROWS_A_SHEET:
            self._begin()
        for column, cell in enumerate(line):
            if cell is not None and cell != "":
                self._cell(column, cell)
        self.row += 1

    def _amount(self, decimals: int) -> Any:
        """How amounts with so many decimals look."""
        if decimals not in self.amounts:
            look = f"#,##0.{'0' * decimals}" if decimals else "#,##0"
            self.amounts[decimals] = self.book.add_format({"num_format": look})
        return self.amounts[decimals]

    def _cell(self, column: int, cell: str | float | Decimal | date) -> None:
        if isinstance(cell, Decimal) and cell.is_finite():
            self.sheet.write_number(self.row, column, float(cell), self._amount(decimals_in(cell)))
        elif isinstance(cell, str | Decimal):
            self.sheet.write_string(self.row, column, str(cell)[:_LONGEST_TEXT])
        elif isinstance(cell, int | float):
            self.sheet.write_number(self.row, column, cell)
        elif (cell.date() if isinstance(cell, datetime) else cell) < _FIRST_DAY:
            self.sheet.write_string(self.row, column, cell.isoformat())
        else:
            form = self.moment if isinstance(cell, datetime) else self.day
            self.sheet.write_datetime(self.row, column, cell, form)
