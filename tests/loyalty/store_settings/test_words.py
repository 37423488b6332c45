"""The words of a store: in which language they are said, and what stands behind a number (H3)."""

import pytest
from django.utils.translation import override

from loyalty.languages.spoken import LANGUAGES
from loyalty.store_settings.words import FIELDS, LanguageWords, WordsSettings

COINS = LanguageWords(credits="Shopping money", points="Coins", point="Coin")


def test_h3_there_are_words_for_every_language() -> None:
    assert [FIELDS[language] for language, _ in LANGUAGES] == list(WordsSettings.__slots__)


def test_h3_words_are_those_of_who_reads() -> None:
    words = WordsSettings(de=COINS)
    with override("de"):
        assert words.here.name_of("credits") == "Shopping money"
    with override("zh-hant"):
        assert words.here.name_of("points") == ""


@pytest.mark.parametrize(("count", "unit"), [(0, "Coins"), (1, "Coin"), (2, "Coins")])
def test_h3_one_is_said_otherwise_where_the_language_does(count: int, unit: str) -> None:
    assert COINS.unit_of(count) == unit
    assert LanguageWords(points="點").unit_of(count) == "點"
    assert LanguageWords().unit_of(count) == ""
