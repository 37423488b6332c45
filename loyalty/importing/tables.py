"""What a table is that somebody saved: its rows, the cells in them, and how it has to be read."""

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple, Self

from loyalty.core.errors import Invalid

MOST_ROWS: Final = 1_000_000
MOST_COLUMNS: Final = 500
# As long as a cell of a spreadsheet can be.
LONGEST_CELL: Final = 32_767
_SHOWN: Final = 60


class NotATable(Invalid):
    """The file as a whole cannot be read as a table; ``detail`` says what it is and what to do."""

    code = "not-a-table"
    title = "The file cannot be read as a table."


class Fault(StrEnum):
    """Why nothing may be taken from a cell, or from a row."""

    FORMULA = "formula"
    TOO_LONG = "too-long"
    HOLDS_NUL = "not-storable"
    UNREADABLE = "unreadable"
    SPREADSHEET_ERROR = "spreadsheet-error"
    QUOTATION = "quotation"
    TOO_MANY_CELLS = "columns"
    TOO_FEW_CELLS = "too-few-cells"


class BadCell(str):
    """What stands in a cell that nothing may be taken from, cut to what can be shown; ``fault`` says why."""

    __slots__ = ("fault",)
    fault: Fault

    def __new__(cls, text: str, fault: Fault) -> Self:
        cell = super().__new__(cls, text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
        cell.fault = fault
        return cell


# Spreadsheets have numbers and dates of their own; whatever comes out of CSV is text. An empty cell is an empty text.
Cell = str | Decimal | datetime


class TableRow(NamedTuple):
    """One row. ``number`` is the one that a spreadsheet shows beside it; ``fault`` is what is wrong with all of it."""

    number: int
    cells: tuple[Cell, ...]
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class FileShape:
    """How a file's bytes become rows. ``encoding`` and ``separator`` are CSV's, ``sheet`` is XLSX's.

    ``header_row`` is the row with the columns' names; what stands above it is passed over.
    """

    kind: str
    encoding: str = "utf-8"
    separator: str = ","
    sheet: str = ""
    header_row: int = 1

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """The same from what was stored; names that are not known any more are left out."""
        return cls(**{name: value for name, value in stored.items() if name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class Guess:
    """What something was taken for, and the evidence: ``why`` names the row that decided.

    Not ``certain`` is what a person has to be asked; ``value`` is then the likelier of the ``choices``, or empty.
    """

    value: str
    why: str
    certain: bool = True
    choices: tuple[str, ...] = ()
