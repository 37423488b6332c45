"""Amounts as people write them, and what is told of their decimal mark."""

from contextlib import suppress
from decimal import Decimal

import pytest
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from loyalty.importing.currencies import currency_of, guess_currency
from loyalty.importing.numbers import NotANumber, guess_decimal_mark, parse_number

AMOUNTS = st.decimals(min_value=-(10**11), max_value=10**11, places=2)


@pytest.mark.parametrize(
    ("text", "mark", "number"),
    [
        ("1,234.50", ".", "1234.50"),
        ("1.234,50", ",", "1234.50"),
        ("NT$1,234", ".", "1234"),
        ("$ 12.5", ".", "12.5"),
        ("12,5 €", ",", "12.5"),
        ("USD 7", ".", "7"),
        ("7 twd", ".", "7"),
        ("(1,000.00)", ".", "-1000.00"),
        ("-5", ".", "-5"),
        ("−5", ".", "-5"),
        ("-$5", ".", "-5"),
        ("$-5", ".", "-5"),
        ("5-", ".", "-5"),
        ("1,234.5".translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}), ".", "1234.5"),
        ("1'234.50", ".", "1234.50"),
        ("1 234,50", ",", "1234.50"),
        ("1\u202f234,50", ",", "1234.50"),
        ("100 點", ".", "100"),
        ("120 pts", ".", "120"),
        ("12,34,567", ".", "1234567"),
        (".5", ".", "0.5"),
        ("007", ".", "7"),
    ],
)
def test_an_amount_is_read_as_it_is_written(text: str, mark: str, number: str) -> None:
    assert parse_number(text, mark) == Decimal(number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "abc",
        "12,34",
        "1.2.3",
        "50%",
        "1e9",
        "1,234,56",
        "--5",
        "(-5)",
        "5 6a",
        "NaN",
        "Infinity",
        "1" * 99,
        "$",
    ],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(NotANumber):
        parse_number(text, ".")


@given(AMOUNTS, st.sampled_from(["en", "de", "fr", "de_CH", "zh_Hant_TW", "ja", "sv", "en_IN", "es"]))
def test_every_amount_that_is_formatted_for_people_is_read_back(amount: Decimal, locale: str) -> None:
    mark = "," if locale in {"de", "fr", "sv", "es"} else "."
    assert parse_number(format_decimal(amount, "#,##0.00", locale=locale), mark) == amount


@given(st.text(max_size=70), st.sampled_from([".", ","]))
def test_any_text_is_a_number_or_refused(text: str, mark: str) -> None:
    with suppress(NotANumber):
        assert parse_number(text, mark).is_finite()


def marked(*texts: str) -> tuple[str, bool]:
    guess = guess_decimal_mark(enumerate(texts, start=2))
    return guess.value, guess.certain


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (("10", "20"), (".", True)),
        (("1.234", "5.678"), ("", False)),
        (("1,234",), ("", False)),
        (("1,234", "1,5"), (",", True)),
        (("1.234", "1,234.00"), (".", True)),
        (("1.234.567",), (",", True)),
        (("0.500",), (".", True)),
        (("1.5", "2,5"), ("", False)),
    ],
)
def test_the_decimal_mark_is_told_by_what_only_one_reading_allows(
    texts: tuple[str, ...], told: tuple[str, bool]
) -> None:
    assert marked(*texts) == told


def test_the_row_that_decides_is_named() -> None:
    assert "Row 3" in guess_decimal_mark([(2, "1.234"), (3, "1.234,5")]).why
    assert "row 2" in guess_decimal_mark([(2, "1.234")]).why


@given(st.lists(AMOUNTS, min_size=1, max_size=9), st.sampled_from(["en", "de"]))
def test_a_mark_that_is_certain_is_right(amounts: list[Decimal], locale: str) -> None:
    guess = guess_decimal_mark(
        (number, format_decimal(amount, "#,##0.00", locale=locale)) for number, amount in enumerate(amounts)
    )
    assert guess.certain
    assert guess.value == (".,"[locale == "de"])


@pytest.mark.parametrize(
    ("text", "currencies"),
    [
        ("NT$100", ("TWD",)),
        ("US$5", ("USD",)),
        ("Amount (EUR)", ("EUR",)),
        ("12 €", ("EUR",)),
        ("RM 5", ("MYR",)),
        ("500円", ("JPY",)),
        ("購物金 (TWD)", ("TWD",)),
        ("Terms", ()),
        ("100", ()),
        ("100 pts", ()),
    ],
)
def test_a_currency_is_told_by_its_code_or_its_sign(text: str, currencies: tuple[str, ...]) -> None:
    assert currency_of(text) == currencies


def test_a_sign_that_several_currencies_share_is_asked_about() -> None:
    guess = guess_currency(["Balance"], [(2, "$5")], own="TWD")
    assert not guess.certain
    assert guess.value == "TWD"
    assert {"USD", "TWD", "HKD"} <= set(guess.choices)
    assert not guess_currency([], [(2, "€5"), (3, "£5")], own="EUR").certain


def test_the_stores_own_currency_where_the_file_names_none() -> None:
    guess = guess_currency(["Balance"], [(2, "5")], own="TWD")
    assert (guess.value, guess.certain) == ("TWD", True)
