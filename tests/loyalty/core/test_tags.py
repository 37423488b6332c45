"""Tags that look the same are the same; others are not (N3, N7)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.tags import LONGEST_KEY, clean_tags, first_match, tag_key

BLANKS = " \t\u00a0\u1680\u2003\u2007\u2009\u202f\u205f\u3000"
HYPHENS = "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"
FORMS = ("NFC", "NFD", "NFKC", "NFKD")

tags = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
words = st.text(st.sampled_from("abcdexyz0189éñßöü"), min_size=1, max_size=6)


def full_width(text: str) -> str:
    """As East Asian keyboards write ASCII."""
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("échange", "e\u0301change"),
        ("Échange", "échange"),
        ("refunded-order", full_width("refunded-order")),
        ("VIP guest", "vip\u00a0guest"),
        ("exchange-order", "exchange\u2011order"),
        ("exchange-order", "exchange–order"),
        ("office", "o\ufb03ce"),
        ("Straße", "STRASSE"),
        ("vip", "\ufeff vip\u200b\u3000"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("가나", "\u1100\u1161\u1102\u1161"),
    ],
)
def test_n7_what_looks_the_same_is_the_same(one: str, other: str) -> None:
    assert tag_key(one) == tag_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("exchange-order", "exchange order"),
        ("exchange-order", "exchangeorder"),
        ("vip", "vip guest"),
        ("échange", "echange"),
        ("ö", "o"),
        ("о", "o"),  # noqa: RUF001 - a Cyrillic letter is another letter
    ],
)
def test_n3_what_differs_stays_different(one: str, other: str) -> None:
    assert tag_key(one) != tag_key(other)


@given(tags)
def test_n7_a_key_is_its_own_key_and_short_enough_to_store(tag: str) -> None:
    key = tag_key(tag)
    assert tag_key(key) == key
    assert len(key) <= LONGEST_KEY


@given(st.lists(words, min_size=1, max_size=4), st.data())
def test_n7_any_blank_any_hyphen_any_form_any_case(parts: list[str], data: st.DataObject) -> None:
    plain = looks = parts[0]
    for part in parts[1:]:
        kind = data.draw(st.sampled_from((BLANKS, HYPHENS)))
        plain += kind[0] + part
        looks += data.draw(st.sampled_from(kind)) + part
    looks = data.draw(st.sampled_from(BLANKS)) + data.draw(st.sampled_from((looks, looks.upper(), looks.title())))
    assert tag_key(unicodedata.normalize(data.draw(st.sampled_from(FORMS)), looks)) == tag_key(plain)


@given(st.lists(words, min_size=1, max_size=4), st.lists(words, min_size=1, max_size=4))
def test_n3_different_words_are_different_tags(some: list[str], others: list[str]) -> None:
    folded = [[word.casefold() for word in each] for each in (some, others)]
    assert (tag_key("-".join(some)) == tag_key("-".join(others))) == (folded[0] == folded[1])


def test_a_key_that_grows_too_long_still_tells_tags_apart() -> None:
    # One character that is written out as eighteen.
    keys = {tag_key("\ufdfa" * 85 + end) for end in ("a", "b")}
    assert [len(key) for key in keys] == [LONGEST_KEY, LONGEST_KEY]


def test_cleaned_tags_are_trimmed_and_there_once() -> None:
    assert clean_tags([" Vip ", full_width("vip"), "", "\u200b", "échange", "e\u0301change"]) == ["Vip", "échange"]


def test_n7_a_match_is_named_as_the_store_writes_it() -> None:
    assert first_match([" Échange "], {tag_key("e\u0301change")}) == "Échange"
