"""Files that are safe to open in a spreadsheet: what stands in them, as a spreadsheet's own reader finds it."""

import csv
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.exporting import files
from loyalty.exporting.files import FORMULA_STARTS, csv_parts, write_xlsx
from loyalty.exporting.tables import Cell

FORMULAS = ['=HYPERLINK("http://x","y")', "+1", "-2+3", "@SUM(A1)", "\tx", "\rx", "\nx", "\uff1d1"]


def read_csv(*line: Cell) -> list[str]:
    text = "".join(csv_parts(["h"] * len(line), [line]))
    assert text[0] == "\ufeff"
    return list(csv.reader(StringIO(text[1:], newline="")))[1]


def sheets(*lines: Sequence[Cell], headings: tuple[str, ...] = ("One", "Two")) -> Any:
    file = BytesIO()
    write_xlsx(file, "Orders", headings, lines)
    file.seek(0)
    return openpyxl.load_workbook(file)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_begins_like_a_formula_is_text_in_csv(text: str) -> None:
    assert read_csv(text) == [f"'{text}"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_begins_like_a_formula_is_text_in_xlsx(text: str) -> None:
    cell = sheets([text])["Orders"]["A2"]
    assert cell.data_type != "f"
    assert cell.data_type in {"s", "inlineStr"}
    assert str(cell.value).replace("_x000D_", "\r") == text


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30))
def test_no_text_in_csv_begins_like_a_formula(text: str) -> None:
    (cell,) = read_csv(text)
    assert not cell.startswith(FORMULA_STARTS)
    assert cell.removeprefix("'") == text.removeprefix("'")


def test_negative_numbers_stay_numbers() -> None:
    assert read_csv(Decimal("-5.00"), -3) == ["-5.00", "-3"]
    row = sheets([Decimal("-5.00"), -3])["Orders"][2]
    assert [(cell.value, cell.data_type) for cell in row] == [(-5, "n"), (-3, "n")]


def test_amounts_are_numbers_with_their_currencys_decimals() -> None:
    assert read_csv(Decimal("1234.50"), Decimal(1000), Decimal("0.125")) == ["1234.50", "1000", "0.125"]
    row = sheets([Decimal("1234.50"), Decimal(1000), Decimal("0.125")])["Orders"][2]
    assert [(cell.value, cell.number_format) for cell in row] == [
        (1234.5, "#,##0.00"),
        (1000, "#,##0"),
        (0.125, "#,##0.000"),
    ]


def test_dates_and_moments_are_dates() -> None:
    moment, day = datetime(2026, 1, 5, 14, 3, 7), date(2026, 3, 20)  # noqa: DTZ001
    assert read_csv(moment, day, None) == ["2026-01-05 14:03:07", "2026-03-20", ""]
    row = sheets([moment, day, None], headings=("One", "Two", "Three"))["Orders"][2]
    assert [cell.value for cell in row[:2]] == [moment, datetime(2026, 3, 20)]  # noqa: DTZ001
    assert all(cell.is_date for cell in row[:2])
    assert sheets([date(1899, 1, 1)])["Orders"]["A2"].value == "1899-01-01"


def test_headings_stand_in_the_first_line_and_stay_in_sight() -> None:
    sheet = sheets(["a", "b"])["Orders"]
    assert [cell.value for cell in sheet[1]] == ["One", "Two"]
    assert sheet["A1"].font.bold
    assert sheet.freeze_panes == "A2"


def test_a_full_sheet_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ROWS_A_SHEET", 2)
    book = sheets(*([number] for number in range(5)))
    assert book.sheetnames == ["Orders", "Orders 2", "Orders 3"]
    values = [[cell.value for cell in sheet["A"]] for sheet in book]
    assert values == [["One", 0, 1], ["One", 2, 3], ["One", 4]]


def test_a_text_that_is_too_long_for_a_cell_is_cut() -> None:
    assert len(str(sheets(["x" * 40_000])["Orders"]["A2"].value)) == 32_767


def test_an_empty_list_is_its_headings() -> None:
    assert "".join(csv_parts(["One", "Two"], [])) == "\ufeffOne,Two\r\n"
    assert [[cell.value for cell in row] for row in sheets()["Orders"]] == [["One", "Two"]]
