"""Days as people write them, and what is told of which number is the month."""

from contextlib import suppress
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.importing.days import NotADay, UnclearDay, guess_day_order, parse_day, parse_moment

DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
DAY = date(2026, 4, 3)
# The same in the wide forms of Chinese and Japanese.
_WIDER = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
WIDE = "2026/04/03".translate(_WIDER)


@pytest.mark.parametrize(
    "text",
    [
        "2026-04-03",
        "2026/4/3",
        "2026.04.03",
        "20260403",
        "3 April 2026",
        "3 Apr 2026",
        "Apr 3, 2026",
        "April 3rd, 2026",
        "03-Apr-2026",
        "2026年4月3日",
        "民國115年4月3日",
        "115年4月3日",
        "115/04/03",
        WIDE,
        "2026-04-03 15:20",
        "2026-04-03T15:20:11Z",
        "2026-04-03 15:20:11.123 +08:00",
        "2026/4/3 下午 03:20:00",
        "2026-04-03 03:20 PM",
        "2026-04-03 15:20:11 UTC",
        "2026年4月3日下午3:20",
    ],
)
def test_a_day_that_says_its_order_needs_nobody(text: str) -> None:
    assert parse_day(text, "") == DAY


@pytest.mark.parametrize(("order", "day"), [("day", date(2026, 4, 3)), ("month", date(2026, 3, 4))])
def test_the_order_that_was_chosen_decides(order: str, day: date) -> None:
    assert parse_day("03/04/2026", order) == day
    assert parse_day("3.4.2026 08:00", order) == day


def test_nothing_is_guessed_where_nobody_chose() -> None:
    with pytest.raises(UnclearDay):
        parse_day("03/04/2026", "")
    with pytest.raises(UnclearDay):
        parse_day("26/04/03", "")
    assert parse_day("25/04/2026", "") == date(2026, 4, 25)
    assert parse_day("04/04/2026", "") == date(2026, 4, 4)


def test_a_year_of_two_digits_is_where_somebody_says() -> None:
    assert parse_day("26/04/03", "year") == date(2026, 4, 3)
    assert parse_day("26/04/03", "day") == date(2003, 4, 26)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("45291", date(2023, 12, 31)),
        ("46115".translate(_WIDER), date(2026, 4, 3)),
        ("46115.0", datetime.fromisoformat("2026-04-03T00:00")),
        ("46115,75", datetime.fromisoformat("2026-04-03T18:00")),
        ("46115.999999999", datetime.fromisoformat("2026-04-04T00:00")),
    ],
)
def test_a_spreadsheets_number_is_the_day_that_it_shows(text: str, day: date | datetime) -> None:
    assert parse_moment(text, "") == day


def test_what_a_spreadsheets_number_is_read_as_is_said() -> None:
    guess = guess_day_order([(2, "2026-01-31"), (3, "45291")])
    assert guess.certain
    assert "45291" in guess.why
    assert "2023-12-31" in guess.why


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "2026-13-01", "2026-02-30", "31/04/2026", "0", "1/1", "2026-04-03 25:00", "x" * 99),
        *("7", "9999", "123456", "29999", "70000", "45291.", "-45291"),
    ],
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(NotADay):
        parse_day(text, "day")


def test_a_moment_keeps_its_offset() -> None:
    eight = timezone(timedelta(hours=8))
    assert parse_moment("2026-04-03 15:20:11 +0800", "") == datetime(2026, 4, 3, 15, 20, 11, tzinfo=eight)
    assert parse_moment("2026-04-03 12:05 am", "") == datetime(2026, 4, 3, 0, 5)  # noqa: DTZ001


@given(DAYS)
def test_every_day_is_read_back_from_every_form(day: date) -> None:
    assert parse_day(day.isoformat(), "") == day
    assert parse_day(f"{day.day}/{day.month}/{day.year}", "day") == day
    assert parse_day(f"{day.month}/{day.day}/{day.year}", "month") == day
    assert parse_day(f"{day.year}年{day.month}月{day.day}日", "") == day
    assert parse_day(f"{day:%d %B %Y}", "") == day
    if day.year >= 2012:
        assert parse_day(f"{day.year - 1911}/{day.month}/{day.day}", "") == day


@given(st.text(max_size=70), st.sampled_from(["", "day", "month", "year"]))
def test_any_text_is_a_day_or_refused(text: str, order: str) -> None:
    with suppress(NotADay):
        assert parse_moment(text, order)


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (("03/04/2026", "01/02/2026"), ("", False)),
        (("03/04/2026", "25/04/2026"), ("day", True)),
        (("03/04/2026", "04/25/2026"), ("month", True)),
        (("25/04/2026", "04/25/2026"), ("", False)),
        (("2026-04-03",), ("", True)),
        (("04/04/2026",), ("", True)),
        (("26/04/03",), ("", False)),
        (("never",), ("", True)),
    ],
)
def test_the_order_is_told_by_what_can_be_no_month(texts: tuple[str, ...], told: tuple[str, bool]) -> None:
    guess = guess_day_order(enumerate(texts, start=2))
    assert (guess.value, guess.certain) == told


@given(st.lists(DAYS, min_size=1, max_size=9), st.sampled_from(["day", "month"]))
def test_an_order_that_is_certain_is_right(days: list[date], order: str) -> None:
    form = "{0.day}/{0.month}/{0.year}" if order == "day" else "{0.month}/{0.day}/{0.year}"
    texts = [form.format(day) for day in days]
    guess = guess_day_order(enumerate(texts))
    if guess.certain:
        assert [parse_day(text, guess.value) for text in texts] == days
