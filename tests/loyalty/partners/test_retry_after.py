"""What ``Retry-After`` asks for."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.partners.retry_after import asked_to_wait
from tests.factories import NOW

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("0", timedelta(0)),
        (" 30 ", timedelta(seconds=30)),
        ("2.0", timedelta(seconds=2)),
        ("9" * 400, HOUR),
        ("Mon, 05 Jan 2015 06:02:00 GMT", timedelta(0)),
        ("Tue, 05 Jan 2077 06:02:00 GMT", HOUR),
        ("Tue, 05 Jan 2077 06:02:00 -0000", None),
        ("-5", None),
        ("nan", None),
        ("²", None),
        ("soon", None),
        ("", None),
    ],
)
def test_seconds_and_dates_within_reason(said: str, asked: timedelta | None) -> None:
    assert asked_to_wait(said, NOW, at_most=HOUR) == asked


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d\d? [A-Z][a-z]{2} \d{1,5} \d\d:\d\d(:\d\d)? ([+-]\d{4}|GMT)"))
def test_whatever_is_said_is_waited_for_within_reason_or_means_nothing(said: str) -> None:
    asked = asked_to_wait(said, NOW, at_most=HOUR)
    assert asked is None or timedelta(0) <= asked <= HOUR
