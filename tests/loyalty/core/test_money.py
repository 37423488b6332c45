"""Facts about currencies and amounts as text."""

from decimal import Decimal

import pytest

from loyalty.core.money import format_amount, is_currency, quantise, unit_of


@pytest.mark.parametrize(
    ("currency", "unit"),
    [
        ("USD", "0.01"), ("EUR", "0.01"), ("TWD", "0.01"), ("HUF", "0.01"), ("RSD", "0.01"), ("LBP", "0.01"),
        ("JPY", "1"), ("KRW", "1"), ("VND", "1"), ("ISK", "1"), ("CLP", "1"),
        ("KWD", "0.001"), ("BHD", "0.001"), ("TND", "0.001"), ("IQD", "0.001"),
    ],
)  # fmt: skip
def test_the_unit_is_that_of_iso_4217(currency: str, unit: str) -> None:
    assert str(unit_of(currency)) == unit


@pytest.mark.parametrize("code", ["USD", "TWD", "XAF", "ZWG", "SLE", "XCG", "SVC"])
def test_current_codes_are_currencies(code: str) -> None:
    assert is_currency(code)


@pytest.mark.parametrize("code", ["", "usd", "XXX", "XTS", "XAU", "CNH", "BTC", "DEM", "HRK", "US", "USDT"])
def test_other_codes_are_not(code: str) -> None:
    assert not is_currency(code)
    with pytest.raises(ValueError, match="ISO 4217"):
        unit_of(code)


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("15", "USD", "15.00"), ("15.5000", "USD", "15.50"), ("-3", "EUR", "-3.00"), ("0", "USD", "0.00"),
        ("23600.00", "JPY", "23600"), ("1E+2", "JPY", "100"), ("1.5", "KWD", "1.500"),
    ],
)  # fmt: skip
def test_quantise_keeps_the_value(amount: str, currency: str, expected: str) -> None:
    assert str(quantise(Decimal(amount), currency)) == expected


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("0.005", "USD"), ("23600.5", "JPY"), ("1.0001", "KWD"), ("NaN", "USD"), ("Infinity", "USD"), ("1E+99", "USD")],
)
def test_quantise_refuses_what_it_would_have_to_round(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match=currency):
        quantise(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "expected"),
    [
        ("15", "USD", "en", "15.00 USD"),
        ("15", "USD", "de", "15,00 USD"),
        ("1234.5", "EUR", "de-DE", "1.234,50 EUR"),
        ("1234567.5", "INR", "en_IN", "12,34,567.50 INR"),
        ("23600", "JPY", "en", "23,600 JPY"),
        ("1.5", "KWD", "en", "1.500 KWD"),
        ("-5", "TWD", "zh-TW", "-5.00 TWD"),
        ("15", "USD", "zh-hant", "15.00 USD"),
        ("15", "USD", "xx-not-a-locale", "15.00 USD"),
        ("15", "USD", "", "15.00 USD"),
    ],
)
def test_money_is_shown_with_its_code_behind_and_its_decimals(
    amount: str, currency: str, locale: str, expected: str
) -> None:
    assert format_amount(Decimal(amount), currency, locale) == expected
