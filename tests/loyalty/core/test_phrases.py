"""Lists and sentences are put together as each language wants it (T4)."""

import pytest
from django.utils.translation import override

from loyalty.core.phrases import enumerated, listed, sentences


@pytest.mark.parametrize(
    ("language", "items", "phrase"),
    [
        ("en", ["15.00 USD", "100 points"], "15.00 USD and 100 points"),
        ("de", ["15,00 USD", "100 Punkte"], "15,00 USD und 100 Punkte"),
        ("zh-hant", ["USD 40.00", "50 點"], "USD 40.00 和 50 點"),
        ("zh-hant", ["USD 40.00", "50 點", "3 Coins"], "USD 40.00、50 點和 3 Coins"),
        ("zh-hant", ["購物金", "點數"], "購物金和點數"),
        ("zh-hant", ["購物金", "Coins"], "購物金和 Coins"),
        ("zh-hant", ["100%", "USD"], "100% 和 USD"),
        ("zh-hant", ["王小明ABC說 OK"], "王小明ABC說 OK"),
        ("ja", ["40.00 USD", "50ポイント"], "40.00 USD、50ポイント"),
        ("zh-hant", [], ""),
    ],
)
def test_t4_several_things_are_one_phrase(language: str, items: list[str], phrase: str) -> None:
    with override(language):
        assert listed(items) == phrase


def test_t4_chinese_and_japanese_leave_no_blank_between_sentences() -> None:
    with override("zh-hant"):
        assert sentences(["好。", "", "是。"]) == "好。是。"
    with override("en"):
        assert sentences(["Yes.", "", "No."]) == "Yes. No."


@pytest.mark.parametrize(("language", "phrase"), [("en", "a, 2"), ("de", "a, 2"), ("zh-hant", "a、2"), ("ja", "a、2")])
def test_t4_what_stands_one_after_another_is_divided_as_the_language_does(language: str, phrase: str) -> None:
    with override(language):
        assert enumerated(["a", 2]) == phrase
        assert enumerated([]) == ""
