"""XML within a spreadsheet, read piece by piece: no entities, no document types, no tag without an end."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, Final
from xml.parsers import expat

from django.utils.translation import gettext as _

from loyalty.importing.tables import NotATable

_PIECE: Final = 1 << 16
# A single tag with its attributes is never that long; a text comes in pieces.
_LONGEST_TAG: Final = 1 << 20

Attributes = dict[str, str]


def read_xml(
    part: BinaryIO,
    *,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None],
    text: Callable[[str], None],
) -> Iterator[None]:
    """Call back for what is in the part, and yield after each piece of it; names come without their namespace.

    Raises NotATable for what no spreadsheet writes. Reading can stop anywhere.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def begin(name: str, attributes: Attributes) -> None:
        # Hardly any program writes namespaces before names; all of a part has them, or none of it.
        if ":" in name:
            parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
            parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
        else:
            parser.StartElementHandler, parser.EndElementHandler = start, end
        start(name.rpartition(":")[2], attributes)

    parser.StartElementHandler = begin
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    fed = 0
    try:
        while piece := part.read(_PIECE):
            parser.Parse(piece, False)
            fed += len(piece)
            if fed - max(parser.CurrentByteIndex, 0) > _LONGEST_TAG:
                raise damaged()
            yield
        parser.Parse(b"", True)
        yield
    except expat.ExpatError as error:
        raise damaged() from error


def damaged() -> NotATable:
    """The refusal of a spreadsheet that broke off on its way or was made by nothing that makes spreadsheets."""
    return NotATable.at(
        "/file",
        _("The Excel file is damaged or was cut off. Open it in a spreadsheet, save it again as .xlsx and send that."),
    )


def _refuse_doctype(*_names: object) -> None:
    raise damaged()
