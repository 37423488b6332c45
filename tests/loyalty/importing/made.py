"""Spreadsheets made for tests, part by part: also such as no spreadsheet program would write."""

import zipfile
from io import BytesIO
from typing import Final

_RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WORKBOOK: Final = (
    f'<workbook xmlns:r="{_RELATIONS}"><sheets><sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
RELATIONS: Final = (
    f'<Relationships><Relationship Id="rId1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_RELATIONS}/sharedStrings" Target="sharedStrings.xml"/>'
    f'<Relationship Id="rId3" Type="{_RELATIONS}/styles" Target="styles.xml"/></Relationships>'
)


def made_xlsx(sheet: str | bytes, *, strings: str = "", styles: str = "", workbook: str = WORKBOOK) -> BytesIO:
    """A package with this sheet; ``sheet`` is what stands within ``worksheet``, as bytes the whole part."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/workbook.xml", workbook)
        package.writestr("xl/_rels/workbook.xml.rels", RELATIONS)
        package.writestr(
            "xl/worksheets/sheet1.xml", sheet if isinstance(sheet, bytes) else f"<worksheet>{sheet}</worksheet>"
        )
        if strings:
            package.writestr("xl/sharedStrings.xml", f"<sst>{strings}</sst>")
        if styles:
            package.writestr("xl/styles.xml", f"<styleSheet>{styles}</styleSheet>")
    file.seek(0)
    return file


def rows_of(*rows: str) -> str:
    """Rows of a sheet, each from its cells."""
    return f"<sheetData>{''.join(f'<row>{cells}</row>' for cells in rows)}</sheetData>"


def said(*texts: str) -> str:
    """Cells with texts of their own."""
    return "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in texts)
