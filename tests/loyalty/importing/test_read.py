"""Files as tables: rows with their numbers, what is wrong with a row, and files that are no tables at all."""

import csv
import re
import tracemalloc
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from io import BytesIO, StringIO
from itertools import chain

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.importing import read, xlsx_package
from loyalty.importing.look import first_texts, look_at
from loyalty.importing.read import letter_of, read_table
from loyalty.importing.tables import BadCell, Cell, Fault, FileShape, NotATable, TableRow
from tests.loyalty.importing.made import WORKBOOK, made_xlsx, rows_of, said

CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffd=\uff1d"), max_size=8)

# Spreadsheets know no time zones.
LAST_DAY = datetime.fromisoformat("2026-12-31")
MORNING = datetime.fromisoformat("2026-04-03")
NOON = datetime.fromisoformat("2026-04-03T12:00")


def table(content: bytes | str | BytesIO, **chosen: str) -> tuple[tuple[str, ...], list[TableRow]]:
    file = (
        content if isinstance(content, BytesIO) else BytesIO(content.encode() if isinstance(content, str) else content)
    )
    found = read_table(file, look_at(file, chosen).shape)
    return found.headings, list(found.rows)


def cells(content: bytes | str | BytesIO) -> list[tuple[Cell, ...]]:
    return [row.cells for row in table(content)[1]]


def test_rows_have_the_numbers_that_a_spreadsheet_shows() -> None:
    headings, rows = table('email,note\n\na@b.example,"one\ntwo"\nc@d.example,x\n')
    assert headings == ("email", "note")
    assert [(row.number, row.cells[1]) for row in rows] == [(3, "one\ntwo"), (4, "x")]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_separators_are_told_by_even_rows(separator: str, codec: str) -> None:
    lines = ["Name", "Betrag", "Bis"], ["Müller, Jürgen", "1,50", "a;b"], ["Ana", "2,50", ""], ["Zoë", "3", "|"]
    out = StringIO()
    csv.writer(out, delimiter=separator).writerows(lines)
    headings, rows = table(out.getvalue().encode(codec))
    assert [headings, *(row.cells for row in rows)] == [tuple(line) for line in lines]


def test_a_separator_that_excel_names_counts() -> None:
    headings, rows = table("sep=;\nemail;points\na@b.example;5\n")
    assert (headings, rows[0].number) == (("email", "points"), 3)


def test_a_separator_is_asked_about_when_two_fit() -> None:
    look = look_at(BytesIO(b"a,b;c\n1,2;3\n4,5;6\n"), {})
    assert not look.guesses["separator"].certain
    assert look_at(BytesIO(b"a,b;c\n1,2;3\n"), {"separator": ";"}).headings == ("a,b", "c")


def test_it_is_said_what_tells_the_separator() -> None:
    for content, words in ((b"a,b\n", "The only row has 2"), (b"a,b\n1,2\n", "The first 2 rows have 2")):
        assert look_at(BytesIO(content), {}).guesses["separator"].why.startswith(words)


def test_titles_above_the_columns_names_are_passed_over() -> None:
    headings, rows = table("Points report,,\nMade on 2026-11-29,,\nEmail,Name,Points\na@b.example,Ana,5\n")
    assert headings == ("Email", "Name", "Points")
    assert rows[0].number == 4


def test_columns_without_a_name_and_with_a_name_twice_can_be_told_apart() -> None:
    assert table("Email,Points,,Points,Points (2)\na,1,2,3,4\n")[0] == (
        "Email", "Points", "Column C", "Points (2)", "Points (2) (2)",
    )  # fmt: skip
    assert [letter_of(place) for place in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("a,1", Fault.TOO_FEW_CELLS),
        ("a,1,x,y", Fault.TOO_MANY_CELLS),
        ('"a"b,1,x', Fault.QUOTATION),
        ("a,1,x,", None),
    ],
)
def test_a_ragged_row_says_so_and_the_next_is_read(line: str, fault: Fault | None) -> None:
    _headings, rows = table(f"email,points,name\na,1,b\n{line}\nz,2,c\n")
    assert rows[1].fault == fault
    assert rows[1].number == 3
    assert rows[2].cells == ("z", "2", "c")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("=1+1", Fault.FORMULA),
        ("=cmd|' /C calc'!A0", Fault.FORMULA),
        ("+cmd|' /C calc'!A0", Fault.FORMULA),
        ("@SUM(1)|x!A0", Fault.FORMULA),
        ("\uff1d1+1", Fault.FORMULA),
        ("x" * 40_000, Fault.TOO_LONG),
        ("a\x00b", Fault.HOLDS_NUL),
        ("a\ufffdb", Fault.UNREADABLE),
    ],
)
def test_nothing_is_taken_from_a_bad_cell(text: str, fault: Fault) -> None:
    file = BytesIO(("email,name\n" + "a@b.example,Ana\n" * 300 + f"b@b.example,{text}\n").encode())
    bad = list(read_table(file, FileShape("csv")).rows)[-1].cells[1]
    assert isinstance(bad, BadCell)
    assert bad.fault is fault
    assert len(bad) < 70


@pytest.mark.parametrize(
    "text", ["-5", "+886 912 345 678", "@ana", "'+886", "'9013808660771", "'t Hooft", '="0912345678"', "50% off!"]
)
def test_what_only_begins_like_a_formula_is_taken(text: str) -> None:
    out = StringIO()
    csv.writer(out).writerows([["email", "phone"], ["a", text]])
    cell = next(read_table(BytesIO(out.getvalue().encode()), FileShape("csv")).rows).cells[1]
    assert cell == (text if text == "'t Hooft" else text.removeprefix("'").removeprefix("=").strip('"'))
    assert not isinstance(cell, BadCell)


def test_a_quotation_mark_that_is_not_closed_is_named_with_its_line() -> None:
    with pytest.raises(NotATable, match="line 3"):
        table('email,name\na,b\nc,"d\ne,f\ng,h\n')


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \n\n", "empty"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"<!DOCTYPE html><html><body>Please sign in", "web page"),
        (b"\n <html>", "web page"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old Excel"),
        (b"\x1f\x8b\x08", "compressed"),
        (b'{"customers": []}', "JSON"),
        (b"<?xml version='1.0'?>", "XML"),
        (b"\x89PNG\r\n", "picture"),
        (b"a,b\n\x00\x01\x02\x03", "neither text"),
        (b"PK\x03\x04broken", "damaged"),
        (b"x" * 3_000_000, "Line 1 has more than 1,000,000 characters"),
    ],
)
def test_a_file_that_is_something_else_is_told_what_it_is(content: bytes, words: str) -> None:
    with pytest.raises(NotATable, match=words):
        table(content)


def test_a_table_with_names_of_columns_alone_has_no_rows() -> None:
    assert table("email,points\n") == (("email", "points"), [])


def test_more_than_a_million_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MOST_ROWS", 3)
    with pytest.raises(NotATable, match="more than 3 rows"):
        table("email,points\n" + "a,1\n" * 4)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6))
def test_whatever_is_written_as_csv_is_read_back(lines: list[list[str]]) -> None:
    out = StringIO()
    csv.writer(out).writerows([["first", "second", "third"], *lines])
    found = [row.cells for row in read_table(BytesIO(out.getvalue().encode()), FileShape("csv")).rows]
    kept = [tuple(cell.strip() for cell in line) for line in lines]
    kept = [tuple(cell[1:] if re.match("'[-+@0-9]", cell) else cell for cell in line) for line in kept]
    assert [tuple(map(str, row)) for row in found] == [line for line in kept if any(line)] or any(
        "|" in cell for line in lines for cell in line
    )


@given(st.binary(max_size=400))
def test_any_bytes_are_a_table_or_refused(content: bytes) -> None:
    with suppress(NotATable):
        assert table(content)[0]


def test_an_excel_file_is_read_as_openpyxl_writes_it() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Email", "Points", "Until", "Member", "Share"])
    sheet.append(["a@b.example", 12.5, LAST_DAY, True, 0.5])
    sheet.append([None, 0.1 + 0.2, None, None, None])
    sheet["E2"].number_format = "0.00%"
    file = BytesIO()
    book.save(file)
    headings, rows = table(file)
    assert headings == ("Email", "Points", "Until", "Member", "Share")
    assert rows[0].cells == ("a@b.example", Decimal("12.5"), LAST_DAY, "TRUE", "50%")
    assert rows[1].cells == ("", Decimal("0.3"), "", "", "")


def test_a_formula_and_an_error_in_excel_are_named() -> None:
    sheet = rows_of(said("a", "b"), '<c><f>1+1</f><v>2</v></c><c t="e"><v>#REF!</v></c>')
    first, second = cells(made_xlsx(sheet))[0]
    assert isinstance(first, BadCell)
    assert isinstance(second, BadCell)
    assert (first.fault, second.fault) == (Fault.FORMULA, Fault.SPREADSHEET_ERROR)


def test_a_formula_that_no_spreadsheet_has_worked_out_yet_is_no_empty_cell() -> None:
    (formula, empty) = cells(made_xlsx(rows_of(said("a", "b"), "<c><f>10+5</f><v></v></c><c></c>")))[0]
    assert isinstance(formula, BadCell)
    assert (formula.fault, empty) == (Fault.FORMULA, "")


def test_how_a_japanese_text_is_pronounced_is_no_part_of_it() -> None:
    strings = "<si><r><t>佐藤</t></r><r><t>花子</t></r><rPh><t>サトウ</t></rPh></si><si><t>b</t></si>"
    sheet = rows_of('<c t="s"><v>1</v></c><c t="s"><v>0</v></c>', '<c t="s"><v>0</v></c><c t="s"><v>1</v></c>')
    assert cells(made_xlsx(sheet, strings=strings)) == [("佐藤花子", "b")]


@pytest.mark.parametrize(
    ("form", "value", "cell"),
    [
        ("yyyy-mm-dd", "46115", MORNING),
        ('[$-404]e"年"m"月"d"日"', "46115.5", NOON),
        ('"paid" 0.00', "46115", Decimal(46115)),
        ("[Red]#,##0", "5", Decimal(5)),
        ("0%", "0.25", "25%"),
    ],
)
def test_what_a_number_means_is_its_format(form: str, value: str, cell: Cell) -> None:
    formats = f"<numFmts><numFmt numFmtId='200' formatCode='{form}'/></numFmts>"
    styles = f"{formats}<cellXfs><xf numFmtId='0'/><xf numFmtId='200'/></cellXfs>"
    sheet = rows_of(said("a"), f'<c s="1"><v>{value}</v></c>')
    assert cells(made_xlsx(sheet, styles=styles)) == [(cell,)]


def test_cells_that_are_merged_below_the_names_are_named() -> None:
    merged = '<mergeCells><mergeCell ref="A1:B1"/><mergeCell ref="A2:A3"/></mergeCells>'
    with pytest.raises(NotATable, match="A2:A3"):
        table(made_xlsx(rows_of(said("a", "b"), said("1", "2")) + merged))


def test_several_sheets_are_asked_about() -> None:
    book = openpyxl.Workbook()
    book.active.append(["Email"])
    book.create_sheet("Example").append(["Name"])
    file = BytesIO()
    book.save(file)
    guess = look_at(file, {}).guesses["sheet"]
    assert (guess.certain, guess.choices) == (False, ("Sheet", "Example"))
    assert look_at(file, {"sheet": "Example"}).headings == ("Name",)


def test_a_zip_bomb_costs_little_and_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_package, "_FREE", 1 << 20)
    bomb = made_xlsx(b"<worksheet><sheetData><row>" + said("a").encode() + b"</row>" + b"<row></row>" * 2_000_000)
    with pytest.raises(NotATable, match="unfolds"):
        table(bomb)


@pytest.mark.parametrize(
    "sheet",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet><sheetData><row><c><v>&a;</v></c></row></sheetData></worksheet>',
        b"<worksheet><sheetData><row><c",
        b'<worksheet><sheetData><row r="' + b"1" * 3_000_000,
        b"not xml",
        b'<worksheet><sheetData><row><c t="s"><v>99</v></c></row></sheetData></worksheet>',
    ],
    ids=["entities", "cut off", "a tag without an end", "no XML", "a text that is nowhere"],
)
def test_a_sheet_that_no_spreadsheet_wrote_is_refused(sheet: bytes) -> None:
    with pytest.raises(NotATable):
        table(made_xlsx(sheet, strings="<si><t>a</t></si>"))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_an_excel_file_that_was_cut_off_is_refused(share: float) -> None:
    whole = made_xlsx(rows_of(said("a"), said("b"))).getvalue()
    with pytest.raises(NotATable):
        table(whole[: int(len(whole) * share)])


def test_a_sheet_that_is_nowhere_is_refused() -> None:
    with pytest.raises(NotATable):
        table(made_xlsx(rows_of(said("a")), workbook=WORKBOOK.replace("rId1", "rId9")))


@given(st.binary(max_size=300))
def test_any_bytes_as_a_sheet_are_read_or_refused(sheet: bytes) -> None:
    with suppress(NotATable):
        assert table(made_xlsx(sheet))[0]


def test_a_large_file_is_read_in_little_memory() -> None:
    content = b"".join(chain([b"email,points\n"], (b"person%d@example.org,%d\n" % (at, at) for at in range(60_000))))
    file = BytesIO(content)
    tracemalloc.start()
    count = sum(1 for _row in read_table(file, FileShape("csv")).rows)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 60_000
    assert peak < 2_000_000


def test_texts_are_handed_out_with_their_rows_for_judging() -> None:
    file = BytesIO(b"email,until\na,03/04/2026\nb,\nc,05/06/2026\n")
    assert first_texts(file, FileShape("csv"), ["until", "nowhere"]) == {
        "until": [(2, "03/04/2026"), (4, "05/06/2026")]
    }
