"""One layout for all letters: a store's own words in it, and text and HTML that say the same (H3)."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from loyalty.notices.letter import Content, Part, write_letter
from loyalty.notices.voice import Voice
from loyalty.store_settings.letterhead import LetterheadSettings
from loyalty.store_settings.sections import StoreSettings
from loyalty.store_settings.words import LanguageWords, LetterWords, WordsSettings, fill, wrong_words
from loyalty.stores.models import Store

STORE = Store(slug="aurora", name="Aurora <Tea>", currency="TWD", time_zone="Asia/Taipei", locale="zh-TW")
CONTENT = Content(
    "cancelled",
    "Aurora: order 7 was cancelled",
    "Your order 7 was cancelled.",
    "陳 & Söhne",
    [Part("Store credits", ["Returned to you: 5 TWD", "Not returned: 10 TWD"]), Part("", ["100 points"])],
    "You now have 250 points.",
    facts={"order": "7", "amount": "{store} <5> TWD"},
)


def voice(**words: str) -> Voice:
    said = LanguageWords(cancelled=LetterWords(**words), credits="Shopping money", points="Coins", point="Coin")
    return Voice(STORE, StoreSettings(words=WordsSettings(en=said)))


class _Text(HTMLParser):
    """What somebody reads of a letter's HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.unseen = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.unseen += tag in {"style", "title"}
        self.words += (dict(attributes).get("alt") or "").split()

    def handle_endtag(self, tag: str) -> None:
        self.unseen -= tag in {"style", "title"}

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self.words += data.split()


def read(html: str) -> list[str]:
    parser = _Text()
    parser.feed(html)
    return parser.words


def as_read(text: str) -> list[str]:
    return re.sub(r"^- ", "", text, flags=re.MULTILINE).split()


@pytest.mark.parametrize(
    "words",
    [
        {},
        {
            "opening": "Dear {customer},\nyour {order}\n\nfell through: {amount}",
            "closing": "<b>Bye</b> %(x)s\n© {store}",
        },
    ],
)
def test_h3_text_and_html_say_the_same(words: dict[str, str]) -> None:
    message = write_letter(CONTENT, voice(**words))
    assert read(message.html) == as_read(message.text)
    assert "陳 & Söhne" in message.text
    assert "陳 &amp; Söhne" in message.html


def test_h3_a_colour_stands_at_the_head_with_words_that_can_be_read() -> None:
    settings = StoreSettings(letterhead=LetterheadSettings(colour="#ffee00"))
    message = write_letter(CONTENT, Voice(STORE, settings))
    assert "background: #ffee00; color: #000000" in message.html
    assert read(message.html) == as_read(message.text)


@pytest.mark.parametrize("colour", ["", "#ffee00"])
def test_h3_a_logo_stands_at_the_head_named_and_never_wider_than_a_phone(colour: str) -> None:
    name = f"{'0' * 32}-600x180.png"
    settings = StoreSettings(letterhead=LetterheadSettings(logo=name, colour=colour))
    with override("de"):
        message = write_letter(CONTENT, Voice(STORE, settings))
    (image,) = re.findall("<img[^>]*>", message.html)
    assert f'src="cid:{name}@logo" alt="Aurora &lt;Tea&gt;" width="300" height="90"' in image
    assert "max-width: 100%" in image
    # What is dark and transparent is seen in the dark as well.
    assert "background: #ffffff" in image
    assert read(message.html) == as_read(message.text)
    assert "http" not in message.html


@given(st.text(alphabet="ab<>&\"'\n {}%$(;", max_size=40))
def test_h3_whatever_is_typed_is_text(typed: str) -> None:
    content = replace(CONTENT, parts=[], opening=typed or "x", facts={})
    message = write_letter(content, voice(closing=typed))
    assert read(message.html) == as_read(message.text)
    assert "<b" not in message.html.partition("<body")[2].partition("</body>")[0].replace("<br>", "")


def test_h3_own_words_stand_where_ours_would_and_their_lines_stay() -> None:
    own = voice(subject="{store}: sorry about {order}", opening="One\nTwo\n\nThree", closing="Bye")
    message = write_letter(CONTENT, own)
    assert message.subject == "Aurora <Tea>: sorry about 7"
    assert "One<br>Two</p>" in message.html
    assert "Your order 7 was cancelled." not in message.text + message.html
    assert message.text.index("Three") < message.text.index("- Returned") < message.text.index("Bye")


def test_h3_a_fact_that_looks_like_a_placeholder_stays_as_it_is() -> None:
    assert "{store} <5> TWD" in write_letter(CONTENT, voice(opening="{amount}")).text


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("{x.__class__}", "{x.__class__}"),
        ("{0}", "{0}"),
        ("{}", "{}"),
        ("{order!r}", "{order!r}"),
        ("{reward}", "{reward}"),
        ("{customer", "A brace stands alone."),
        ("{{customer}}", "A brace stands alone."),
        ("}", "A brace stands alone."),
    ],
)
def test_h3_placeholders_that_there_are_not_are_named(typed: str, named: str) -> None:
    words = WordsSettings(de=LanguageWords(cancelled=LetterWords(opening=typed)))
    (error,) = wrong_words(words)
    assert error.pointer == "/words/de/cancelled/opening"
    assert named in error.detail
    assert "{customer}, {store}, {order}, {amount}" in error.detail


@pytest.mark.parametrize("typed", ["%(store)s", "$store", "<script>", "{{% now %}}".replace("{", "").replace("}", "")])
def test_h3_other_ways_of_writing_placeholders_mean_nothing(typed: str) -> None:
    assert list(wrong_words(WordsSettings(en=LanguageWords(cancelled=LetterWords(opening=typed))))) == []
    assert fill(typed, {"store": "S"}) == typed


def test_h3_points_are_called_by_their_own_name_behind_a_number() -> None:
    assert [voice().show(count, "") for count in (1, 1200)] == ["1 Coin", "1,200 Coins"]
