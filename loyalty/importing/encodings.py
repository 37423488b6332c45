"""Which encoding a text file is in: one of those that shops' systems write, told by what its bytes come to.

UTF-8 is proved by the whole file: chance hardly ever makes valid UTF-8. The old encodings accept nearly any bytes, so
they are weighed by how much of what they come to is text as people write it, and asked about when two are close.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from django.utils.translation import gettext as _

from loyalty.importing.tables import Guess, NotATable

UTF_8: Final = "utf-8"
UTF_16: Final = "utf-16"
BIG5: Final = "big5"
SHIFT_JIS: Final = "shift_jis"
WINDOWS_1252: Final = "windows-1252"
ENCODINGS: Final = {
    UTF_8: "UTF-8",
    UTF_16: "UTF-16",
    BIG5: "Big5",
    SHIFT_JIS: "Shift_JIS",
    WINDOWS_1252: "Windows-1252",
}
# What Python calls them: Windows' own forms, as Excel writes them; with Hong Kong's additions to Big5.
_CODECS: Final = {
    UTF_8: "utf-8-sig",
    BIG5: "big5hkscs",
    SHIFT_JIS: "cp932",
    WINDOWS_1252: "cp1252",
}
_OLD: Final = (BIG5, SHIFT_JIS, WINDOWS_1252)
# Read at once, and then to the end of the line.
_PIECE: Final = 1 << 20
_LONGEST_LINE: Final = 1 << 20
_MOST_LINES: Final = 400
_LONGEST_SAMPLE: Final = 2000
_ASCII: Final = 0x80
# Bytes of a letter that Big5 has beside ASCII.
_DOUBLE: Final = 2
_FIRST_LINES: Final = 4096
# How much of what the best encoding makes of the file must be text, and how far the next has to be behind.
_LIKELY: Final = 0.5
_CLOSE: Final = 0.75
_SHOWN: Final = 40
_BETWEEN_CELLS: Final = re.compile(r"[,;\t|\"]")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line with bytes beyond ASCII, and its number counted from 1."""

    number: int
    content: bytes


def codec_of(file: BinaryIO, encoding: str) -> str:
    """What Python calls the encoding for this file: UTF-16 without a mark says nowhere which byte comes first."""
    if encoding != UTF_16:
        return _CODECS.get(encoding, _CODECS[UTF_8])
    file.seek(0)
    start = file.read(_FIRST_LINES)
    file.seek(0)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-16-be" if start[::2].count(0) > start[1::2].count(0) else "utf-16-le"


def guess_encoding(file: BinaryIO) -> Guess:
    """The file's encoding. Raises NotATable when it is no text in any of the encodings that are known."""
    file.seek(0)
    start = file.read(_FIRST_LINES)
    if start.startswith(codecs.BOM_UTF8):
        return Guess(UTF_8, _("The file begins with the mark of UTF-8."))
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Guess(UTF_16, _("The file begins with the mark of UTF-16."))
    if _is_utf_16(start):
        return Guess(UTF_16, _("Every other byte is empty, as in UTF-16."))
    # One that strayed into a cell is that cell's fault.
    if start.count(0) and start.count(0) >= start.count(b"\n"):
        raise NotATable.at("/file", _("This is neither text nor an Excel file. Save it as CSV (UTF-8) or as .xlsx."))
    is_utf_8, lines = _scan(file)
    if not lines:
        return Guess(UTF_8, _("The file has plain letters only, which all encodings write alike."))
    if is_utf_8:
        return Guess(UTF_8, _("Line %(line)s is valid UTF-8: “%(text)s”.") % _shown(lines[0], UTF_8))
    return _old_encoding(lines)


def _is_utf_16(start: bytes) -> bool:
    """Whether zeros stand at every other place, as most letters have them in UTF-16."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    return max(even, odd) > len(start) // 4 and min(even, odd) == 0


def _scan(file: BinaryIO) -> tuple[bool, list[_Line]]:
    """Whether all of the file is UTF-8, and its first lines with bytes beyond ASCII; read by pieces."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf_8 = True
    found: list[_Line] = []
    number = 1
    while piece := file.read(_PIECE) + file.readline(_LONGEST_LINE):
        if len(found) < _MOST_LINES and not piece.isascii():
            found.extend(_beyond_ascii(piece, number, _MOST_LINES - len(found)))
        number += piece.count(b"\n")
        if is_utf_8:
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                is_utf_8 = False
        if not is_utf_8 and len(found) >= _MOST_LINES:
            return False, found
    # A file that breaks off within a letter is UTF-8 all the same; the row it breaks off in is told of later.
    breaks_off = bool(decoder.getstate()[0])
    return is_utf_8 and (not breaks_off or len(found) > 1), found


def _beyond_ascii(piece: bytes, number: int, most: int) -> Iterator[_Line]:
    for offset, line in enumerate(piece.split(b"\n")):
        if not line.isascii():
            yield _Line(number + offset, line.rstrip(b"\r")[:_LONGEST_SAMPLE])
            most -= 1
            if most <= 0:
                return


def _old_encoding(lines: list[_Line]) -> Guess:
    """The likeliest of the encodings before Unicode, and the others when they are close."""
    scores = sorted(((_score(lines, name), name) for name in _OLD), reverse=True)
    best, value = scores[0]
    if best <= 0:
        raise NotATable.at(
            "/file",
            _("Line %(line)s is not text in any encoding that is known here. Save the file as CSV (UTF-8).")
            % {"line": lines[0].number},
        )
    close = tuple(name for score, name in scores if score >= best * _CLOSE or score >= _LIKELY)
    certain = best >= _LIKELY and len(close) == 1
    choices = () if certain else tuple(name for score, name in scores if score > 0)
    line = _most_telling(lines)
    why = _("Line %(line)s reads “%(text)s” in %(encoding)s.") % {**_shown(line, value), "encoding": ENCODINGS[value]}
    return Guess(value, why, certain=certain, choices=choices)


def readings(file: BinaryIO, encodings: tuple[str, ...]) -> list[tuple[str, str]]:
    """How one and the same line reads in each of these encodings, for asking a person which one is right."""
    _is_utf_8, lines = _scan(file)
    return [(name, str(_shown(_most_telling(lines), name)["text"])) for name in encodings] if lines else []


def _most_telling(lines: list[_Line]) -> _Line:
    return max(lines, key=lambda line: sum(byte >= _ASCII for byte in line.content[:200]))


def _shown(line: _Line, encoding: str) -> dict[str, object]:
    """The line's number, and the first cell in it with a letter beyond ASCII."""
    text = line.content.decode(_CODECS[encoding], errors="replace")
    cells = _BETWEEN_CELLS.split(text)
    told = next((cell for cell in cells if not cell.isascii()), text).strip()
    return {"line": line.number, "text": told[:_SHOWN]}


def _score(lines: list[_Line], encoding: str) -> float:
    """From 0 to 1: how much of what is beyond ASCII comes to letters that people often write; 0 if it is no text."""
    total, good = 0, 0.0
    for line in lines:
        try:
            text = _decoded(line.content, _CODECS[encoding])
        except UnicodeDecodeError:
            return 0.0
        for before, letter, after in zip(f" {text}", text, f"{text[1:]} ", strict=False):
            if ord(letter) >= _ASCII:
                total += 1
                good += _WEIGHTS[encoding](before, letter, after)
    return max(good / total, 0.0) if total else 0.0


def _decoded(content: bytes, codec: str) -> str:
    """The text; what was cut in the middle of a letter, or broken off, loses that letter."""
    try:
        return content.decode(codec)
    except UnicodeDecodeError as error:
        if error.start >= len(content) - 1 and error.start > 0:
            return content[: error.start].decode(codec)
        raise


def _big5(_before: str, letter: str, _after: str) -> float:
    """Big5 has its 5,401 frequent characters first; names are written with little else."""
    if "\uff01" <= letter <= "\uff5e" or "\u3000" <= letter <= "\u301f":
        return 1.0
    code = letter.encode("big5hkscs", "replace")
    if len(code) != _DOUBLE:
        return 0.0
    return 1.0 if b"\xa4\x40" <= code <= b"\xc6\x7e" else 0.2


def _shift_jis(_before: str, letter: str, _after: str) -> float:
    """Kana are Japanese for certain; of its characters those of the first level are the frequent ones."""
    if "\u3040" <= letter <= "\u30ff" or "\uff01" <= letter <= "\uff5e" or "\u3000" <= letter <= "\u301f":
        return 1.0
    if "\uff61" <= letter <= "\uff9f":
        return 0.1
    code = letter.encode("cp932", "replace")
    return 0.9 if b"\x88\x9f" <= code <= b"\x98\x72" else 0.2


def _windows_1252(before: str, letter: str, after: str) -> float:
    """Accented letters stand among plain ones; bytes beyond ASCII in a row are some other encoding's."""
    beside = (ord(before) >= _ASCII) + (ord(after) >= _ASCII)
    if letter in "€£’\u2018“”–…":
        return 1.0 if not beside else 0.2
    return (1.0, 0.3, 0.0)[beside] if letter.isalpha() else (0.3, 0.1, 0.0)[beside]


_WEIGHTS: Final = {BIG5: _big5, SHIFT_JIS: _shift_jis, WINDOWS_1252: _windows_1252}
