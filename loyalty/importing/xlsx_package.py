"""An XLSX file as the package it is: its sheets, its styles, its texts; nothing is believed that the package says.

A package of a few kilobytes can unfold to terabytes. Each part is read as a stream and counted, however large it is
said to be, so that a bomb costs a bounded amount of time and hardly any memory.
"""

import io
import os
import re
import struct
import tempfile
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, BinaryIO, Final, cast

from django.utils.translation import gettext as _

from loyalty.importing.days import FIRST_DAY_OF_SPREADSHEETS
from loyalty.importing.tables import NotATable
from loyalty.importing.xml_parts import Attributes, damaged, read_xml

_MOST_PARTS: Final = 5_000
_LONGEST_SMALL_PART: Final = 16 << 20
_LONGEST_PART: Final = 4 << 30
# Sheets of equal rows compress by some 100; deflate cannot do more than 1,032.
_MOST_UNFOLDED: Final = 400
_FREE: Final = 32 << 20
_DATE_FORMATS: Final = frozenset({*range(14, 23), *range(27, 37), *range(50, 59)})
_PERCENT_FORMATS: Final = frozenset({9, 10})
_NOT_SHOWN: Final = re.compile(r'"[^"]*"|\\.|_.|\[[^\]]*\]')
_OF_A_DATE: Final = re.compile(r"[ymd]", re.IGNORECASE)
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, KeyError, ValueError)
NUMBER: Final = "number"
DATE: Final = "date"
PERCENT: Final = "percent"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet by its name, and the part of the package that holds it."""

    name: str
    part: str
    is_hidden: bool = False


@dataclass(slots=True)
class Book:
    """What a workbook says of itself: its sheets, what its cells' styles mean, and the day that it counts from."""

    sheets: list[Sheet] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    first_day: datetime = FIRST_DAY_OF_SPREADSHEETS
    texts: str = ""


class _Counted(io.RawIOBase):
    """A part as a stream that ends in a refusal when it unfolds to more than any table."""

    def __init__(self, part: IO[bytes], packed: int) -> None:
        self._part = part
        self._left = min(_LONGEST_PART, _FREE + packed * _MOST_UNFOLDED)

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        piece = self._part.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise NotATable.at(
                "/file",
                _("The Excel file unfolds to far more than its size. Save the sheet as CSV (UTF-8) and send that."),
            )
        return piece


class Package:
    """The package around a workbook; opens its parts."""

    def __init__(self, file: BinaryIO) -> None:
        with _refused_when_broken():
            self._zip = zipfile.ZipFile(file)
        if len(self._zip.filelist) > _MOST_PARTS:
            raise damaged()
        self._parts = {info.filename.lower(): info for info in self._zip.filelist}
        if "xl/workbook.xml" not in self._parts:
            raise NotATable.at(
                "/file",
                _("This is a compressed file or some other document. Save the table as .xlsx or CSV, and send that."),
            )

    @contextmanager
    def part(self, name: str) -> Iterator[BinaryIO]:
        """A part of the package as a stream that is counted."""
        info = self._parts.get(name.lower())
        if info is None:
            raise damaged()
        with _refused_when_broken(), self._zip.open(info) as part:
            yield cast("BinaryIO", _Counted(part, info.compress_size))

    def has(self, name: str) -> bool:
        """Whether there is such a part."""
        return name.lower() in self._parts

    def read_small(self, name: str) -> Iterator[tuple[str, Attributes]]:
        """The elements of a part that is small in every spreadsheet, in order."""
        found: list[tuple[str, Attributes]] = []
        read = 0
        with self.part(name) as part:
            for _piece in read_xml(part, start=lambda *element: found.append(element), end=_ignore, text=_ignore):
                read += 1
                yield from found
                found.clear()
                if read << 16 > _LONGEST_SMALL_PART:
                    raise damaged()


def _ignore(_said: str) -> None:
    """Nothing."""


@contextmanager
def _refused_when_broken() -> Iterator[None]:
    """What zipfile raises for a package that is damaged, cut off, has a password or is packed in an odd way."""
    try:
        yield
    except NotATable:
        raise
    except _BROKEN as error:
        raise damaged() from error


def read_book(package: Package) -> Book:
    """The workbook's sheets and styles."""
    book = Book()
    targets: dict[str, str] = {}
    for name, attributes in package.read_small("xl/_rels/workbook.xml.rels"):
        if name == "Relationship":
            path = _path(attributes.get("Target", ""))
            targets[attributes.get("Id", "")] = path
            if attributes.get("Type", "").endswith("/sharedStrings"):
                book.texts = path
            elif attributes.get("Type", "").endswith("/styles"):
                book.styles = _styles(package, path)
    for name, attributes in package.read_small("xl/workbook.xml"):
        if name == "workbookPr" and attributes.get("date1904", "0").lower() in {"1", "true"}:
            book.first_day = datetime(1904, 1, 1)  # noqa: DTZ001
        elif name == "sheet":
            key = next((value for said, value in attributes.items() if said.rpartition(":")[2] == "id"), "")
            part = targets.get(key, "")
            if package.has(part):
                book.sheets.append(
                    Sheet(attributes.get("name", ""), part, attributes.get("state", "").endswith("idden"))
                )
    if not book.sheets:
        raise damaged()
    return book


def _path(target: str) -> str:
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target.removeprefix('./')}"


def _styles(package: Package, path: str) -> list[str]:
    """For each style of cells whether its numbers are dates or percentages."""
    if not package.has(path):
        return []
    own: dict[int, str] = {}
    found: list[str] = []
    within = False
    for name, attributes in package.read_small(path):
        if name == "numFmt":
            own[_whole(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
        elif name in {"cellXfs", "cellStyles", "dxfs"}:
            within = name == "cellXfs"
        elif name == "xf" and within:
            found.append(_meaning(_whole(attributes.get("numFmtId")), own))
    return found


def _meaning(number: int, own: dict[int, str]) -> str:
    if number in own:
        shown = _NOT_SHOWN.sub("", own[number].split(";")[0])
        if "%" in shown:
            return PERCENT
        return DATE if _OF_A_DATE.search(shown) and "general" not in shown.lower() else NUMBER
    if number in _DATE_FORMATS:
        return DATE
    return PERCENT if number in _PERCENT_FORMATS else NUMBER


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0


class Texts:
    """The workbook's texts, which its cells name by number: read as far as they are asked for, and kept on disk."""

    def __init__(self, part: BinaryIO | None) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with the rows that need it
        self._begins = array("Q", [0])
        # What has been read since it was last written down.
        self._latest: list[bytes] = []
        self._said: list[str] = []
        self._is_said = False
        self._depth_of_hints = 0
        self._pieces = read_xml(part, start=self._start, end=self._end, text=self._text) if part else iter(())

    def close(self) -> None:
        """Forget the texts."""
        self._file.close()

    def __getitem__(self, number: int) -> str:
        while number + 1 >= len(self._begins):
            if next(self._pieces, self) is self:
                raise damaged()
            self._file.write(b"".join(self._latest))
            self._latest.clear()
        begin = self._begins[number]
        return os.pread(self._file.fileno(), self._begins[number + 1] - begin, begin).decode("utf-8", "surrogatepass")

    def _start(self, name: str, _attributes: Attributes) -> None:
        if name == "rPh":  # How Japanese texts are pronounced; no part of them.
            self._depth_of_hints += 1
        self._is_said = name == "t" and not self._depth_of_hints

    def _text(self, said: str) -> None:
        if self._is_said:
            self._said.append(said)

    def _end(self, name: str) -> None:
        self._is_said = False
        if name == "rPh":
            self._depth_of_hints -= 1
        elif name == "si":
            text = "".join(self._said).encode("utf-8", "surrogatepass")
            self._latest.append(text)
            self._begins.append(self._begins[-1] + len(text))
            self._said.clear()
