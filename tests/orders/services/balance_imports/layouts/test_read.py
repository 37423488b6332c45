"""Rows of files that people made: read by a chosen layout, what cannot be read named with its column."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from itertools import islice
from typing import Any

import openpyxl
import pytest

from loyalty.stores.models import Store
from orders.services.balance_imports.layouts.fields import FIELDS, NAMES
from orders.services.balance_imports.layouts.layout import Layout
from orders.services.balance_imports.layouts.read import read_rows
from orders.services.balance_imports.layouts.suggest import suggest
from orders.services.balance_imports.problems import READING
from orders.services.balance_imports.rows import Lot, NotReadable, OpenCode, PastMovement, PastType, Problem, Row
from tests.loyalty.importing.made import made_xlsx, rows_of, said

STORE = Store(slug="tea", name="Tea", currency="EUR", time_zone="Europe/Berlin")


def read(text: str | bytes | BytesIO, **forms: str) -> list[Row]:
    file = text if isinstance(text, BytesIO) else BytesIO(text.encode() if isinstance(text, str) else text)
    layout: dict[str, Any] = suggest(file, forms, STORE).layout.to_json() if forms else {}
    return list(read_rows(file, layout, STORE))


def problems(text: str | BytesIO, **forms: str) -> list[tuple[str, str, str]]:
    return [(problem.code, problem.column, problem.value) for row in read(text, **forms) for problem in row.problems]


def test_the_words_of_this_house_need_no_layout() -> None:
    rows = read(
        "external_id,email,name,kind,amount,currency,granted_on,expires_on,origin,reason,reference\n"
        "7,ana@shop.example,Ana,credits,12.50,USD,2026-01-05,2027-01-05,Shop,Moved,A1\n"
        "8,,Ben,points,100,,,,,,\n"
        "9,cleo@shop.example,Cleo,,,,,,,,\n"
    )
    assert rows[0].lots == (
        Lot("credits", Decimal("12.50"), "USD", date(2026, 1, 5), date(2027, 1, 5), "Shop", "Moved", "A1"),
    )
    assert rows[1].lots == (Lot("points", Decimal(100)),)
    assert rows[2].lots == ()
    assert [row.person.external_id for row in rows] == ["7", "8", "9"]


def test_the_old_history_is_read_with_its_instants() -> None:
    rows = read(
        "email,kind,amount,past_type,past_at,reference\n"
        "a@b.example,points,50,earned,2025-03-01 10:00,h1\n"
        "a@b.example,points,-20,Redeemed,2025-04-01T10:00:00Z,h2\n"
    )
    assert rows[0].past == (
        PastMovement("points", PastType.GRANTED, Decimal(50), datetime(2025, 3, 1, 9, tzinfo=UTC), reference="h1"),
    )
    assert rows[1].past[0].type is PastType.SPENT


def test_an_open_code_is_worth_money_or_a_percentage() -> None:
    rows = read("email,code,points,value,redeemed_on\na@b.example,SAVE5,100,5.00,2026-10-01\nb@b.example,TEN,50,10%,\n")
    assert rows[0].codes == (OpenCode("SAVE5", Decimal(100), Decimal("5.00"), "EUR", date(2026, 10, 1)),)
    assert rows[1].codes == (OpenCode("TEN", Decimal(50), Decimal(10)),)
    assert rows[0].lots == ()


def test_decimal_commas_and_days_are_read_as_detected() -> None:
    rows = read("E-Mail;Guthaben;Gültig bis\na@b.example;1.234,50 €;25.04.2027\nb@b.example;7;nie\n")
    assert [row.lots[0].amount for row in rows] == [Decimal("1234.50"), Decimal(7)]
    assert [row.lots[0].expires_on for row in rows] == [date(2027, 4, 25), None]


def test_what_can_be_read_in_two_ways_is_asked_and_never_guessed() -> None:
    text = "email,points,expires on\na@b.example,1.234,03/04/2027\n"
    assert suggest(BytesIO(text.encode()), {}, STORE).asked == {"decimal_mark", "day_order"}
    with pytest.raises(NotReadable, match="mark before decimals, order of day and month"):
        read(text)
    lot = read(text, decimal_mark=",", day_order="month")[0].lots[0]
    assert (lot.amount, lot.expires_on) == (Decimal(1234), date(2027, 3, 4))
    lot = read(text, decimal_mark=".", day_order="day")[0].lots[0]
    assert (lot.amount, lot.expires_on) == (Decimal("1.234"), date(2027, 4, 3))


def test_an_answer_that_a_row_contradicts_is_that_rows_problem() -> None:
    text = "email,points,expires on\na@b.example,5,03/04/2027\nb@b.example,5,04/25/2027\n"
    assert problems(text, day_order="day") == [("no-day", "expires on", "04/25/2027")]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("a@b.example,many,", ("no-number", "points", "many")),
        ("a@b.example,=1+1,", ("formula", "points", "=1+1")),
        ("a@b.example,=cmd|' /C calc'!A0,", ("formula", "points", "=cmd|' /C calc'!A0")),
        ("a@b.example,50%,", ("no-number", "points", "50%")),
        ("a@b.example,5,soon", ("no-day", "expires on", "soon")),
        ("a@b.example,5", ("too-few-cells", "", "a@b.example, 5, ")),
        ("a@b.example,5,,x", ("columns", "", "a@b.example, 5, ")),
        ('a@b.example,"5"x,', ("quotation", "", "")),
        ("a\x00@b.example,5,", ("not-storable", "email", "a\ufffd@b.example")),
    ],
)
def test_what_cannot_be_read_is_named_with_its_column(line: str, problem: tuple[str, str, str]) -> None:
    text = f"email,points,expires on\nx@y.example,1,2027-01-01\n{line}\n"
    file = BytesIO(text.encode())
    layout = {"shape": {"kind": "csv"}, "columns": {"email": "email", "points": "points", "expires_on": "expires on"}}
    rows = list(read_rows(file, layout, STORE))
    assert rows[0].problems == ()
    assert [(one.code, one.column, one.value) for one in rows[1].problems] == [problem]
    assert problem[0] in READING


def test_a_bad_cell_in_a_column_that_nobody_chose_is_nothing() -> None:
    assert problems("email,points,remark\na@b.example,5,=1+1\n") == []


def test_numbers_that_a_spreadsheet_has_cut_name_nobody() -> None:
    """Many numbers are 1.23457E+11 then: their people would be one, and get what all of them have."""
    rows = "1.23457E+11;;5;;;;\n2;;5;1,2E+12;;;\n3;;5;;9E+10;5;\n4E+5x;;5;;;;\n5;;5;;;;8.86912E+11\n"
    text = f"external_id;email;points;reference;code;value;phone\n{rows}"
    assert problems(text) == [
        ("cut", "external_id", "1.23457E+11"), ("cut", "reference", "1,2E+12"), ("cut", "code", "9E+10"),
        ("cut", "phone", "8.86912E+11"),
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["Total", "TOTAL:", "Grand total", "Summe", "合計", "总计\N{FULLWIDTH COLON}"])
def test_a_row_that_adds_up_the_others_is_nobody(word: str) -> None:
    """By its number it would be one more customer, with what all others have together; with an address it is one."""
    text = f"external_id,email,points\n7,,5\n{word},,5\n{word},,5\n{word},a@b.example,6\n"
    assert problems(text) == [("sum", "external_id", word)] * 2


def test_numbers_longer_than_a_spreadsheet_counts_name_nobody() -> None:
    """It keeps fifteen digits of them and writes noughts behind: 6123412341234567890 and …891 would be one person."""
    book = openpyxl.Workbook()
    book.active.append(["external_id", "points", "reference"])
    for number, reference in ((6123412341234567890, "a"), (999999999999999, "b"), (1, 1234567890123456), (10**15, "c")):
        book.active.append([number, 5, reference])
    file = BytesIO()
    book.save(file)
    columns = {name: name for name in ("external_id", "points", "reference")}
    rows = list(read_rows(file, {"shape": {"kind": "xlsx"}, "columns": columns}, STORE))
    assert [[(one.code, one.column) for one in row.problems] for row in rows] == [
        [("cut", "external_id")], [], [("cut", "reference")], [("cut", "external_id")],
    ]  # fmt: skip
    assert rows[1].person.external_id == "999999999999999"


def test_columns_of_other_languages_are_not_left_out_silently() -> None:
    text = "會員編號,購物金餘額,點數餘額,到期日期\n1,5,6,2027-01-02\n"
    assert [(lot.kind, lot.expires_on) for lot in read(text)[0].lots] == [
        ("points", date(2027, 1, 2)), ("credits", date(2027, 1, 2)),
    ]  # fmt: skip
    assert read("メール;ポイント残高;失効日\nx@b.example;5;2027/1/2\n")[0].lots[0].expires_on == date(2027, 1, 2)


def test_an_excel_file_says_its_days_and_numbers_itself() -> None:
    book = openpyxl.Workbook()
    book.active.append(["Email", "Points", "Expires on", "Phone"])
    book.active.append(["a@b.example", 1234.0, datetime.fromisoformat("2027-04-03"), 886912345678])
    file = BytesIO()
    book.save(file)
    (row,) = read(file)
    assert row.lots == (Lot("points", Decimal(1234), expires_on=date(2027, 4, 3)),)
    assert row.person.phone == "886912345678"


def test_a_formula_in_excel_is_named() -> None:
    file = made_xlsx(rows_of(said("email", "points"), said("a@b.example") + "<c><f>1+1</f><v>2</v></c>"))
    assert problems(file) == [("formula", "points", "2")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("<html>please sign in</html>", "web page"),
        ("name,colour\nAna,red\n", "No column says who"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(text: str, words: str) -> None:
    with pytest.raises(NotReadable, match=words):
        read(text)


def test_a_layout_for_another_file_says_which_column_is_missing() -> None:
    layout = Layout.from_json({"shape": {"kind": "csv"}, "columns": {"email": "email", "points": "Balance"}}).to_json()
    with pytest.raises(NotReadable, match="Balance"):
        list(read_rows(BytesIO(b"email,points\na@b.example,5\n"), layout, STORE))


def test_a_file_of_errors_alone_is_read_to_its_end() -> None:
    text = "email,points\n" + "a@b.example,many\n" * 20_000
    rows = read_rows(BytesIO(text.encode()), {}, STORE)
    assert [row.problems for row in islice(rows, 3)] == [(Problem("no-number", "points", "many"),)] * 3
    assert sum(1 for _row in rows) == 19_997


def test_a_layout_is_the_same_after_it_was_stored() -> None:
    layout = suggest(BytesIO(b"email;points\na@b.example;5\n"), {}, STORE).layout
    assert Layout.from_json(layout.to_json()) == layout


def test_every_name_means_a_field() -> None:
    assert set(NAMES.values()) <= FIELDS.keys()
