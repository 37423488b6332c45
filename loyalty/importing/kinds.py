"""What kind of file it is, by its first bytes: a table, or something else that was given a table's name."""

from typing import BinaryIO, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.importing.tables import NotATable

CSV: Final = "csv"
XLSX: Final = "xlsx"
_ZIP: Final = b"PK\x03\x04"
_START: Final = 2048
_OTHERS: Final = (
    (b"%PDF", gettext_noop("This is a PDF. Ask the old system for CSV or Excel.")),
    (
        b"\xd0\xcf\x11\xe0",
        gettext_noop("This is an old Excel file (.xls), or one with a password. Save it as .xlsx without a password."),
    ),
    (b"\x1f\x8b", gettext_noop("This file is compressed. Unpack it, and upload what is in it.")),
    (b"Rar!", gettext_noop("This file is compressed. Unpack it, and upload what is in it.")),
    (b"7z\xbc\xaf", gettext_noop("This file is compressed. Unpack it, and upload what is in it.")),
    (b"\x89PNG", gettext_noop("This is a picture. Ask the old system for CSV or Excel.")),
    (b"\xff\xd8\xff", gettext_noop("This is a picture. Ask the old system for CSV or Excel.")),
    (b"{\\rtf", gettext_noop("This is a text document. Ask the old system for CSV or Excel.")),
)
_WEB_PAGE: Final = gettext_noop(
    "This is a web page, not a table: the old system may have shown an error or asked for a password. "
    "Sign in there, download the file again and open it to see whether it is a table."
)
_XML: Final = gettext_noop("This is XML. Open it in a spreadsheet and save it as .xlsx.")
_JSON: Final = gettext_noop("This is JSON. Ask the old system for CSV or Excel.")
_TEXTS: Final = (
    *((sign, _WEB_PAGE) for sign in (b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<table")),
    (b"<?xml", _XML),
    (b"{", _JSON),
    (b"[{", _JSON),
)


def kind_of(file: BinaryIO) -> str:
    """``csv`` or ``xlsx``. Raises NotATable for an empty file and for what is known to be something else."""
    file.seek(0)
    start = file.read(_START)
    file.seek(0)
    if not start.strip(b"\x00\xef\xbb\xbf\xff\xfe \t\r\n"):
        raise NotATable.at("/file", _("The file is empty."))
    for sign, words in _OTHERS:
        if start.startswith(sign):
            raise NotATable.at("/file", _(words))
    if start.startswith(_ZIP):
        return XLSX
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for sign, words in _TEXTS:
        if text.startswith(sign):
            raise NotATable.at("/file", _(words))
    return CSV
