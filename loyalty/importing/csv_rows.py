"""Rows of a CSV file, one after the other, and which character separates its columns."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import BinaryIO, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.core.locales import count_text
from loyalty.importing.encodings import codec_of
from loyalty.importing.tables import (
    LONGEST_CELL,
    BadCell,
    Cell,
    Fault,
    FileShape,
    Guess,
    NotATable,
    TableRow,
)

SEPARATORS: Final = (",", ";", "\t", "|")
_LONGEST_LINE: Final = 1_000_000
_LOOKED_AT: Final = 50
# What is in every cell that is not taken as it stands.
_ODD: Final = re.compile("[=\uff1d|'\x00\ufffd]")
_FORMULA_STARTS: Final = ("=", "\uff1d")
_KEPT_AS_TEXT: Final = re.compile(r'="([^"]*)"')
# What systems put an apostrophe before for spreadsheets' sake: formulas, and numbers that are names.
_MADE_SAFE: Final = re.compile(r"'(?=[-=+@0-9])")
# Programs that a spreadsheet would start: cmd|' /C calc'!A0, behind any sign that begins a formula.
_STARTS_PROGRAMS: Final = ("+", "-", "@")


def csv_rows(file: BinaryIO, shape: FileShape) -> Iterator[TableRow]:
    """Every row, empty ones too, numbered as a spreadsheet numbers them; a row may run over several lines.

    Raises NotATable for a line, or a cell that a quotation mark opens, that does not end.
    """
    for number, cells in enumerate(_read(file, shape), start=1):
        if isinstance(cells, Fault):
            yield TableRow(number, (), cells)
        else:
            yield TableRow(number, tuple(map(_cell if _is_odd(cells) else str.strip, cells)))


def _is_odd(cells: list[str]) -> bool:
    """Whether a cell of the row may be a bad one; hardly any row is, and there are millions of cells."""
    row = ",".join(cells)
    return len(row) > LONGEST_CELL or _ODD.search(row) is not None


def _read(file: BinaryIO, shape: FileShape) -> Iterator[list[str] | Fault]:
    """The cells of each row, or what is wrong with the row."""
    codec = codec_of(file, shape.encoding)
    file.seek(0)
    text = io.TextIOWrapper(file, codec, errors="replace", newline="")
    try:
        reader = csv.reader(_lines(text, shape.separator), delimiter=shape.separator, strict=True)
        while True:
            begun = reader.line_num + 1
            try:
                yield next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield _refused(error, begun)
    finally:
        # Whoever stops half-way may have closed the file before this is let go.
        if not file.closed:
            text.detach()


def _lines(text: io.TextIOWrapper, separator: str) -> Iterator[str]:
    """The file's lines; one without an end does not get into memory. Excel's own ``sep=;`` is an empty line."""
    number = 0
    while line := text.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE:
            raise NotATable.at(
                "/file",
                _("Line %(line)s has more than %(most)s characters. This is not a table.")
                % {"line": number, "most": count_text(_LONGEST_LINE)},
            )
        yield "\n" if number == 1 and line.rstrip("\r\n").lower() == f"sep={separator}" else line


def _refused(error: csv.Error, line: int) -> Fault:
    """What is wrong with the row that begins on this line; a cell that does not end spoils all that follows."""
    words = str(error)
    if "field larger" in words or "end of data" in words:
        raise NotATable.at(
            "/file",
            _('On line %(line)s a quotation mark opens a cell that is not closed. Close it, or write it twice ("").')
            % {"line": line},
        ) from error
    return Fault.QUOTATION


def _cell(text: str) -> Cell:
    """The cell's text without blanks around it; ``="0912"``, as Excel keeps zeros by, is the text within."""
    if not text:
        return ""
    text = text.strip()
    if text.startswith(_FORMULA_STARTS):
        if kept := _KEPT_AS_TEXT.fullmatch(text):
            return _checked(kept[1])
        return BadCell(text, Fault.FORMULA)
    if text.startswith(_STARTS_PROGRAMS) and "|" in text and "!" in text:
        return BadCell(text, Fault.FORMULA)
    return _checked(text[1:] if _MADE_SAFE.match(text) else text)


def _checked(text: str) -> Cell:
    if len(text) > LONGEST_CELL:
        return BadCell(text, Fault.TOO_LONG)
    if "\x00" in text:
        return BadCell(text.replace("\x00", "\ufffd"), Fault.HOLDS_NUL)
    return BadCell(text, Fault.UNREADABLE) if "\ufffd" in text else text


def guess_separator(file: BinaryIO, encoding: str) -> Guess:
    """The character that makes the first rows equally wide. Asked when two of them do."""
    widths = {separator: _widths(file, encoding, separator) for separator in SEPARATORS}
    named = _named_by_excel(file, encoding)
    if named:
        return Guess(named, _("The file's first line says so: sep=%(separator)s") % {"separator": named})
    ranked = sorted(SEPARATORS, key=lambda separator: _evenness(widths[separator]), reverse=True)
    best, second = ranked[0], ranked[1]
    width = _usual(widths[best])
    if width <= 1:
        return Guess(",", _("There is one column only, so nothing separates columns."))
    rows = len(widths[best])
    why = ngettext(
        "The only row has %(columns)s columns with it.",
        "The first %(rows)s rows have %(columns)s columns each with it.",
        rows,
    ) % {"rows": rows, "columns": width}
    certain = _evenness(widths[best]) > _evenness(widths[second])
    return Guess(best, why, certain=certain, choices=() if certain else (best, second))


def _named_by_excel(file: BinaryIO, encoding: str) -> str:
    codec = codec_of(file, encoding)
    file.seek(0)
    first = file.read(32).decode(codec, errors="replace").lstrip("\ufeff").lower().splitlines()
    name = first[0].removeprefix("sep=") if first and first[0].startswith("sep=") else ""
    return name if name in SEPARATORS else ""


def _widths(file: BinaryIO, encoding: str, separator: str) -> list[int]:
    """How many cells each of the first rows that are not empty has."""
    try:
        rows = _read(file, FileShape("csv", encoding, separator))
        return [len(row) for row in _not_empty(islice(rows, _LOOKED_AT))]
    except NotATable:
        return []


def _not_empty(rows: Iterable[list[str] | Fault]) -> Iterator[Sequence[str]]:
    return (row for row in rows if not isinstance(row, Fault) and any(row))


def _usual(widths: Sequence[int]) -> int:
    return Counter(widths).most_common(1)[0][0] if widths else 0


def _evenness(widths: Sequence[int]) -> float:
    """What share of the rows is as wide as most are; 0 when most have one cell only."""
    usual = _usual(widths)
    return widths.count(usual) / len(widths) if usual > 1 else 0.0
