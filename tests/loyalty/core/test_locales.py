"""Locales are read in one way, and lead to the languages that the product speaks (T4)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.utils.translation import override

from loyalty.core.locales import is_locale, language_for, language_of, language_wanted, locale_to_read
from loyalty.core.money import format_amount
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("zh-TW", "zh-hant"), ("zh_hk", "zh-hant"), ("zh-Hant", "zh-hant"), ("zh", "zh-hant"), ("zh-CN", None),
        ("zh-Hans-TW", None), ("de_AT", "de"), ("ja", "ja"), ("en-GB", "en"), ("fr", None), ("xx-nobody", None),
        ("", None), ("zh-TW; drop", None),
    ],
)  # fmt: skip
def test_whose_language_a_locale_is(locale: str, language: str | None) -> None:
    assert language_of(locale) == language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7", "zh-hant"), ("fr, de;q=0.5", "de"), ("de;q=0, ja;q=0.1", "ja"),
        ("zh-CN, zh-TW;q=0.2", "zh-hant"), ("*", None), ("fr", None), ("", None), ("zz-🦄-" + "x" * 5000, None),
        ("de," * 5000, "de"),
    ],
)  # fmt: skip
def test_which_language_a_browser_wants(header: str, language: str | None) -> None:
    assert language_wanted(header) == language


def test_customers_read_their_own_language_else_the_store_s_else_english() -> None:
    assert language_for("ja", "de") == "ja"
    assert language_for("", "de") == "de"
    assert language_for("fr-CA", "zh-TW") == "zh-hant"
    assert language_for("", "fr") == "en"


@pytest.mark.parametrize("locale", ["zh-TW", "zh_TW", "de-AT", "xx-nobody", "", "a" * 20])
@pytest.mark.parametrize("reads", ["en", "zh-hant", "de", "ja"])
def test_l8_every_stored_locale_is_shown_in_every_language(locale: str, reads: str) -> None:
    store = Store(locale=locale, time_zone="Asia/Taipei", currency="TWD")
    with override(reads):
        assert "2026" in show_moment(datetime(2026, 1, 5, tzinfo=UTC), store)
        assert format_amount(Decimal(1200), "", store.written_in).startswith("1")
    assert is_locale(locale) == (locale[:2] in ("zh", "de"))


@pytest.mark.parametrize(
    ("locale", "reads", "written"),
    [
        ("en-GB", "en", "en-GB"), ("de", "en", "en"), ("de-AT", "de", "de-AT"), ("en", "zh-hant", "zh-hant"),
        ("fr", "en", "fr"),
    ],
)  # fmt: skip
def test_t4_values_are_written_as_the_reader_s_language_writes_them(locale: str, reads: str, written: str) -> None:
    with override(reads):
        assert locale_to_read(locale) == written


@pytest.mark.parametrize(
    ("reads", "shown"),
    [
        ("en", "Jan 5, 2026, 2:03\N{NARROW NO-BREAK SPACE}PM"), ("de", "05.01.2026, 14:03"),
        ("ja", "2026/01/05 14:03"), ("zh-hant", "2026年1月5日 下午2:03"),
    ],
)  # fmt: skip
def test_t4_a_moment_is_joined_as_the_language_joins_day_and_time(reads: str, shown: str) -> None:
    store = Store(locale="en", time_zone="Asia/Taipei", currency="TWD")
    with override(reads):
        assert show_moment(datetime(2026, 1, 5, 6, 3, tzinfo=UTC), store) == shown
